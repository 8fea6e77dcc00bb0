// Worker threads parse what a page holds, and release each object when they are done with it. This thread owns the
// connection, and gets no message for a release. With a single thread there is nothing of this to do: `attach` it.
import { ReleaseBatcher } from 'cdp-release-batcher';
import { openReleasePort } from 'cdp-release-batcher/threads';
import { Piscina } from 'piscina';
import puppeteer from 'puppeteer';

const ROWS = 1_000;

const browser = await puppeteer.launch();
const page = await browser.newPage();
const session = await page.createCDPSession();

const batcher = new ReleaseBatcher();
const port = openReleasePort(batcher);
const sessionKey = port.keyOf(session); // A session cannot cross threads; its number can.
const workers = new Piscina({
  filename: new URL('parse.mjs', import.meta.url).href,
  workerData: port.handle,
  minThreads: 2,
  maxThreads: 2,
});

const totals = await Promise.all(Array.from({ length: ROWS }, (_, row) => parseRow(row)));

// Everything that the workers have released goes to the batcher, and is answered.
port.drain();
await batcher.flush();

const { released, commands } = batcher.stats();
const { received, spilled } = port.stats();
console.log(`${totals.length} rows parsed by ${workers.threads.length} threads`);
console.log(
  `${received} releases came from them, ${spilled} by message; ${released} released in ${commands} commands`,
);

await workers.destroy();
port.close();
await batcher.close();
await browser.close();

/** Makes an object in the page, and has its text parsed in a worker, which releases the object. */
async function parseRow(row) {
  const { result } = await session.send('Runtime.evaluate', {
    expression: `({ prices: Array.from({ length: 100 }, (_, price) => price * ${row}) })`,
  });
  const text = await session.send('Runtime.callFunctionOn', {
    objectId: result.objectId,
    functionDeclaration: 'function () { return JSON.stringify(this); }',
    returnByValue: true,
  });
  return workers.run({ sessionKey, objectId: result.objectId, text: text.result.value });
}
