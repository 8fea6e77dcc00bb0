import { describe, expect, test } from 'vitest';
import {
  connectReleasePort,
  openReleasePort,
  type ReleasePortOptions,
  type WorkerReleasePort,
} from '../../src/threads/index.ts';
import { until } from '../support/turns.ts';

const LONG_ID = '7'.repeat(53);

test('what is released at one end reaches the batcher at the other, in order', async () => {
  using ends = openEnds();
  const ids = Array.from({ length: 1000 }, (_, index) => `-123456789.1.${index}`);
  for (const id of ids) expect(ends.worker.release(ends.key, id)).toBe(true);
  await until(() => ends.batcher.released.length === 1000);
  expect(ends.batcher.released).toEqual(ids.map((id) => [ends.session, id]));
});

test('a sleeping port wakes for every release that comes after a pause', async () => {
  using ends = openEnds();
  for (let count = 1; count <= 20; count++) {
    ends.worker.release(ends.key, String(count));
    await until(() => ends.batcher.released.length === count);
  }
});

test('ids of every length and alphabet arrive as they were', async () => {
  using ends = openEnds();
  const ids = [
    ...Array.from({ length: 80 }, (_, length) => '0123456789'.repeat(8).slice(0, length + 1)),
    '{"injectedScriptId":1,"id":2}',
    'ÿþ\u0000\u00ff',
    'žluťoučký',
    '\ud83d\ude00',
    'lone \ud800 surrogate',
    'x'.repeat(10_000),
  ];
  for (const id of ids) expect(ends.worker.release(ends.key, id)).toBe(true);
  await until(() => ends.batcher.released.length === ids.length);
  expect(new Set(ends.batcher.released.map(([, id]) => id))).toEqual(new Set(ids));
});

test('sessions keep their numbers, and each release finds its own', () => {
  using ends = openEnds();
  const other = { name: 'other' };
  const otherKey = ends.port.keyOf(other);
  expect(otherKey).not.toBe(ends.key);
  expect(ends.port.keyOf(other)).toBe(otherKey);
  ends.worker.release(otherKey, '1');
  ends.worker.release(ends.key, '2');
  ends.port.drain();
  expect(ends.batcher.released).toEqual([
    [other, '1'],
    [ends.session, '2'],
  ]);
});

test('a long backlog is handed over in turns, between which others have theirs', async () => {
  const turns = new Set<number>();
  let turn = 0;
  let received = 0;
  const counting = setInterval(() => turn++, 1);
  using port = openReleasePort(
    {
      release() {
        const end = performance.now() + 0.05;
        while (performance.now() < end);
        turns.add(turn);
        return ++received > 0;
      },
    },
    { turnBudgetMs: 5 },
  );
  const worker = connectReleasePort(port.handle);
  for (let index = 0; index < 2000; index++) worker.release(port.keyOf(port), `${index}`);
  await until(() => received === 2000);
  clearInterval(counting);
  // 100 ms of work, at 5 ms and a stride of pops a turn.
  expect(turns.size).toBeGreaterThan(5);
});

test('a session that was forgotten gets nothing; the books say so', () => {
  using ends = openEnds();
  ends.worker.release(ends.key, '1');
  ends.port.forget(ends.session);
  expect(ends.port.drain()).toBe(1);
  expect(ends.batcher.released).toEqual([]);
  expect(ends.port.stats()).toMatchObject({ received: 1, rejected: 1 });
});

test('what the batcher does not take is counted', () => {
  using ends = openEnds();
  ends.batcher.isOpen = false;
  ends.worker.release(ends.key, '1');
  ends.port.drain();
  expect(ends.port.stats()).toMatchObject({ received: 1, rejected: 1 });
});

describe('a full ring', () => {
  test('refuses, and counts it', () => {
    using ends = openEnds({ capacity: 4, whenFull: 'refuse' });
    const answers = Array.from({ length: 6 }, (_, index) => ends.worker.release(ends.key, `${index}`));
    expect(answers).toEqual([true, true, true, true, false, false]);
    expect(ends.port.stats()).toMatchObject({ refused: 2, spilled: 0, waiting: 4 });
    expect(ends.port.drain()).toBe(4);
    expect(ends.worker.release(ends.key, 'again')).toBe(true);
  });

  test('spills, and loses nothing', async () => {
    using ends = openEnds({ capacity: 4 });
    for (let index = 0; index < 1000; index++) expect(ends.worker.release(ends.key, `${index}`)).toBe(true);
    expect(ends.port.stats()).toMatchObject({ refused: 0, spilled: 996, inTransit: 996 });
    await until(() => new Set(ends.batcher.released.map(([, id]) => id)).size === 1000);
    expect(ends.port.stats()).toMatchObject({ received: 1000, inTransit: 0, waiting: 0 });
  });

  test('does not stop an id that goes by message anyway', () => {
    using ends = openEnds({ capacity: 1, whenFull: 'refuse' });
    expect(ends.worker.release(ends.key, '1')).toBe(true);
    expect(ends.worker.release(ends.key, LONG_ID)).toBe(true);
  });
});

describe('a closed port', () => {
  test('hands over what it was promised first, also what is still on its way as a message', async () => {
    using ends = openEnds();
    ends.worker.release(ends.key, '1');
    ends.worker.release(ends.key, LONG_ID);
    await Promise.resolve();
    ends.port.close();
    expect(ends.batcher.released.map(([, id]) => id).sort()).toEqual(['1', LONG_ID]);
  });

  test('answers false from then on, and never throws', () => {
    using ends = openEnds();
    ends.port.close();
    ends.port.close();
    expect(ends.worker.closed).toBe(true);
    expect(ends.worker.release(ends.key, '1')).toBe(false);
    expect(ends.worker.release(ends.key, LONG_ID)).toBe(false);
    expect(ends.port.drain()).toBe(0);
    expect(ends.port.keyOf(ends.session)).toBe(ends.key);
  });
});

describe('wrong calls', () => {
  test.each([
    ['no id', 1, undefined],
    ['an empty id', 1, ''],
    ['a number for an id', 1, 5],
    ['no key', undefined, '1'],
    ['a session for a key', {}, '1'],
    ['a bigint for a key', 1n, '1'],
    ['a symbol for a key', Symbol('key'), '1'],
    ['a fraction for a key', 1.5, '1'],
    ['a key that was never given', 2 ** 31, '1'],
  ])('release answers false to %s', (_, key, id) => {
    using ends = openEnds();
    expect(ends.worker.release(key as number, id as string)).toBe(false);
    expect(ends.port.stats()).toMatchObject({ waiting: 0, spilled: 0 });
  });

  test.each<[ReleasePortOptions, RegExp]>([
    [{ capacity: 3 }, /capacity must be a power of two.*3/],
    [{ capacity: 0 }, /capacity.*0/],
    [{ capacity: '8' as unknown as number }, /capacity/],
    [{ capacity: -1 }, /capacity.*-1/],
    [{ capacity: 2 ** 25 }, /capacity.*33554432/],
    [{ whenFull: 'wait' as 'spill' }, /whenFull must be one of 'refuse', 'spill', got 'wait'/],
    [{ stallTimeoutMs: 0 }, /stallTimeoutMs.*0/],
    [{ turnBudgetMs: Number.NaN }, /turnBudgetMs.*NaN/],
  ])('%o is refused by name and value', (options, message) => {
    expect(() => openReleasePort({ release: () => true }, options)).toThrow(message);
  });

  test.each([undefined, {}, { ring: new SharedArrayBuffer(8) }, { ring: new ArrayBuffer(2000) }])(
    'connecting to %o throws',
    (handle) => {
      expect(() => connectReleasePort(handle as never)).toThrow(TypeError);
    },
  );
});

/** A port and a worker's end of it, both in this thread: to the ring that makes no difference. */
function openEnds(options?: ReleasePortOptions) {
  const session = { name: 'session' };
  const batcher = new RecordingBatcher();
  const port = openReleasePort<{ name: string }>(batcher, options);
  const worker: WorkerReleasePort = connectReleasePort(port.handle);
  return { session, batcher, port, worker, key: port.keyOf(session), [Symbol.dispose]: () => port.close() };
}

class RecordingBatcher {
  isOpen = true;
  readonly released: [session: { name: string }, objectId: string][] = [];

  release(session: { name: string }, objectId: string): boolean {
    if (this.isOpen) this.released.push([session, objectId]);
    return this.isOpen;
  }
}
