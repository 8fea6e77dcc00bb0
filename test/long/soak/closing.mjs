// A crawl that closes what it opens: pages, contexts, their workers, and now and then the connection to the browser. After
// every tenth part, all garbage collected, it prints what is left in this process.
//
//     node --expose-gc closing.mjs '{ "pages": 200, "isPlain": false }'
import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import puppeteer from 'puppeteer-core';
import { attach } from '../../../build/clients/puppeteer/index.js';

const { pages, isPlain } = JSON.parse(process.argv[2]);
const PAGES_PER_CONTEXT = 5;
const LOOKS = 10;

const DOCUMENT = `<ul>${'<li>x</li>'.repeat(50)}</ul><iframe srcdoc="<p>framed"></iframe>
  <script>worker = new Worker(URL.createObjectURL(new Blob(['onmessage = () => {}'])))</script>`;
const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(DOCUMENT));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${server.address().port}/`;

const host = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const seen = [];
let opened = 0;

async function visit(context) {
  const page = await context.newPage();
  if (seen.length < 100) seen.push(new WeakRef(page));
  await page.goto(address);
  for (const item of await page.$$('li')) if (opened % 2 === 0) void item.dispose().catch(() => {});
  await page.evaluateHandle(() => ({}));
  await page
    .workers()[0]
    ?.evaluateHandle(() => ({}))
    .catch(() => {});
  await page.evaluate(() => Promise.reject(new Error('on purpose'))).catch(() => {});
  await page.close();
  opened++;
}

/** A connection of its own, and contexts in it; in the end all is closed, and nobody detaches anything. */
async function crawl(count) {
  const browser = await puppeteer.connect({ browserWSEndpoint: host.wsEndpoint() });
  const releases = isPlain ? undefined : attach(browser);
  for (let left = count; left > 0; left -= PAGES_PER_CONTEXT) {
    const context = await browser.createBrowserContext();
    if (!isPlain) attach(context);
    for (let page = 0; page < Math.min(left, PAGES_PER_CONTEXT); page++) await visit(context);
    await context.close();
  }
  await releases?.flush();
  await browser.disconnect();
}

async function heapUsed() {
  for (let round = 0; round < 8; round++) {
    await turn();
    globalThis.gc();
    await turn();
  }
  return process.memoryUsage().heapUsed;
}

await crawl(20); // Code is compiled, and caches fill.
seen.length = 0;
opened = 0;
console.log(JSON.stringify({ opened, heap: await heapUsed() }));
for (let look = 1; look <= LOOKS; look++) {
  await crawl(Math.round((pages * look) / LOOKS) - opened);
  console.log(JSON.stringify({ opened, heap: await heapUsed() }));
}
const alive = seen.filter((ref) => ref.deref() !== undefined).length;
console.log(JSON.stringify({ alive, of: seen.length }));
await host.close();
server.close();
