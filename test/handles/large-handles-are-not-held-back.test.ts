// What a generation waits for until it closes, and its dead for the rest to die: a handful of handles may be a third of a gigabyte in the page.
import { expect, test } from 'vitest';
import { isFull, mostWaiting } from '../../src/handles/groups.ts';
import type { Group } from '../../src/handles/session-ledger.ts';
import { OpenLedger } from './open-ledger.ts';

const OPENED_AT = 1_000;

/** Of that many members of that many bytes each in the page. */
function generation(members: number, pageBytesPerHandle: number): Group {
  return new OpenLedger(pageBytesPerHandle, OPENED_AT).group(members);
}

test.each([
  ['of nobody knows how many bytes', 0, 47],
  ['of 20 KB', 20e3, 49],
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

test.each([
  ['nobody knows how many', 0, 512],
  ['200', 200, 16_384],
  ['20 K', 20e3, 5_000],
  ['200 K', 200e3, 500],
  ['5 M', 5e6, 20],
  ['50 M', 50e6, 8],
])('of handles of %s bytes no more dead wait than 100 MB of them, and some thousands', (_, bytes, most) => {
  expect(mostWaiting(bytes)).toBe(most);
});
