// A look gives up on a target that does not answer, says so, and ends the session that comes too late.
import { expect, test } from 'vitest';
import { type AttachedSession, lookIntoBrowser } from '../../src/observe/browser-look.ts';
import { deferred } from '../support/deferred.ts';

const LIMITS = { maxHeapBytes: 1e9, timeoutMs: 20, isWanted: () => true };
const target = { type: 'page', url: 'http://one/', targetId: 'one' };
const send = async (): Promise<unknown> => ({ targetInfos: [target] });

test('a session that comes after the look is ended', async () => {
  const attaching = deferred<AttachedSession>();
  const look = await lookIntoBrowser({ send, attach: () => attaching.promise }, LIMITS);
  expect(look).toEqual({
    targets: [],
    unseen: [{ ...target, why: 'it gave no sign of life for 0.02 s' }],
  });
  const ended = deferred<void>();
  const detach = async (): Promise<void> => ended.resolve();
  attaching.resolve({ send, on() {}, off() {}, detach });
  await ended.promise;
});

test('one that never comes is no unhandled rejection', async () => {
  const attaching = deferred<AttachedSession>();
  const look = await lookIntoBrowser({ send, attach: () => attaching.promise }, LIMITS);
  expect(look.unseen).toHaveLength(1);
  attaching.reject(new Error('it was closed'));
});
