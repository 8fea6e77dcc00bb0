// Where handles are traced but not tracked, the report is told from the protocol alone: what was minted, and what has ended
// with its context.
import { expect, test } from 'vitest';
import { AttachedPeer } from './attached-peer.ts';

test.each([
  ['Runtime.executionContextDestroyed', { executionContextId: 2 }, 2],
  ['Runtime.executionContextDestroyed', undefined, 3],
  ['Runtime.executionContextsCleared', {}, 0],
  ['Inspector.targetCrashed', {}, 0],
  ['Page.frameNavigated', { executionContextId: 2 }, 3],
])('%s with %j leaves so many of three contexts: %d', async (event, params, left) => {
  await using world = new AttachedPeer({ traceLeaks: true });
  const { tap } = world.open({ tracks: false, isTracedByCall: true });
  for (const contextId of [1, 2, 3]) {
    const result = { type: 'object', objectId: `1.${contextId}.1` };
    await tap.command('Runtime.evaluate', { contextId }, () => Promise.resolve({ result }));
  }
  tap.event(event, params);
  expect(world.attachment.leakReport?.all().reduce((sum, { live }) => sum + live, 0)).toBe(left);
});
