/** The port with real threads at its other end. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openReleasePort, type ReleasePortOptions } from '../../src/threads/index.ts';

const session = { name: 'session' };

test('what workers release reaches the batcher, each id once', async () => {
  const { port, released, key } = openPort();
  const count = 20_000;
  const workers = ['a', 'b'].map((name) =>
    start('releasing', { handle: port.handle, sessionKey: key, name, count }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  port.drain();
  for (const name of ['a', 'b']) {
    const numbers = released.filter((id) => id.startsWith(name)).map((id) => Number(id.slice(2)));
    expect(new Set(numbers).size).toBe(count);
    expect(numbers).toHaveLength(count);
  }
  const { spilled, ...stats } = port.stats();
  expect(stats).toEqual({
    received: 2 * count,
    rejected: 0,
    inTransit: 0,
    refused: 0,
    steppedOver: 0,
    waiting: 0,
  });
});

test('a full ring that refuses keeps its word: what it took arrives, in order', async () => {
  const { port, released, key } = openPort({ capacity: 16, whenFull: 'refuse' });
  const worker = start('releasing', { handle: port.handle, sessionKey: key, name: 'a', count: 50_000 });
  const [{ accepted }] = await once(worker, 'message');
  port.drain();
  expect(released).toHaveLength(accepted);
  expect(port.stats().refused).toBe(50_000 - accepted);
  const numbers = released.map((id) => Number(id.slice(2)));
  expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
});

test('a worker terminated in the middle of a push costs its own release, and nobody waits for it for long', async () => {
  const { port, released, key } = openPort({ stallTimeoutMs: 20 });
  const dying = start('dying', { handle: port.handle, sessionKey: key });
  await once(dying, 'message');
  await dying.terminate();
  const living = start('releasing', { handle: port.handle, sessionKey: key, name: 'living', count: 100 });
  await once(living, 'message');
  await vi.waitFor(() => expect(released).toHaveLength(100), { timeout: 60_000 });
  expect(port.stats()).toMatchObject({ received: 100, steppedOver: 1, waiting: 0 });
});

test('closing does not wait for a worker in the middle of a push', async () => {
  const { port, released, key } = openPort();
  const stuck = start('dying', { handle: port.handle, sessionKey: key });
  await once(stuck, 'message');
  const living = start('releasing', { handle: port.handle, sessionKey: key, name: 'living', count: 10 });
  await once(living, 'message');
  port.close();
  expect(released).toHaveLength(10);
  expect(port.stats()).toMatchObject({ steppedOver: 1, waiting: 0 });
});

test('what a worker tracks is released when it has been collected there', async () => {
  const { port, released, key } = openPort();
  start('tracking', { handle: port.handle, sessionKey: key, count: 5000 });
  await vi.waitFor(() => expect(new Set(released).size).toBe(5000), { timeout: 60_000 });
  expect(released).toHaveLength(5000);
});

test('finalizers that find the ring full lose nothing, whatever it does when it is full', async () => {
  const { port, released, key } = openPort({ capacity: 8, whenFull: 'refuse' });
  start('tracking', { handle: port.handle, sessionKey: key, count: 5000 });
  await vi.waitFor(() => expect(new Set(released).size).toBe(5000), { timeout: 60_000 });
  expect(port.stats()).toMatchObject({ refused: 0, inTransit: 0 });
});

function openPort(options?: ReleasePortOptions) {
  const released: string[] = [];
  const port = openReleasePort<object>({ release: (_, objectId) => released.push(objectId) > 0 }, options);
  onTestFinished(() => port.close());
  return { port, released, key: port.keyOf(session) };
}

function start(name: string, workerData: object): Worker {
  const worker = new Worker(new URL(`workers/${name}.mjs`, import.meta.url), { workerData });
  onTestFinished(() => void worker.terminate());
  return worker;
}
