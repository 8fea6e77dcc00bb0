// What a generation waits for until it closes: a handful of handles may be a third of a gigabyte in the page.
import { expect, test } from 'vitest';
import { isFull } from '../../src/handles/generations.ts';
import { type HandleRecord, type Ledger, ObjectGroup } from '../../src/handles/handle-record.ts';

const OPENED_AT = 1_000;

/** Of that many members of that many bytes each in the page. */
function generation(members: number, pageBytesPerHandle: number): ObjectGroup {
  const ledger = { pageBytesPerHandle } as Ledger;
  const group = new ObjectGroup(ledger, 'release-batcher:1', 'own', OPENED_AT);
  group.members = Array.from({ length: members }, () => ({}) as HandleRecord);
  return group;
}

test.each([
  ['of nobody knows how many bytes', 0, 47],
  ['of 20 KB', 20e3, 47],
  ['of 200 KB', 200e3, 47],
  ['of 1 MB', 1e6, 31],
  ['of 5 MB', 5e6, 6],
  ['of 50 MB', 50e6, 0],
])(
  'once its window has passed, a generation waits for no more handles %s than 32 MB of them',
  (_, bytes, most) => {
    expect(isFull(generation(most, bytes), OPENED_AT + 50)).toBe(false);
    expect(isFull(generation(most + 1, bytes), OPENED_AT + 50)).toBe(true);
    expect(isFull(generation(most + 1, bytes), OPENED_AT + 49)).toBe(false);
  },
);
