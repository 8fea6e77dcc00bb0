// Whoever awaits the end of a batcher keeps the process alive until it comes, however the end began.
import { expect, onTestFinished, test, vi } from 'vitest';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { expectAtRest } from '../support/conservation.ts';
import { turns, until } from '../support/turns.ts';
import { ScriptedSession } from './scripted-session.ts';

/** How many timers that keep the process alive were started by `work`. */
async function timersOf(work: () => Promise<unknown>): Promise<number> {
  const spy = vi.spyOn(globalThis, 'setTimeout');
  const done = work();
  await turns();
  const timers = spy.mock.results.map(({ value }) => value as NodeJS.Timeout);
  spy.mockRestore();
  const count = timers.filter((timer) => timer.hasRef()).length;
  await done;
  return count;
}

test.each<[string, (batcher: ReleaseBatcher) => Promise<unknown>]>([
  ['close', (batcher) => batcher.close()],
  ['close, twice', (batcher) => Promise.all([batcher.close(), batcher.close()])],
  ['the end of an `await using` block', (batcher) => batcher[Symbol.asyncDispose]()],
  ['flush', (batcher) => batcher.flush()],
])(
  'after an abort, with a release unanswered: %s settles, and holds the process until then',
  async (_, end) => {
    const controller = new AbortController();
    const batcher = new ReleaseBatcher({ signal: controller.signal, releaseTimeoutMs: 50 });
    const session = new ScriptedSession('when told');
    batcher.release(session, '1.1.1');
    await until(() => session.sent.length === 1);
    controller.abort();
    expect(await timersOf(() => end(batcher))).toBeGreaterThan(0);
    await until(() => batcher.stats().inFlight === 0);
    expect(batcher.stats()).toMatchObject({ minted: 1, timedOut: 1 });
    expectAtRest(batcher.stats());
  },
);

test('closed before its releases have had their time, it leaves none in flight', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const batcher = new ReleaseBatcher({ releaseTimeoutMs: 50, maxInFlightBatches: 1, maxBatchSize: 2 });
  const session = new ScriptedSession('when told');
  for (const id of ['1', '2', '3', '4', '5']) batcher.release(session, id);
  await until(() => session.sent.length === 2);
  const closing = batcher.close();
  await vi.advanceTimersByTimeAsync(25);
  for (const { answer } of session.sent.splice(0)) answer();
  await until(() => session.sent.length === 2); // The second batch, when half of the time is over.
  await vi.advanceTimersByTimeAsync(25);
  await closing;
  expect(session.sent).toHaveLength(2);
  expectAtRest(batcher.stats());
  expect(batcher.stats()).toMatchObject({ minted: 5, released: 2, timedOut: 2, dropped: 1 });
});

test('closed from the start by its signal, it closes at once', async () => {
  const batcher = new ReleaseBatcher({ signal: AbortSignal.abort() });
  await batcher.close();
  expectAtRest(batcher.stats());
});
