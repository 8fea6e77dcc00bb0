// While a program's event loop is blocked, answers lie in the socket, and timers that have become due fire before it is
// read: what the browser has long answered is no timeout, however late the program hears of it.
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ReleaseSession } from '../../src/batcher/release.ts';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { expectAtRest } from '../support/conservation.ts';
import { turns, until } from '../support/turns.ts';

/** A browser on another thread: it answers while this one is blocked. */
const browser = new Worker(
  "require('node:worker_threads').parentPort.on('message', function (id) { this.postMessage(id); });",
  {
    eval: true,
  },
);
const waiting = new Map<number, () => void>();
let deliver = (id: number): void => waiting.get(id)?.();
browser.on('message', (id: number) => deliver(id));
beforeAll(async () => {
  await session.send(''); // It is up.
});
afterAll(() => browser.terminate());

let ids = 0;
const session: ReleaseSession = {
  send: () =>
    new Promise((resolve) => {
      const id = ids++;
      waiting.set(id, () => resolve({}));
      browser.postMessage(id);
    }),
};

const TIMEOUT_MS = 60;
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

async function releaseBlocked(count: number): Promise<ReleaseBatcher> {
  const batcher = new ReleaseBatcher({ releaseTimeoutMs: TIMEOUT_MS });
  for (let number = 0; number < count; number++) batcher.release(session, `1.1.${number}`);
  await until(() => batcher.stats().queued === 0); // All is sent, and little of it is answered.
  return batcher;
}

it.each([TIMEOUT_MS + 1, TIMEOUT_MS * 5])(
  'blocked for %i ms, no release times out that was answered',
  async (ms) => {
    const batcher = await releaseBlocked(40);
    block(ms);
    await until(() => batcher.stats().inFlight === 0);
    expect(batcher.stats()).toMatchObject({ released: 40, timedOut: 0 });
    expectAtRest(batcher.stats());
  },
);

it('nor where the client hands on one message a turn', async () => {
  const immediate = deliver;
  const queue: number[] = [];
  const next = (): void => {
    const id = queue.shift();
    if (id === undefined) return;
    immediate(id);
    if (queue.length > 0) setImmediate(next);
  };
  deliver = (id) => {
    if (queue.push(id) === 1) setImmediate(next);
  };
  const batcher = await releaseBlocked(40);
  block(TIMEOUT_MS * 5);
  await until(() => batcher.stats().inFlight === 0);
  deliver = immediate;
  expect(batcher.stats()).toMatchObject({ released: 40, timedOut: 0 });
});

it('a flush is complete whose answers came while the loop was blocked', async () => {
  const batcher = await releaseBlocked(40);
  const flushed = batcher.flush({ timeoutMs: TIMEOUT_MS });
  await turns(2);
  block(TIMEOUT_MS * 3);
  expect(await flushed).toMatchObject({ complete: true, pending: 0, released: 40 });
});

it('what is not answered at all times out, however long the loop was blocked', async () => {
  const batcher = new ReleaseBatcher({ releaseTimeoutMs: TIMEOUT_MS });
  batcher.release({ send: () => new Promise(() => {}) }, '1.1.1');
  await until(() => batcher.stats().inFlight === 1);
  block(TIMEOUT_MS * 10);
  await until(() => batcher.stats().timedOut === 1);
  expectAtRest(batcher.stats());
});
