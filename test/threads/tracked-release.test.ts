// What a worker looks after is released once, ahead of the collection or by it, or never if it was disarmed.
import { expect, test } from 'vitest';
import { TrackedRelease } from '../../src/threads/track-in-worker.ts';
import type { WorkerReleasePort } from '../../src/threads/worker-release-port.ts';

function tracked(isOpen: boolean): { readonly release: TrackedRelease; readonly released: unknown[] } {
  const released: unknown[] = [];
  const port = {
    releaseSurely(sessionKey: number, objectId: string): boolean {
      if (isOpen) released.push([sessionKey, objectId]);
      return isOpen;
    },
  } as WorkerReleasePort;
  return { release: new TrackedRelease(port, 7, '1.2.3'), released };
}

test('it is released once', () => {
  const { release, released } = tracked(true);
  expect([release.release(), release.release()]).toEqual([true, false]);
  expect(released).toEqual([[7, '1.2.3']]);
});

test('disarmed, it is not released', () => {
  const { release, released } = tracked(true);
  release.disarm();
  expect(release.release()).toBe(false);
  expect(released).toEqual([]);
});

test('of a port that is closed it is not, either', () => {
  expect(tracked(false).release.release()).toBe(false);
});
