// Where the client's own `send` throws, as for parameters that cannot be serialised, the caller gets the error, and the command
// counts as not sent: what it named is free again, a group that it would have released is still there.
import { expect, test } from 'vitest';
import { AttachedPeer } from './attached-peer.ts';

/** Cannot be serialised. */
const UNSENT = { of: 1n };

test('by value, on an object that is collected afterwards', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  const { objectId } = handle;
  const call = { objectId, functionDeclaration: 'function() {}', returnByValue: true, ...UNSENT };
  expect(() => session.send('Runtime.callFunctionOn', call)).toThrow(TypeError);
  world.collector.collect(handle);
  await world.rest();
  expect(session.alive(), 'nothing waits for an answer').toEqual([]);
});

test('a release of a group: its handles go on', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate('({})', { objectGroup: 'console' });
  const release = { objectGroup: 'console', ...UNSENT };
  expect(() => session.send('Runtime.releaseObjectGroup', release)).toThrow(TypeError);
  expect(world.stats.live).toBe(1);
  await session.send('Runtime.releaseObjectGroup', { objectGroup: 'console' });
  await world.rest();
  expect(world.stats.live).toBe(0);
  expect(session.alive()).not.toContain(handle.objectId);
});
