/**
 * Four real threads, terminated at random and replaced, until so many releases have come through.
 * `RING_SOAK_IDS=10000000 npx vitest run test/threads/soak` takes it further than `npm run test:long` does.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { openReleasePort } from '../../src/threads/index.ts';
import { sized } from '../support/sized.ts';

const IDS = Number(process.env.RING_SOAK_IDS ?? sized(200_000, 1_000_000));
const THREADS = 4;
const MOST_WORKERS = 256;
/** Releases between two terminations. */
const LIFE = 20_000;

test(`${IDS.toLocaleString('en')} ids of ${THREADS} threads, terminated at random`, {
  timeout: 600_000,
}, async () => {
  const { soakedId } = await import(new URL('workers/soaked-id.mjs', import.meta.url).href);
  const accepted = new Int32Array(new SharedArrayBuffer(4 * MOST_WORKERS));
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const delivered = new Int32Array(MOST_WORKERS);
  let total = 0;
  let firstWrong: string | undefined;
  const port = openReleasePort<object>(
    { release: takeIn },
    { capacity: 1024, whenFull: 'refuse', stallTimeoutMs: 20 },
  );
  const sessionKey = port.keyOf({});

  let started = 0;
  const living = Array.from({ length: THREADS }, start);
  const exits: Promise<unknown>[] = [];
  let terminations = 0;
  while (total < IDS && firstWrong === undefined) {
    await delay(5);
    if (total < (terminations + 1) * LIFE || started === MOST_WORKERS) continue;
    terminations++;
    const index = Math.floor(Math.random() * THREADS);
    exits.push(living[index]?.terminate() ?? Promise.resolve());
    living[index] = start();
  }
  Atomics.store(stop, 0, 1);
  Atomics.notify(stop, 0);
  await Promise.all([
    ...exits,
    ...living.map((worker) => (worker.threadId === -1 ? undefined : once(worker, 'exit'))),
  ]);
  port.close();

  expect(firstWrong).toBeUndefined();
  for (let name = 0; name < started; name++) {
    // A worker may have died after its push, before it could note it.
    expect([0, 1], `worker ${name}`).toContain((delivered[name] ?? 0) - (accepted[name] ?? 0));
  }
  const { received, refused, steppedOver } = port.stats();
  expect(received).toBe(total);
  console.log(
    `${received} received, ${terminations} terminated, ${steppedOver} slots stepped over, ${refused} refused`,
  );

  function start(): Worker {
    const workerData = { handle: port.handle, sessionKey, name: started++, accepted, stop };
    return new Worker(new URL('workers/soaking.mjs', import.meta.url), { workerData });
  }

  function takeIn(_session: object, objectId: string): boolean {
    const name = Number(objectId.split('.')[1]);
    const number = (delivered[name] ?? 0) + 1;
    delivered[name] = number;
    total++;
    if (objectId !== soakedId(name, number))
      firstWrong ??= `${objectId} instead of ${soakedId(name, number)}`;
    return true;
  }
});
