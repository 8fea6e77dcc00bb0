import { expect, test } from 'vitest';
import { sumOfStats } from '../../src/cli/doctor/sums.ts';
import type { AttachmentStats } from '../../src/handles/ledger/ledger-stats.ts';

function statsOf(figures: Partial<AttachmentStats>): AttachmentStats {
  return { commands: 0, released: 0, ...figures } as AttachmentStats;
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
});
