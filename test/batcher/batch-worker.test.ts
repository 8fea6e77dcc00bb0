import { afterEach, expect, test, vi } from 'vitest';
import type { ReleaseSession } from '../../src/batcher/release.ts';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { expectAtRest } from '../support/conservation.ts';
import { turns, until } from '../support/turns.ts';
import { expectNoUnhandledRejections } from '../support/unhandled-rejections.ts';
import { releaseMany, ScriptedSession } from './scripted-session.ts';

expectNoUnhandledRejections();
afterEach(() => {
  vi.useRealTimers();
});

/** Sends three releases, the middle one to a session that behaves so; expects the other two to be done. */
async function sendAmongOthers(misbehave: () => unknown, options = {}): Promise<ReleaseBatcher> {
  const batcher = new ReleaseBatcher({ maxBatchSize: 3, maxInFlightBatches: 1, ...options });
  const session = {
    send: (_: string, params?: Record<string, unknown>) =>
      (params?.objectId === '1.1.2' ? misbehave() : Promise.resolve({})) as PromiseLike<unknown>,
  };
  releaseMany(batcher, session, 3);
  await until(() => batcher.stats().inFlight + batcher.stats().queued === 0);
  // The only slot is free again.
  batcher.release(session, 'afterwards');
  await until(() => batcher.stats().inFlight + batcher.stats().queued === 0);
  expectAtRest(batcher.stats());
  return batcher;
}

const throwing = (): never => {
  throw new Error('Could not find object with given id');
};

test.each<[string, () => unknown, 'released' | 'gone' | 'failed']>([
  ['throws in the call', throwing, 'gone'],
  [
    'throws something that is no error',
    () => {
      throw undefined;
    },
    'failed',
  ],
  ['returns nothing', () => undefined, 'released'],
  ['returns a value that is no promise', () => 42, 'released'],
  ['rejects', async () => Promise.reject(new Error('no')), 'failed'],
  ['rejects with nothing', () => Promise.reject(undefined), 'failed'],
  ['rejects with a symbol', () => Promise.reject(Symbol('no')), 'failed'],
  ['rejects with an object without a prototype', () => Promise.reject(Object.create(null)), 'failed'],
  [
    'rejects with an error whose message throws',
    () =>
      Promise.reject({
        get message() {
          return throwing();
        },
      }),
    'failed',
  ],
  [
    'rejects with a proxy that throws at every touch',
    () => Promise.reject(new Proxy({}, { get: throwing, has: throwing, getPrototypeOf: throwing })),
    'failed',
  ],
  [
    'returns a thenable that settles twice, with contradiction',
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
      then: (resolve: () => void, reject: (reason: Error) => void) => [resolve(), reject(new Error())],
    }),
    'released',
  ],
  [
    'returns a thenable that throws after it has settled',
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
    () => ({ then: (resolve: () => void) => [resolve(), throwing()] }),
    'released',
  ],
  [
    'returns a thenable whose then is a getter that throws',
    () => ({
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
      get then() {
        return throwing();
      },
    }),
    'gone',
  ],
  [
    'returns a promise whose own then throws',
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested.
    () => Object.assign(Promise.resolve(), { then: throwing }),
    'released',
  ],
  [
    'returns a promise whose constructor throws',
    () => Object.defineProperty(Promise.resolve(), 'constructor', { get: throwing }),
    'gone',
  ],
])(
  'a session that %s: counted by what it means, and neither the batch nor the slot is lost',
  async (_, misbehave, outcome) => {
    const batcher = await sendAmongOthers(misbehave);
    const others = outcome === 'released' ? 4 : 3;
    expect(batcher.stats()).toMatchObject({ released: others, [outcome]: outcome === 'released' ? 4 : 1 });
  },
);

test('a session whose send is a getter that throws is refused, or counted when it turns so later', async () => {
  const batcher = new ReleaseBatcher();
  let isBroken = true;
  const session = {
    get send(): ReleaseSession['send'] {
      if (isBroken) throw new Error('broken');
      return () => Promise.resolve({});
    },
  };
  expect(batcher.release(session, 'a')).toBe(false);
  isBroken = false;
  expect(batcher.release(session, 'b')).toBe(true);
  isBroken = true;
  await batcher.flush();
  expect(batcher.stats()).toMatchObject({ minted: 2, dropped: 1, failed: 1 });
  expectAtRest(batcher.stats());
});

test('a release without an answer is counted as timed out, its slot freed, and a late answer changes nothing', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const batcher = new ReleaseBatcher({ maxBatchSize: 3, maxInFlightBatches: 1, releaseTimeoutMs: 1_000 });
  const session = new ScriptedSession('when told');
  releaseMany(batcher, session, 5);
  await turns();
  session.sent[0]?.answer();
  await turns();
  vi.advanceTimersByTime(999);
  await turns();
  expect(batcher.stats()).toMatchObject({ released: 1, inFlight: 2, queued: 2, timedOut: 0 });
  vi.advanceTimersByTime(1);
  await until(() => session.sent.length === 5);
  expect(batcher.stats()).toMatchObject({ released: 1, timedOut: 2, inFlight: 2 });
  for (const { answer } of session.sent.slice(0, 3)) answer();
  session.sent[3]?.refuse(new Error('Target closed'));
  session.sent[4]?.answer();
  await until(() => batcher.stats().inFlight === 0);
  expect(batcher.stats()).toMatchObject({ released: 2, timedOut: 2, gone: 1 });
  expectAtRest(batcher.stats());
});

test('a session that timed out is asked one batch at a time, until it answers again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const batcher = new ReleaseBatcher({ maxBatchSize: 2, maxInFlightBatches: 4, releaseTimeoutMs: 1_000 });
  const session = new ScriptedSession('when told');
  releaseMany(batcher, session, 100);
  await turns();
  expect(session.sent).toHaveLength(8);
  vi.advanceTimersByTime(1_000);
  await turns();
  expect(session.sent).toHaveLength(10);
  vi.advanceTimersByTime(1_000);
  await turns();
  expect(session.sent).toHaveLength(12);
  expect(batcher.stats()).toMatchObject({ timedOut: 10 });
  session.answerAll();
  await until(() => batcher.stats().queued === 0);
  await batcher.flush();
  expectAtRest(batcher.stats());
});

test('no timer outlives its batch, and none keeps the process alive', async () => {
  const timers: NodeJS.Timeout[] = [];
  const { setTimeout: original } = globalThis;
  const spy = vi.spyOn(globalThis, 'setTimeout').mockImplementation(((work: () => void, delay: number) => {
    const timer = original(work, delay);
    timers.push(timer);
    return timer;
  }) as typeof setTimeout);
  const batcher = new ReleaseBatcher();
  const session = new ScriptedSession('when told');
  releaseMany(batcher, session, 3);
  await until(() => session.sent.length === 3);
  spy.mockRestore();
  expect(timers).toHaveLength(1);
  expect(timers.map((timer) => timer.hasRef())).toEqual([false]);
  session.answerAll();
  await until(() => batcher.stats().inFlight === 0);
  await turns();
  expect((timers[0] as unknown as { _destroyed: boolean })._destroyed).toBe(true);
});

test('errors that a client creates per command have no frames to pay for, and other code keeps its own', async () => {
  const limit = Error.stackTraceLimit;
  const limits: number[] = [];
  const batcher = new ReleaseBatcher();
  const session = {
    send: () => {
      limits.push(Error.stackTraceLimit);
      throw new Error('a session that throws');
    },
  };
  releaseMany(batcher, session, 2);
  await batcher.flush();
  expect(limits).toEqual([0, 0]);
  expect(Error.stackTraceLimit).toBe(limit);
});
