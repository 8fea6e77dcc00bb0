// A worker process of BullMQ's: a browser, attached, and jobs off the queue. At SIGTERM it takes no new job, finishes those in
// hand, waits until what they left is released, and closes its browser. Killed, it loses the jobs in hand: another worker does
// them when their locks have expired.
import { once } from 'node:events';
import { Worker } from 'bullmq';
import { attach } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';
import { scrape } from './shop.mjs';

const connection = { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' };

// Before the browser and the first job.
const told = once(process, 'SIGTERM');

// Puppeteer's own listeners would close the browser at once, under the jobs in hand.
const browser = await puppeteer.launch({ handleSIGINT: false, handleSIGTERM: false });
const releases = attach(browser);

async function work({ data: { url } }) {
  const page = await browser.newPage();
  try {
    await page.goto(url);
    return await scrape(page);
  } finally {
    await page.close();
  }
}

const worker = new Worker('shelves', work, { connection, concurrency: 2, lockDuration: 30_000 });
worker.on('error', (error) => console.error(error));
await worker.waitUntilReady();
console.log('ready');

await told;
await worker.close(); // Not before the jobs in hand are done.
await releases.flush({ timeoutMs: 5_000 });
const { released, live } = releases.stats();
await browser.close();
console.log(`${released} handles released, ${live} live`);
