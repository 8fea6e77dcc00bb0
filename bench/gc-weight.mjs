/**
 * What the weight that handles are charged to the local heap does for the page: a script forgets handles of
 * 20 KB, 200 KB and 5 MB, and this prints how large the page's heap got, and what share of the time went to
 * garbage collection here, for the weight that follows the page's heap against fixed ones.
 *
 * Each row is a process of its own: what earlier ones leave in the heap would make its collections dearer.
 *
 *     npm run build && [ONLY='5 MB'] node bench/gc-weight.mjs [rounds]
 */
import { execFileSync } from 'node:child_process';
import { PerformanceObserver } from 'node:perf_hooks';
import puppeteer from 'puppeteer-core';
import { findBrowser, launchOptions } from '../dist/cli/browser-finder.js';
import { attach } from '../dist/clients/puppeteer/index.js';

const rounds = Number(process.argv[2] ?? 3);
/** In doubles of 8 bytes; the sum that a round mints is what a page without releases would hold. */
const SIZES = [
  { name: '20 KB', doubles: 2_500, handles: 12_000 },
  { name: '200 KB', doubles: 25_000, handles: 8_000 },
  { name: '5 MB', doubles: 640_000, handles: 600 },
];
const WEIGHTS = [
  { name: 'follows the heap', pressure: undefined },
  { name: 'fixed, 64 KiB', pressure: 65_536 },
  { name: 'none', pressure: false },
];

let gcMs = 0;
let collections = 0;
new PerformanceObserver((list) => {
  for (const { duration, detail } of list.getEntries()) {
    gcMs += duration;
    if (detail.kind === 4) collections++;
  }
}).observe({ entryTypes: ['gc'] });

const launch = launchOptions(await findBrowser());
const only = process.env.ONLY;

/** The row that this process is for, if it is not the one that starts the others. */
const ownRow = process.env.ROW;

if (ownRow === undefined) {
  console.log(
    'object   weight            page heap max   time in GC   major GCs   most alive   charged each   µs a handle',
  );
}
for (const size of SIZES) {
  for (const weight of WEIGHTS) {
    const row = `${size.name} ${weight.name}`;
    if (ownRow === undefined) {
      if (only !== undefined && !row.includes(only)) continue;
      const env = { ...process.env, ROW: row };
      execFileSync(process.execPath, [import.meta.filename, String(rounds)], { env, stdio: 'inherit' });
    } else if (row === ownRow) {
      const results = [];
      for (let round = 0; round < rounds; round++) results.push(await run(size, weight.pressure));
      print(size.name, weight.name, results);
    }
  }
}

async function run({ doubles, handles }, pressure) {
  const browser = await puppeteer.launch(launch);
  try {
    const page = await browser.newPage();
    let crashed = false;
    page.on('error', () => {
      crashed = true;
    });
    const meter = await page.createCDPSession();
    const releases = attach(browser, { pressure });
    let heapMax = 0;
    let mostAlive = 0;
    let isOver = false;
    const metering = (async () => {
      while (!isOver && !crashed) {
        const { usedSize } = await meter.send('Runtime.getHeapUsage');
        heapMax = Math.max(heapMax, usedSize);
        mostAlive = Math.max(mostAlive, releases.stats().live);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })().catch(() => {});

    gcMs = 0;
    collections = 0;
    const start = performance.now();
    let minted = 0;
    while (minted < handles && !crashed) {
      await Promise.race([
        page.evaluateHandle((length) => ({ big: new Array(length).fill(1.5) }), doubles),
        new Promise((_, reject) => page.once('error', reject)),
      ]).catch(() => {
        crashed = true;
      });
      minted++;
      page.removeAllListeners('error');
      page.on('error', () => {
        crashed = true;
      });
    }
    const elapsed = performance.now() - start;
    // Observers are served in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 50));
    isOver = true;
    await metering;
    const { bytesPerHandle } = releases.stats();
    return {
      crashed,
      heapMax,
      mostAlive,
      collections,
      gcShare: gcMs / elapsed,
      bytesPerHandle,
      perHandle: (elapsed / minted) * 1_000,
    };
  } finally {
    await browser.close().catch(() => {});
  }
}

function print(size, weight, results) {
  const median = (name) => results.map((result) => result[name]).sort((a, b) => a - b)[results.length >> 1];
  const heap = `${(Math.max(...results.map(({ heapMax }) => heapMax)) / 1e6).toFixed(0)} MB${results.some(({ crashed }) => crashed) ? ' crash' : ''}`;
  const gc = `${(median('gcShare') * 100).toFixed(1)} %`;
  console.log(
    size.padEnd(8),
    weight.padEnd(17),
    heap.padStart(13),
    gc.padStart(12),
    String(median('collections')).padStart(11),
    String(median('mostAlive')).padStart(12),
    `${(median('bytesPerHandle') / 1024).toFixed(0)} KiB`.padStart(14),
    median('perHandle').toFixed(0).padStart(13),
  );
}
