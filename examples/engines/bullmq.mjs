// What fills the queue, and waits for what comes of it. Beside it run as many of `bullmq-worker.mjs` as you like, on one machine
// or on many. It needs a Redis; REDIS_URL says where.
import { Queue, QueueEvents } from 'bullmq';
import { openShop } from './shop.mjs';

const connection = { url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' };
const queue = new Queue('shelves', { connection });
const events = new QueueEvents('shelves', { connection });

const urls = await openShop();
const jobs = await queue.addBulk(urls.map((url) => ({ name: 'shelf', data: { url } })));
const totals = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)));
console.log(`prices come to ${totals.reduce((sum, total) => sum + total, 0)}`);

await events.close();
await queue.close();
