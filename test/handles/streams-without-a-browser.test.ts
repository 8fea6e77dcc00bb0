// A stream that an event brings is tracked by what stands in its place in the message. In a message that cannot be changed, or
// that comes after detach, it stays as it is.
import { expect, test } from 'vitest';
import { AttachedPeer } from './attached-peer.ts';

const COMPLETE = 'Tracing.tracingComplete';

test('one in a frozen message stays a string, and is not tracked', async () => {
  await using world = new AttachedPeer();
  const session = world.open({ readsStreams: true });
  const params = Object.freeze({ stream: '1' });
  session.tap.event(COMPLETE, params);
  expect(params.stream).toBe('1');
  expect(world.stats.minted).toBe(0);
});

test('one that comes after detach stays a string', async () => {
  await using world = new AttachedPeer();
  const session = world.open({ readsStreams: true });
  const before = { stream: '1' };
  session.tap.event(COMPLETE, before);
  expect(world.stats.minted).toBe(1);
  world.attachment.detach();
  const after = { stream: '2' };
  session.tap.event(COMPLETE, after);
  expect(after.stream).toBe('2');
  expect(world.stats.minted).toBe(1);
});
