// Handles that reach the script by ways of their own; each line says at its end what it leaves behind.
import { createServer } from 'node:http';
import { runInThisContext } from 'node:vm';
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const page = await browser.newPage();
globalThis.kept = [];

// Of console arguments, before the page has given any other handle.
const logged = new Promise((resolve) => {
  page.on('console', async (message) => {
    for (const arg of message.args()) {
      kept.push(await arg.getProperty('inner')); // leaks 2 object
      await arg.dispose();
    }
    resolve();
  });
});
await page.evaluate(() => console.log({ inner: {} }, { inner: {} }));
await logged;

// Of the accessibility tree.
await page.setContent('<button>a</button><button>b</button>');
const { children } = await page.accessibility.snapshot();
for (const child of children) kept.push(await child.elementHandle()); // leaks 2 node

// Of a service worker.
const server = createServer(({ url }, response) => {
  response.setHeader('content-type', url === '/worker.js' ? 'text/javascript' : 'text/html');
  response.end(url === '/worker.js' ? 'self.x = 1' : '<p>');
}).listen(0, '127.0.0.1', async () => {});
await new Promise((resolve) => server.once('listening', resolve));
await page.goto(`http://127.0.0.1:${server.address().port}`);
await page.evaluate(() => navigator.serviceWorker.register('/worker.js').then(() => 1));
const target = await browser.waitForTarget((found) => found.type() === 'service_worker');
const worker = await target.worker();
kept.push(await worker.evaluateHandle(() => [])); // leaks 1 array
await (await worker.evaluateHandle(() => ({}))).dispose();

// In text that is run as code, called by a timer: with a name, and without.
const text = 'async (page, done) => { kept.push(await page.evaluateHandle(() => new Map())); done(); }';
for (const options of [{ filename: 'step.js' }, {}]) {
  await new Promise((done) => setTimeout(runInThisContext(text, options), 0, page, done));
}

// Disposed of after the page that they were of has gone: nothing is left.
const late = [await page.evaluateHandle(() => ({})), await page.$('p')];
await page.goto('about:blank');
for (const handle of late) await handle.dispose();
const later = await page.evaluateHandle(() => ({}));
await page.close();
await later.dispose();

// By Puppeteer's own session: what the script asks for there is its own, too.
const other = await browser.newPage();
const { result } = await other._client().send('Runtime.evaluate', { expression: 'new Set()' }); // leaks 1 set
kept.push(result);

await browser.close();
server.close();
