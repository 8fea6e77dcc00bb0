// A farm for more than one machine: BullMQ hands the pages out over Redis, and each worker is a process with a browser
// and a batcher of its own, since a release can go only by the connection that its object came from. What the workers
// share is the queue and, in Redis, the sum of their counters. With `--plain` they run without, to see what leaks.
//
// It starts a redis-server of its own and ends it. To install one: `apt-get install redis-server`, `dnf install
// redis`, `brew install redis`.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Queue, QueueEvents } from 'bullmq';
import { startRedis } from './redis.mjs';
import { openShop, report } from './site.mjs';

const WORKERS = 3;

const redis = await startRedis();
const shop = await openShop();
const { connection } = redis;
const queue = new Queue('shelves', { connection });
const events = new QueueEvents('shelves', { connection });
await events.waitUntilReady();

const workers = Array.from({ length: WORKERS }, () =>
  fork(new URL('bullmq-worker.mjs', import.meta.url), process.argv.slice(2), {
    env: { ...process.env, REDIS_SOCKET: connection.path },
  }),
);
await new Promise((resolve) => {
  let open = shop.urls.length;
  const finished = () => --open === 0 && resolve();
  events.on('completed', finished);
  events.on('failed', ({ failedReason }) => {
    console.error(failedReason);
    finished();
  });
  queue.addBulk(shop.urls.map((url) => ({ name: 'shelf', data: { url } })));
});

// Each worker adds its counters to the sum when it is told to end.
const exits = workers.map((worker) => once(worker, 'exit'));
for (const worker of workers) worker.send('end');
const codes = (await Promise.all(exits)).map(([code]) => code);

const client = await queue.client;
const asNumbers = (hash) => Object.fromEntries(Object.entries(hash).map(([name, n]) => [name, Number(n)]));
const stats = asNumbers(await client.hgetall('releases'));
const count = asNumbers(await client.hgetall('count'));
const pagesByWorker = Object.values(await client.hgetall('workers'));

const isRight = report('bullmq', count, stats);
console.log(`  ${pagesByWorker.length} worker processes, which did ${pagesByWorker.join(' + ')} pages`);
process.exitCode = isRight && codes.every((code) => code === 0) ? 0 : 1;

await events.close();
await queue.close();
await redis.stop();
shop.close();
