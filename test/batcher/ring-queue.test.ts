import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RingQueue } from '../../src/batcher/ring-queue.ts';
import { collectUntil } from '../support/collect-until.ts';
import { keptRegistry } from '../support/kept-registry.ts';

function drain<T extends string | object>(queue: RingQueue<T>): T[] {
  const items: T[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
}

test('an empty queue gives undefined, and takes items afterwards as if nothing had happened', () => {
  const queue = new RingQueue<string>();
  expect(queue.shift()).toBeUndefined();
  expect(queue.size).toBe(0);
  queue.push('a');
  expect(queue.shift()).toBe('a');
  expect(queue.shift()).toBeUndefined();
  expect(queue.size).toBe(0);
});

test.each([1, 15, 16, 17, 31, 2_047, 2_048, 2_049, 100_000])(
  'what goes in comes out in the same order, over as many segments as it takes: %i items',
  (count) => {
    const queue = new RingQueue<string>();
    const items = Array.from({ length: count }, (_, index) => `item ${index}`);
    for (const item of items) queue.push(item);
    expect(queue.size).toBe(count);
    expect(drain(queue)).toEqual(items);
    expect(queue.size).toBe(0);
  },
);

test('it behaves as an array does that is pushed to and shifted from', () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ push: fc.integer({ min: 1, max: 3_000 }) }) },
    { weight: 3, arbitrary: fc.record({ pushAll: fc.integer({ min: 1, max: 3_000 }) }) },
    { weight: 5, arbitrary: fc.record({ shift: fc.integer({ min: 1, max: 3_000 }) }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const queue = new RingQueue<string>();
      let model: string[] = [];
      let pushed = 0;
      for (const taken of steps) {
        if ('push' in taken) {
          for (let count = 0; count < taken.push; count++) {
            queue.push(String(pushed));
            model.push(String(pushed++));
          }
        } else if ('pushAll' in taken) {
          const items = Array.from({ length: taken.pushAll }, () => String(pushed++));
          model.push(...items);
          const list: (string | undefined)[] = [...items, 'behind them'];
          queue.pushAll(list, taken.pushAll);
          expect(list).toEqual([...items.map(() => undefined), 'behind them']);
        } else {
          const expected = model.slice(0, taken.shift);
          model = model.slice(taken.shift);
          for (const item of expected) expect(queue.shift()).toBe(item);
          if (model.length === 0) expect(queue.shift()).toBeUndefined();
        }
        expect(queue.size).toBe(model.length);
      }
    }),
    { numRuns: 30 },
  );
});

test('an item that was taken is kept alive by the queue no longer, though others are still waiting', async () => {
  const queue = new RingQueue<object>();
  const collected = new Set<number>();
  const registry = keptRegistry((index: number) => collected.add(index));
  (() => {
    for (let index = 0; index < 40; index++) {
      const item = { index };
      registry.register(item, index);
      queue.push(item);
    }
    for (let index = 0; index < 20; index++) queue.shift();
  })();
  await collectUntil(() => collected.size >= 20);
  expect([...collected].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(queue.size).toBe(20);
});

test.each([
  ['a queue that is nearly empty', 0],
  ['a queue of one full segment', 2_040],
  ['a long queue', 10_000],
])('once warm, items pass through %s without allocating', (_, backlog) => {
  const queue = new RingQueue<string>();
  for (let index = 0; index < backlog; index++) queue.push('waiting');
  const pass = (count: number): void => {
    for (let index = 0; index < count; index++) {
      queue.push('passing');
      queue.shift();
    }
  };
  pass(1_000_000);
  const growths = Array.from({ length: 9 }, () => {
    const before = process.memoryUsage().heapUsed;
    pass(100_000);
    return process.memoryUsage().heapUsed - before;
  });
  // The median, as the collector may come in between. A new segment for every 2,048 items would be 800,000.
  expect(growths.sort((a, b) => a - b)[4]).toBeLessThan(100_000);
  expect(queue.size).toBe(backlog);
});
