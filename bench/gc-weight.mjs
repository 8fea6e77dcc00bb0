/**
 * What the weight that handles have in the local heap does, and what it costs: a script forgets 4,000 handles of 200 KB
 * (or what `--size` and `--handles` say) while so many megabytes of its own objects live in its heap. For each heap it
 * prints how large the page's heap got, and the time and CPU of this process, without the library and with it.
 *
 * Each row is a process of its own, with a browser of its own; the variants of a heap run in turns.
 *
 *     npm run build && node bench/gc-weight.mjs [--rounds 3] [--heaps 0,200,800,2000] [--handles 4000]
 *         [--size 200KB|20KB|5MB|dom] [--weights follow,65536,false] [--node <binary>]... [--dist <folder>]
 */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { PerformanceObserver } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    heaps: { type: 'string', default: '0,200,800,2000' },
    handles: { type: 'string', default: '4000' },
    size: { type: 'string', default: '200KB' },
    weights: { type: 'string', default: 'follow' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    dist: { type: 'string', default: resolve(import.meta.dirname, '../dist') },
    row: { type: 'string' },
  },
});
const COLUMNS = [
  ['node', 9],
  ['heap', 8],
  ['weight', 9],
  ['wall', 9],
  ['CPU', 9],
  ['wall ÷ plain', 13],
  ['CPU ÷ plain', 12],
  ['page at most', 13],
  ['most alive', 11],
  ['major GCs', 10],
  ['in GC', 8],
];

if (options.row === undefined) drawTable();
else console.log(JSON.stringify(await measure(JSON.parse(options.row))));

function drawTable() {
  console.log(COLUMNS.map(([name, width]) => name.padStart(width)).join(' '));
  for (const node of options.node) {
    for (const heapMB of options.heaps.split(',').map(Number)) {
      const weights = ['plain', ...options.weights.split(',')];
      const samples = new Map(weights.map((weight) => [weight, []]));
      for (let round = 0; round < Number(options.rounds); round++) {
        for (const weight of round % 2 === 0 ? weights : weights.toReversed()) {
          samples.get(weight).push(runChild(node, { heapMB, weight }));
        }
      }
      for (const weight of weights) printRow(samples, heapMB, weight);
    }
  }
}

function runChild(node, row) {
  const { rounds: _, node: _nodes, ...rest } = options;
  const flags = Object.entries({ ...rest, row: JSON.stringify(row) }).map(
    ([name, value]) => `--${name}=${value}`,
  );
  return JSON.parse(
    execFileSync(node, ['--max-old-space-size=6000', import.meta.filename, ...flags], { encoding: 'utf8' }),
  );
}

function printRow(samples, heapMB, weight) {
  const own = samples.get(weight);
  const against = (name) =>
    median(own.map((sample, round) => sample[name] / samples.get('plain')[round][name]));
  const cells = [
    own[0].node,
    `${heapMB} MB`,
    weight,
    `${median(own.map(({ ms }) => ms)).toFixed(0)} ms`,
    `${median(own.map(({ cpuMs }) => cpuMs)).toFixed(0)} ms`,
    weight === 'plain' ? '' : against('ms').toFixed(2),
    weight === 'plain' ? '' : against('cpuMs').toFixed(2),
    own.some(({ crashed }) => crashed)
      ? 'crashed'
      : `${(Math.max(...own.map(({ pageBytes }) => pageBytes)) / 1e6).toFixed(0)} MB`,
    String(Math.max(...own.map(({ alive }) => alive))),
    String(median(own.map(({ collections }) => collections))),
    `${(median(own.map(({ gcMs, ms }) => gcMs / ms)) * 100).toFixed(1)} %`,
  ];
  console.log(cells.map((cell, index) => cell.padStart(COLUMNS[index][1])).join(' '));
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

async function measure({ heapMB, weight }) {
  const load = (path) => import(pathToFileURL(resolve(options.dist, path)));
  const { attach } = await load('clients/puppeteer/index.js');
  const { findBrowser, launchOptions } = await load('cli/browser-finder.js');
  const live = fill(heapMB);
  let gcMs = 0;
  let collections = 0;
  new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries()) {
      if (detail.kind !== 4 && detail.kind !== 8) continue;
      gcMs += duration;
      if (detail.kind === 4) collections++;
    }
  }).observe({ entryTypes: ['gc'] });
  const browser = await puppeteer.launch({ ...launchOptions(await findBrowser()), protocolTimeout: 0 });
  try {
    const pressure = weight === 'follow' ? undefined : JSON.parse(weight === 'plain' ? 'false' : weight);
    const releases = weight === 'plain' ? undefined : attach(browser, { pressure });
    const page = await browser.newPage();
    await page.evaluate(defineMake, options.size);
    let crashed = false;
    const crash = new Promise((resolve) => page.on('error', resolve)).then(() => {
      crashed = true;
    });
    const meter = await page.createCDPSession();
    await new Promise((resolve) => setTimeout(resolve, 50)); // What came before has been told to the observer.
    let pageBytes = 0;
    let alive = 0;
    gcMs = 0;
    collections = 0;
    const start = performance.now();
    const cpu = process.cpuUsage();
    const loop = async () => {
      for (let minted = 0; minted < Number(options.handles) && !crashed; minted++) {
        await page.evaluateHandle(() => make());
        if (minted % 20 > 0) continue;
        const {
          usedSize,
          embedderHeapUsedSize = 0,
          backingStorageSize = 0,
        } = await meter.send('Runtime.getHeapUsage');
        pageBytes = Math.max(pageBytes, usedSize + embedderHeapUsedSize + backingStorageSize);
        alive = Math.max(alive, releases?.stats().live ?? minted);
      }
    };
    await Promise.race([loop(), crash]);
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (live.length < 0) throw new Error('what lives in the heap has to live until here');
    return {
      node: process.version,
      ms,
      cpuMs: (user + system) / 1_000,
      pageBytes,
      alive,
      gcMs,
      collections,
      crashed,
    };
  } finally {
    await browser.close().catch(() => {});
  }
}

/** Small objects that lead to one another, as a program's own do. */
function fill(megabytes) {
  const lists = [];
  while (process.memoryUsage().heapUsed < megabytes * 1e6) {
    const list = [];
    for (let index = 0; index < 10_000; index++)
      list.push({ index, before: list.at(-1), name: `object ${index}` });
    lists.push(list);
  }
  return lists;
}

/** Runs in the page. */
function defineMake(size) {
  const doubles = { '20KB': 2_500, '200KB': 25_000, '5MB': 640_000 }[size];
  globalThis.make = () => {
    if (size !== 'dom') return { big: new Array(doubles).fill(1.5) };
    const table = document.createElement('table');
    table.innerHTML = '<tr><td>x</td><td>y</td></tr>'.repeat(500);
    return table;
  };
}
