// What the tests of the batcher's ancestor demand (chromiumoxide's runtime_release.rs), each row as a test of ours.
import { expect, test, vi } from 'vitest';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { expectAtRest } from '../support/conservation.ts';
import { turns, until } from '../support/turns.ts';
import { releaseMany, ScriptedSession } from './scripted-session.ts';

test('1. The first release starts the worker; start is idempotent; started tells', async () => {
  const batcher = new ReleaseBatcher();
  const session = new ScriptedSession();
  expect(batcher.started).toBe(false);
  expect(batcher.release(session, 'a')).toBe(true);
  expect(batcher.started).toBe(true);
  batcher.start();
  batcher.start();
  await batcher.flush();
  expect(session.ids).toEqual(['a']);
  expectAtRest(batcher.stats());
});

test('2. A release never panics, whatever it is given', () => {
  const batcher = new ReleaseBatcher();
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
    },
  );
  const odd = [
    undefined,
    null,
    0,
    '',
    'a',
    Symbol('a'),
    {},
    [],
    () => {},
    throwing,
    { send: throwing },
    new ScriptedSession(),
  ];
  for (const session of odd) {
    for (const id of odd) {
      expect(() => batcher.release(session as never, id as never)).not.toThrow();
      expect(() => batcher.releaseGroup(session as never, id as never)).not.toThrow();
    }
  }
  expect(batcher.stats()).toMatchObject({ minted: odd.length ** 2, queued: 1, dropped: odd.length ** 2 - 1 });
});

test('3. At most 64 a batch, and the dispatcher awaits none: a thousand are out before one is answered', async () => {
  const batcher = new ReleaseBatcher({ maxInFlightBatches: 64 });
  const session = new ScriptedSession('when told');
  releaseMany(batcher, session, 1_000);
  await turns();
  expect(session.sent).toHaveLength(1_000);
  expect(batcher.stats()).toMatchObject({ inFlight: 1_000, released: 0 });
  session.answerAll();
  await batcher.flush();
  expectAtRest(batcher.stats());

  const narrow = new ReleaseBatcher({ maxInFlightBatches: 1 });
  const other = new ScriptedSession('when told');
  releaseMany(narrow, other, 1_000);
  await turns();
  expect(other.sent).toHaveLength(64);
  other.answerAll();
  await narrow.flush();
  expectAtRest(narrow.stats());
});

test('4. One release that hangs until its timeout delays neither the next batch nor another session', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const batcher = new ReleaseBatcher({ releaseTimeoutMs: 60_000 });
    const session = new ScriptedSession('when told');
    const other = new ScriptedSession();
    releaseMany(batcher, session, 65);
    releaseMany(batcher, other, 65);
    await until(() => other.sent.length === 65 && session.sent.length === 65);
    for (const { answer } of session.sent.slice(1)) answer();
    await until(() => batcher.stats().released === 129);
    expect(batcher.stats()).toMatchObject({ inFlight: 1, timedOut: 0 });
    vi.advanceTimersByTime(60_000);
    await until(() => batcher.stats().timedOut === 1);
    expectAtRest(batcher.stats());
  } finally {
    vi.useRealTimers();
  }
});

test('5. What a batch holds is let go as each release settles: the books say so one by one', async () => {
  // That nothing is kept alive is measured with a collector in dispatcher.test.ts.
  const batcher = new ReleaseBatcher();
  const session = new ScriptedSession('when told');
  releaseMany(batcher, session, 64);
  await until(() => session.sent.length === 64);
  for (const [index, { answer }] of session.sent.entries()) {
    answer();
    await until(() => batcher.stats().released === index + 1);
    expect(batcher.stats().inFlight).toBe(63 - index);
  }
  expectAtRest(batcher.stats());
});

test('6. After close, a release returns false and is counted', async () => {
  const batcher = new ReleaseBatcher();
  await batcher.close();
  expect(batcher.release(new ScriptedSession(), 'a')).toBe(false);
  expect(batcher.stats()).toMatchObject({ minted: 1, dropped: 1 });
  expectAtRest(batcher.stats());
});

test('7. The guard enqueues once, on drop, only where there is an id: early drop, panic and cancellation alike', async () => {
  const batcher = new ReleaseBatcher();
  const session = new ScriptedSession();
  const controller = new AbortController();
  {
    using guard = batcher.guard(session, 'early drop');
    guard.dispose();
  }
  const panic = (): void => {
    using _ = batcher.guard(session, 'panic');
    throw new Error('panic');
  };
  const cancelled = async (): Promise<void> => {
    using _ = batcher.guard(session, 'cancellation');
    await new Promise((_resolve, reject) => controller.signal.addEventListener('abort', reject));
  };
  {
    using _ = batcher.guard(session, undefined);
  }
  expect(panic).toThrow('panic');
  const running = cancelled();
  expect(batcher.stats().minted).toBe(2);
  controller.abort();
  await expect(running).rejects.toBeDefined();
  await batcher.flush();
  expect(session.ids).toEqual(['early drop', 'panic', 'cancellation']);
  expectAtRest(batcher.stats());
});

test.each([1, 64, 1_024, 8_192])('8. A burst of %i enqueues', async (burst) => {
  const batcher = new ReleaseBatcher();
  const session = new ScriptedSession();
  releaseMany(batcher, session, burst);
  await batcher.close();
  expect(session.sent).toHaveLength(burst);
  expect(batcher.stats()).toMatchObject({ minted: burst, released: burst, dropped: 0 });
  expectAtRest(batcher.stats());
});
