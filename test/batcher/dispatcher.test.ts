import { expect, test } from 'vitest';
import { Dispatcher } from '../../src/batcher/dispatcher.ts';
import { resolveBatcherOptions } from '../../src/batcher/options.ts';
import { PlainRelease } from '../../src/batcher/release.ts';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { emptyStats } from '../../src/batcher/stats.ts';
import { collectUntil } from '../support/collect-until.ts';
import { expectAtRest, expectConserved } from '../support/conservation.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { turns, until } from '../support/turns.ts';
import { releaseMany, ScriptedSession } from './scripted-session.ts';

test('nothing is sent in the call of release, and everything soon after, each id once and in order', async () => {
  const batcher = new ReleaseBatcher();
  const session = new ScriptedSession();
  releaseMany(batcher, session, 200);
  expect(session.sent).toHaveLength(0);
  expect(batcher.stats()).toMatchObject({ minted: 200, queued: 200, commands: 0 });
  await batcher.flush();
  expect(session.ids).toEqual(Array.from({ length: 200 }, (_, index) => `1.1.${index + 1}`));
  expect(session.sent.every(({ method }) => method === 'Runtime.releaseObject')).toBe(true);
  expect(batcher.stats()).toMatchObject({ released: 200, commands: 200 });
  expectAtRest(batcher.stats());
});

test.each([1, 64, 1_024, 8_192])(
  'a burst of %i is released whole, and nothing stays behind',
  async (burst) => {
    const batcher = new ReleaseBatcher();
    const session = new ScriptedSession();
    releaseMany(batcher, session, burst);
    const report = await batcher.flush();
    expect(new Set(session.ids).size).toBe(burst);
    expect(report).toMatchObject({ complete: true, pending: 0, released: burst, failed: 0, timedOut: 0 });
    expectAtRest(batcher.stats());
  },
);

test('a batch is of maxBatchSize commands at most', async () => {
  const batcher = new ReleaseBatcher({ maxInFlightBatches: 1 });
  const session = new ScriptedSession('when told');
  releaseMany(batcher, session, 100);
  await turns();
  expect(session.sent).toHaveLength(64);
  session.answerAll();
  await batcher.flush();
  expect(session.sent).toHaveLength(100);
  expectAtRest(batcher.stats());
});

test('several batches are in flight at a time: an unanswered one does not hold up the next', async () => {
  // A dispatcher that awaited its batch would be stopped by one hung release, for everybody.
  const batcher = new ReleaseBatcher({ maxBatchSize: 4, maxInFlightBatches: 3 });
  const session = new ScriptedSession('when told');
  releaseMany(batcher, session, 12);
  await turns();
  expect(session.sent).toHaveLength(12);
  expect(batcher.stats()).toMatchObject({ inFlight: 12, released: 0 });
  session.answerAll();
  await batcher.flush();
  expectAtRest(batcher.stats());
});

test('a session has no more than maxInFlightBatches unanswered, and goes on as each ends', async () => {
  const batcher = new ReleaseBatcher({ maxBatchSize: 4, maxInFlightBatches: 2 });
  const session = new ScriptedSession('when told');
  releaseMany(batcher, session, 20);
  await turns();
  expect(session.sent).toHaveLength(8);
  for (const { answer } of session.sent.slice(0, 3)) answer();
  await turns();
  expect(session.sent, 'a batch with one unanswered release still has its slot').toHaveLength(8);
  session.sent[3]?.answer();
  await until(() => session.sent.length === 12);
  await turns();
  expect(session.sent).toHaveLength(12);
  session.answerAll();
  await batcher.flush();
  expect(session.sent).toHaveLength(20);
  expectAtRest(batcher.stats());
});

test('a session that never answers stops only itself', async () => {
  const batcher = new ReleaseBatcher({ maxBatchSize: 4, maxInFlightBatches: 2 });
  const hung = new ScriptedSession('when told');
  const healthy = new ScriptedSession();
  releaseMany(batcher, hung, 1_000);
  releaseMany(batcher, healthy, 1_000);
  await until(() => healthy.sent.length === 1_000);
  expect(hung.sent).toHaveLength(8);
  expect(batcher.stats()).toMatchObject({ released: 1_000, inFlight: 8, queued: 992 });
  hung.answerAll();
  await batcher.flush();
  expectAtRest(batcher.stats());
});

test('sessions are served in turn: none waits for another that has more', async () => {
  const batcher = new ReleaseBatcher({ maxBatchSize: 10, maxInFlightBatches: 1_000 });
  const order: string[] = [];
  const recording = (name: string) => ({
    send: async () => void order.push(name),
  });
  const sessions = [recording('a'), recording('b'), recording('c')];
  for (const [index, session] of sessions.entries()) releaseMany(batcher, session, 1_000 - index * 485);
  await batcher.flush();
  const turnsTaken = order.filter((name, index) => index % 10 === 0 || order[index - 1] !== name);
  expect(turnsTaken.slice(0, 9)).toEqual(['a', 'b', 'c', 'a', 'b', 'c', 'a', 'b', 'c']);
  expect(order.slice(0, 90).filter((name) => name === 'c')).toHaveLength(30);
  expectAtRest(batcher.stats());
});

test('100,000 releases to answer at once leave the event loop its turns', async () => {
  const batcher = new ReleaseBatcher({ maxInFlightBatches: 65_536 });
  const session = { send: () => Promise.resolve({}) };
  releaseMany(batcher, session, 100_000);
  let turnsTaken = 0;
  for (; batcher.stats().queued > 0; turnsTaken++) await turns(1);
  // Without slices it would be one turn, of some 300 ms.
  expect(turnsTaken).toBeGreaterThan(5);
  await batcher.flush();
  expectAtRest(batcher.stats());
});

test('what a batch holds is let go as each of its releases settles, not when the batch ends', async () => {
  const stats = emptyStats();
  const dispatcher = new Dispatcher(resolveBatcherOptions(), stats);
  const session = new ScriptedSession('when told');
  let collected = 0;
  const registry = keptRegistry(() => collected++);
  (() => {
    for (let index = 0; index < 64; index++) {
      const release = new PlainRelease('Runtime.releaseObject', {});
      registry.register(release, undefined);
      dispatcher.enqueue(dispatcher.queue(session), release);
    }
  })();
  await until(() => session.sent.length === 64);
  for (const { answer } of session.sent.slice(1)) answer();
  await collectUntil(() => collected === 63);
  session.answerAll();
  await collectUntil(() => collected === 64);
});

test('a session is kept alive only while something of it waits or is unanswered', async () => {
  const batcher = new ReleaseBatcher();
  let wasCollected = false;
  const registry = keptRegistry(() => {
    wasCollected = true;
  });
  await (async () => {
    const session = new ScriptedSession();
    registry.register(session, undefined);
    releaseMany(batcher, session, 10);
    await batcher.flush();
  })();
  await collectUntil(() => wasCollected);
  expectAtRest(batcher.stats());
});

test('a release made while another is being sent is not lost', async () => {
  const batcher = new ReleaseBatcher();
  const ids: unknown[] = [];
  const session = {
    send: async (_: string, params?: Record<string, unknown>) => {
      ids.push(params?.objectId);
      if (ids.length < 100) batcher.release(session, `child ${ids.length}`);
    },
  };
  batcher.release(session, 'first');
  await until(() => batcher.stats().released === 100);
  expect(ids).toHaveLength(100);
  expectAtRest(batcher.stats());
});

test('a group is released by one command, in its turn, and is in no book but that of commands', async () => {
  const batcher = new ReleaseBatcher();
  const session = new ScriptedSession();
  batcher.release(session, 'a');
  expect(batcher.releaseGroup(session, 'my group')).toBe(true);
  batcher.release(session, 'b');
  await batcher.flush();
  expect(session.sent.map(({ method, params }) => [method, params])).toEqual([
    ['Runtime.releaseObject', { objectId: 'a' }],
    ['Runtime.releaseObjectGroup', { objectGroup: 'my group' }],
    ['Runtime.releaseObject', { objectId: 'b' }],
  ]);
  expect(batcher.stats()).toMatchObject({ minted: 2, released: 2, commands: 3, groupCommands: 1 });
  expectAtRest(batcher.stats());
});

test('past maxQueueSize the newest is dropped and counted, and warned of once', async () => {
  const warnings: Error[] = [];
  const onWarning = (warning: Error): void => void warnings.push(warning);
  process.on('warning', onWarning);
  const batcher = new ReleaseBatcher({ maxQueueSize: 3 });
  const session = new ScriptedSession();
  const other = new ScriptedSession();
  expect(batcher.release(session, 'a')).toBe(true);
  expect(batcher.release(other, 'b')).toBe(true);
  expect(batcher.release(session, 'c')).toBe(true);
  expect(batcher.release(session, 'd')).toBe(false);
  expect(batcher.release(other, 'e')).toBe(false);
  expectConserved(batcher.stats());
  await batcher.flush();
  expect(session.ids).toEqual(['a', 'c']);
  expect(other.ids).toEqual(['b']);
  expect(batcher.release(session, 'f'), 'there is room again').toBe(true);
  await batcher.flush();
  expect(batcher.stats()).toMatchObject({ minted: 6, released: 4, dropped: 2 });
  expectAtRest(batcher.stats());
  await turns();
  process.off('warning', onWarning);
  const ours = warnings.filter((warning) => (warning as { code?: string }).code === 'CDP_RELEASE_QUEUE_FULL');
  expect(ours).toHaveLength(1);
  expect(ours[0]?.message).toMatch(/maxQueueSize/);
});
