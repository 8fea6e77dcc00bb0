// A shop of generated pages on a local server, and one careless job for them: what every engine here crawls. Each
// page notes by WeakRef what it makes, so that the page itself can be asked what is still alive in it.
import { createServer } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { attach } from 'cdp-release-batcher/puppeteer';

/** Whether the engine is to run without this library, to see what leaks then. */
export const isPlain = process.argv.includes('--plain');
/** How many pages the shop has: `--pages=12`. */
export const PAGES = Number(
  process.argv.find((argument) => argument.startsWith('--pages='))?.slice(8) ?? (isPlain ? 12 : 100),
);
const ROWS = 8;
const MADE_BY_PAGE = 20;

/** @returns the addresses of all pages, and what closes the server. */
export async function openShop() {
  const server = createServer((request, response) => {
    const number = Number(/^\/shelf\/(\d+)$/.exec(request.url ?? '')?.[1] ?? Number.NaN);
    response.writeHead(Number.isNaN(number) ? 404 : 200, { 'content-type': 'text/html' });
    response.end(Number.isNaN(number) ? '' : shelf(number));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    urls: Array.from({ length: PAGES }, (_, number) => `${origin}/shelf/${number}`),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

const priceOf = (number, row) => (number * 31 + row * 7) % 100;

function shelf(number) {
  const rows = Array.from(
    { length: ROWS },
    (_, row) => `<tr><td>article ${row}</td><td class="price">${priceOf(number, row)}</td></tr>`,
  );
  return `<!doctype html><title>shelf ${number}</title><table>${rows.join('')}</table><script>
    const made = [];
    function make() {
      const object = { ballast: new Array(1_000).fill(0.5) };
      made.push(new WeakRef(object));
      return object;
    }
    const countAlive = () => made.filter((reference) => reference.deref() !== undefined).length;
  </script>`;
}

/** What all pages' prices come to: an engine that has been everywhere, once, finds this. */
const TOTAL = Array.from({ length: PAGES * ROWS }, (_, index) =>
  priceOf(Math.floor(index / ROWS), index % ROWS),
).reduce((sum, price) => sum + price, 0);

/** A job as scripts are written: it disposes of nothing, and half of what it leaves it could not dispose of. */
export async function scrape(page) {
  let total = 0;
  for (const row of await page.$$('tr')) {
    const price = await row.$('.price');
    total += Number(await price.evaluate((node) => node.textContent));
  }
  for (let count = 0; count < MADE_BY_PAGE / 2; count++) {
    await page.evaluateHandle(() => make());
    await page.evaluate(() => Promise.reject(make())).catch(() => {});
  }
  return total;
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/**
 * Counts over all pages of a process what outlived the job that made it. A page is asked before the engine closes
 * it, since with the page all goes; and garbage is collected for the count alone, here and there.
 */
export class Count {
  pages = 0;
  total = 0;
  alive = 0;
  #attachments = new Set();

  /** Does the job, and counts. */
  async job(page) {
    const total = await scrape(page);
    // `withReleases` has attached it long since; attached only now, the browser would keep what the job has left.
    const releases = isPlain ? undefined : attach(page.browser());
    if (releases !== undefined) this.#attachments.add(releases);
    this.alive += await leftAlive(page, releases);
    this.total += total;
    this.pages++;
  }

  /** The counters of all browsers that jobs ran in. */
  stats() {
    return addUp([...this.#attachments].map((releases) => releases.stats()));
  }

  /** How many browsers these were. */
  get browsers() {
    return this.#attachments.size;
  }
}

async function leftAlive(page, releases) {
  const session = await page.createCDPSession();
  let alive = 0;
  for (let attempt = 0; attempt < 10; attempt++) {
    collectGarbage();
    await nextTurn(); // In which the finalizers run.
    await releases?.flush();
    await session.send('HeapProfiler.collectGarbage');
    const { result } = await session.send('Runtime.evaluate', {
      expression: 'countAlive()',
      returnByValue: true,
    });
    if (result.value === 0 || (result.value === alive && releases === undefined)) return result.value;
    alive = result.value;
  }
  return alive;
}

/** One sum of many browsers' counters. */
function addUp(all) {
  const sum = {};
  for (const stats of all) {
    for (const [name, count] of Object.entries(stats)) sum[name] = (sum[name] ?? 0) + Number(count);
  }
  return sum;
}

/** Prints what came of a crawl, when its browsers are closed; true if every page was read and nothing leaked. */
export function report(name, { pages, total, alive, browsers }, stats) {
  const { minted = 0, live = 0, released = 0, gone = 0, elided = 0 } = stats;
  const { failed = 0, timedOut = 0, dropped = 0, queued = 0, inFlight = 0, commands = 0 } = stats;
  const lost = minted - live - queued - inFlight - released - gone - elided - failed - timedOut - dropped;
  console.log(
    `${name}: ${pages} pages, ${pages * MADE_BY_PAGE} objects made in them, ${alive} of these leaked`,
  );
  console.log(
    `  ${browsers} browsers: ${minted} remote objects, ${released} released by ${commands} commands, ` +
      `${gone + elided} gone with their pages, ${live} still live, ${failed + timedOut + dropped} failed, ${lost} lost`,
  );
  const isComplete = pages === PAGES && total === TOTAL;
  return isComplete && alive === 0 && live === 0 && lost === 0 && failed + timedOut + dropped === 0;
}
