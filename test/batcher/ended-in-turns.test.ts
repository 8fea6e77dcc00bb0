// Releases that are not to be sent, because their session is over or the batcher is closed, end some in a turn: however
// many they are, in their order, and each once. What comes after them does not wait for that.
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import { Dispatcher } from '../../src/batcher/dispatcher.ts';
import { resolveBatcherOptions } from '../../src/batcher/options.ts';
import type { Release } from '../../src/batcher/release.ts';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { emptyStats, type ReleaseStats } from '../../src/batcher/stats.ts';
import { BoundedWait } from '../../src/runtime/event-loop.ts';
import { expectAtRest } from '../support/conservation.ts';
import { countLooksAsTime } from '../support/work-clock.ts';
import { releaseMany, ScriptedSession } from './scripted-session.ts';

const MANY = 100_000;
const MOST_AT_ONCE = 256;
/** As many looks at the clock fit into a turn, with the one that the job begins with. */
const MOST_PER_TURN = 3 * MOST_AT_ONCE;
/** Of what is asked as it leaves the queue, and need not be sent any more. */
const MOST_PASSED_OVER_PER_TURN = 3 * 1_024;

afterEach(() => vi.restoreAllMocks());

/** A dispatcher whose window is full, so that all waits which is enqueued. */
function openFull() {
  const stats: ReleaseStats = emptyStats();
  const session = new ScriptedSession('when told');
  const dispatcher = new Dispatcher(resolveBatcherOptions({ maxBatchSize: 1, maxInFlightBatches: 1 }), stats);
  const queue = dispatcher.queue(session);
  const enqueue = (release: Release | string): void => {
    stats.minted++;
    stats.queued++;
    dispatcher.enqueue(queue, release);
  };
  enqueue('first');
  dispatcher.dispatchNow(queue);
  const ended: (readonly [number, string])[] = [];
  const enqueueMany = (from: number, to: number): void => {
    for (let number = from; number < to; number++) {
      enqueue({
        method: 'Runtime.releaseObject',
        params: { objectId: String(number) },
        handles: 1,
        owner: { claim: () => true, settled: (_, outcome) => void ended.push([number, outcome]) },
      });
    }
  };
  return { stats, session, dispatcher, queue, ended, enqueueMany };
}

/** The most that ended in one turn, from now until as many have. */
async function mostPerTurn(ended: readonly unknown[], count: number): Promise<number> {
  let most = 0;
  for (let turns = 0; ended.length < count; turns++) {
    if (turns > count) throw new Error(`only ${ended.length} ended after ${turns} turns`);
    const before = ended.length;
    await turn();
    most = Math.max(most, ended.length - before);
  }
  return most;
}

test('100,000 that wait when their session is over end as gone, some in a turn, in their order', async () => {
  countLooksAsTime();
  const { stats, session, dispatcher, queue, ended, enqueueMany } = openFull();
  enqueueMany(0, MANY);
  dispatcher.cancel(queue, 'gone');
  expect(ended.length).toBeLessThanOrEqual(MOST_AT_ONCE);
  expect(await mostPerTurn(ended, MANY)).toBeLessThanOrEqual(MOST_PER_TURN);
  expect(ended).toEqual(Array.from({ length: MANY }, (_, number) => [number, 'gone']));
  expect(stats).toMatchObject({ minted: MANY + 1, gone: MANY, queued: 0, inFlight: 1, commands: 1 });
  expect(session.sent).toHaveLength(1);
});

test('a few end in the very call', () => {
  const { stats, dispatcher, queue, ended, enqueueMany } = openFull();
  enqueueMany(0, MOST_AT_ONCE);
  dispatcher.cancel(queue, 'dropped');
  expect(ended).toHaveLength(MOST_AT_ONCE);
  expect(stats).toMatchObject({ queued: 0, dropped: MOST_AT_ONCE });
});

test('what comes meanwhile is sent without waiting for them, and a flush waits for them', async () => {
  countLooksAsTime();
  const { stats, session, dispatcher, queue, ended, enqueueMany } = openFull();
  enqueueMany(0, 20_000);
  dispatcher.cancel(queue, 'gone');
  enqueueMany(20_000, 20_010);
  session.answerAll();
  while (session.sent.length < 11 && ended.length < 20_000) await turn();
  expect(ended.length).toBeLessThan(20_000);
  await dispatcher.settled(new BoundedWait());
  expect(session.ids).toEqual(['first', ...Array.from({ length: 10 }, (_, index) => String(20_000 + index))]);
  const gone = ended.filter(([, outcome]) => outcome === 'gone').map(([number]) => number);
  expect(gone).toEqual(Array.from({ length: 20_000 }, (_, number) => number));
  expect(stats).toMatchObject({ minted: 20_011, gone: 20_000, released: 11, queued: 0, inFlight: 0 });
});

test('each ends as what befell it: what was gone before a close is not dropped by it', async () => {
  countLooksAsTime();
  const { stats, dispatcher, queue, ended, enqueueMany } = openFull();
  enqueueMany(0, 10_000);
  dispatcher.cancel(queue, 'gone');
  enqueueMany(10_000, 20_000);
  dispatcher.abort();
  expect(await mostPerTurn(ended, 20_000)).toBeLessThanOrEqual(MOST_PER_TURN);
  expect(stats).toMatchObject({ gone: 10_000, dropped: 10_000, queued: 0, inFlight: 1 });
});

test('a command that must find the heap clean waits for no turn', () => {
  const { session, dispatcher, queue, enqueueMany } = openFull();
  enqueueMany(0, 20_000);
  dispatcher.cancel(queue, 'gone');
  enqueueMany(20_000, 20_100);
  dispatcher.drainNow(queue);
  expect(session.sent).toHaveLength(101);
});

test('bare ids are in the books at once, however many', async () => {
  const aborting = new AbortController();
  const batcher = new ReleaseBatcher({ signal: aborting.signal, maxBatchSize: 8, maxInFlightBatches: 1 });
  const session = new ScriptedSession();
  releaseMany(batcher, session, MANY);
  const flushed = batcher.flush();
  aborting.abort();
  expect(batcher.stats()).toMatchObject({ minted: MANY, dropped: MANY, queued: 0 });
  expect(await flushed).toMatchObject({ complete: true, dropped: MANY });
  expect(session.sent).toEqual([]);
  expectAtRest(batcher.stats());
});

test('of 20,000 that end while they wait, a turn passes over so many only', async () => {
  countLooksAsTime();
  const stats: ReleaseStats = emptyStats();
  const session = new ScriptedSession();
  const dispatcher = new Dispatcher(resolveBatcherOptions(), stats);
  const queue = dispatcher.queue(session);
  let passedOver = 0;
  for (let number = 0; number < 20_000; number++) {
    dispatcher.enqueue(queue, {
      method: 'Runtime.releaseObject',
      params: { objectId: String(number) },
      handles: 1,
      owner: { claim: () => ++passedOver < 0, settled: () => {} },
    });
  }
  stats.minted++;
  stats.queued++;
  dispatcher.enqueue(queue, 'last');
  for (let turns = 0; session.sent.length === 0; turns++) {
    expect(turns).toBeLessThan(20);
    const before = passedOver;
    await turn();
    expect(passedOver - before).toBeLessThanOrEqual(MOST_PASSED_OVER_PER_TURN);
  }
  expect(passedOver).toBe(20_000);
  expect(session.ids).toEqual(['last']);
});
