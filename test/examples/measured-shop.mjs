// Stands in a copy of the examples where `engines/shop.mjs` was: its job does the example's own, then asks the page what has outlived
// it, before the engine closes the page. As the process ends it prints the sums, and the counters of all browsers.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { attach } from 'cdp-release-batcher/puppeteer';
import { openShop as open, scrape as scrapeAsWritten } from './shop-as-written.mjs';

const { PAGES = '20', PLAIN, HOLD } = process.env;
const attachments = new Set();
const counts = { pages: 0, made: 0, alive: 0 };

export const openShop = () => open(Number(PAGES));

export async function scrape(page) {
  await page.evaluate(() => {
    const { offer } = globalThis;
    globalThis.made = [];
    globalThis.offer = () => {
      const object = offer();
      globalThis.made.push(new WeakRef(object));
      return object;
    };
  });
  console.log(`begun ${page.url()}`);
  if (HOLD) await new Promise(() => {}); // Until the process is killed.
  const total = await scrapeAsWritten(page);
  const releases = PLAIN ? undefined : attach(page.browser());
  if (releases !== undefined) attachments.add(releases);
  const alive = await leftAlive(page, releases);
  const made = await page.evaluate(() => globalThis.made.length);
  counts.alive += alive;
  counts.made += made;
  counts.pages++;
  console.log(`done ${page.url()}`);
  return total;
}

process.on('exit', () => {
  const stats = {};
  for (const releases of attachments) {
    for (const [name, count] of Object.entries(releases.stats())) {
      stats[name] = (stats[name] ?? 0) + Number(count);
    }
  }
  console.log(`MEASURED ${JSON.stringify({ ...counts, browsers: attachments.size, stats })}`);
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/** Garbage is collected for the count alone, here and in the page. */
async function leftAlive(page, releases) {
  const session = await page.createCDPSession();
  let alive;
  for (let attempt = 0; attempt < 10; attempt++) {
    collectGarbage();
    await nextTurn(); // In which the finalizers run.
    await releases?.flush();
    await session.send('HeapProfiler.collectGarbage');
    const { result } = await session.send('Runtime.evaluate', {
      expression: 'made.filter((reference) => reference.deref() !== undefined).length',
      returnByValue: true,
    });
    if (result.value === 0 || (result.value === alive && releases === undefined)) return result.value;
    alive = result.value;
  }
  return alive;
}
