// Several browsers make one account of a thread, and several threads one of the process: nothing is counted twice, and
// nothing is lost.
import { expect, test } from 'vitest';
import type { Sample, Snapshot } from '../../src/cli/doctor/messages.ts';
import { mergeLeaks, sumOfCosts, sumOfStats, Threads } from '../../src/cli/doctor/sums.ts';
import type { AttachmentStats } from '../../src/handles/handle-table.ts';
import type { Leak } from '../../src/observe/leak-report.ts';

function statsOf(figures: Partial<AttachmentStats>): AttachmentStats {
  return { commands: 0, released: 0, ...figures } as AttachmentStats;
}

const LEAK: Leak = {
  line: 'a.mjs:1:1',
  kind: 'object',
  source: 'script',
  minted: 15,
  disposed: 1,
  collected: 2,
  elided: 4,
  live: 8,
};

function snapshotOf(thread: number, figures: Partial<Snapshot>): Snapshot {
  return {
    kind: 'snapshot',
    thread,
    occasion: 'end',
    elapsedMs: 1,
    node: 'v20',
    browsers: 1,
    attached: 0,
    stats: statsOf({}),
    leaks: [],
    cost: { stacks: 0, elapsedMs: 0 },
    ...figures,
  };
}

test('counts of several browsers add up; what is told of one handle does not', () => {
  const sum = sumOfStats([
    statsOf({
      commands: 2,
      released: 4,
      commandsPerFreedHandle: 0.5,
      bytesPerHandle: 60,
      pageBytesPerHandle: 200,
    }),
    statsOf({
      commands: 1,
      released: 96,
      commandsPerFreedHandle: 1 / 96,
      bytesPerHandle: 6,
      pageBytesPerHandle: 20,
    }),
  ]);
  expect(sum).toMatchObject({ commands: 3, released: 100, bytesPerHandle: 60, pageBytesPerHandle: 200 });
  expect(sum.commandsPerFreedHandle).toBe(3 / 100);
});

test('where nothing was attached there is nothing to tell', () => {
  expect(sumOfStats([]).commandsPerFreedHandle).toBe(0);
  expect(sumOfCosts([])).toEqual({ stacks: 0, elapsedMs: 0 });
});

test('costs add up', () => {
  const costs = [
    { stacks: 1, elapsedMs: 2 },
    { stacks: 10, elapsedMs: 20 },
  ];
  expect(sumOfCosts(costs)).toEqual({ stacks: 11, elapsedMs: 22 });
});

test('one line of several browsers is one line, as old as its oldest handle', () => {
  const other = { ...LEAK, minted: 150, disposed: 10, collected: 20, elided: 40, live: 80 };
  expect(mergeLeaks([LEAK, other])).toEqual([
    { ...LEAK, minted: 165, disposed: 11, collected: 22, elided: 44, live: 88 },
  ]);
  const ages = [{ ...LEAK, oldestMs: 5 }, { ...LEAK, oldestMs: 7 }, LEAK, { ...LEAK, oldestMs: 6 }];
  expect(mergeLeaks(ages)).toMatchObject([{ oldestMs: 7 }]);
  expect(mergeLeaks(ages.toReversed())).toMatchObject([{ oldestMs: 7 }]);
});

test('lines, kinds and sources are kept apart', () => {
  const leaks: Leak[] = [
    LEAK,
    { ...LEAK, line: 'a.mjs:1:2' },
    { ...LEAK, kind: 'array' },
    { ...LEAK, source: 'client' },
  ];
  expect(mergeLeaks(leaks)).toEqual(leaks);
});

test("of each thread the last word counts, and the occasion is the main one's", () => {
  const threads = new Threads();
  const figures = { browsers: 1, leaks: [LEAK], cost: { stacks: 1, elapsedMs: 1 } };
  threads.addSnapshot(snapshotOf(1, { ...figures, occasion: 'checkpoint', elapsedMs: 900 }));
  threads.addSnapshot(snapshotOf(0, { ...figures, occasion: 'interval', elapsedMs: 500, node: 'v22' }));
  threads.addSnapshot(snapshotOf(1, { ...figures, occasion: 'end', elapsedMs: 700 }));
  expect(threads.snapshot()).toMatchObject({
    occasion: 'interval',
    node: 'v22',
    elapsedMs: 700,
    browsers: 2,
    leaks: [{ minted: 2 * LEAK.minted, live: 2 * LEAK.live }],
    cost: { stacks: 2, elapsedMs: 2 },
  });
});

test('until the main thread has told anything, the occasion is that of whoever did', () => {
  const threads = new Threads();
  expect(threads.snapshot()).toBeUndefined();
  threads.addSnapshot(snapshotOf(3, { occasion: 'checkpoint' }));
  expect(threads.snapshot()?.occasion).toBe('checkpoint');
});

test('what has changed since a thread told all stands in its place, and a line that is none any more goes', () => {
  const threads = new Threads();
  const others = [
    { ...LEAK, line: 'b.mjs:1:1' },
    { ...LEAK, line: 'c.mjs:1:1' },
  ];
  threads.addSnapshot(snapshotOf(1, { leaks: [LEAK, ...others] }));
  const changed = [
    { ...LEAK, minted: 16, live: 9 },
    { ...LEAK, line: 'c.mjs:1:1', minted: 0 },
    { ...LEAK, line: 'd.mjs:1:1' },
  ];
  threads.addChanges({ kind: 'changes', thread: 1, elapsedMs: 900, leaks: changed });
  threads.addChanges({ kind: 'changes', thread: 2, elapsedMs: 900, leaks: changed }); // Never heard of.
  expect(threads.snapshot()).toMatchObject({ occasion: 'checkpoint', elapsedMs: 900 });
  const lines = threads.snapshot()?.leaks.map(({ line, minted }) => [line, minted]);
  expect(lines).toEqual([
    ['a.mjs:1:1', 16],
    ['b.mjs:1:1', 15],
    ['d.mjs:1:1', 15],
  ]);
});

test('at each look all threads have as many handles, and as much heap, as each when last looked at', () => {
  const threads = new Threads();
  const sample = (thread: number, elapsedMs: number, figure: number): Sample =>
    threads.addSample({ kind: 'sample', thread, elapsedMs, live: figure, heapBytes: 10 * figure });
  sample(0, 100, 1);
  sample(1, 150, 2);
  expect(sample(0, 200, 4)).toMatchObject({ elapsedMs: 200, live: 6, heapBytes: 60 });
});
