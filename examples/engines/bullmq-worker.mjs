// What each worker process of the farm runs: a browser, a batcher, and jobs off the queue until it is told to end.
import { once } from 'node:events';
import { Queue, Worker } from 'bullmq';
import { withReleases } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';
import { launchOptions } from '../launch.mjs';
import { Count, isPlain } from './site.mjs';

const connection = { path: process.env.REDIS_SOCKET, maxRetriesPerRequest: null };
const count = new Count();
const browser = await (isPlain ? puppeteer : withReleases(puppeteer)).launch({
  ...launchOptions,
  handleSIGTERM: false, // Or Puppeteer closes the browser under the jobs in hand.
});

const worker = new Worker(
  'shelves',
  async ({ data: { url } }) => {
    const page = await browser.newPage();
    try {
      await page.goto(url);
      await count.job(page);
    } finally {
      await page.close();
    }
  },
  { connection, concurrency: 2 },
);
process.once('disconnect', () => process.exit(1)); // The farm is gone, and this browser goes with it.
await Promise.race([once(process, 'message'), once(process, 'SIGTERM')]);

await worker.close(); // Not before the jobs in hand are done.
await browser.close();
const queue = new Queue('shelves', { connection });
const client = await queue.client;
const { pages, total, alive, browsers } = count;
const sums = client.multi().hset('workers', { [process.pid]: pages });
for (const [name, value] of Object.entries({ pages, total, alive, browsers })) {
  sums.hincrby('count', name, value);
}
// Counters of handles and commands add up; what bytes and averages come to in sum, nobody reads.
for (const [name, value] of Object.entries(count.stats())) {
  if (Number.isInteger(value)) sums.hincrby('releases', name, value);
}
await sums.exec();
await queue.close();
process.removeAllListeners('disconnect');
process.disconnect();
