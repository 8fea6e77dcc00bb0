import { describe, expect, test, vi } from 'vitest';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { collectUntil } from '../support/collect-until.ts';
import { expectAtRest, expectConserved } from '../support/conservation.ts';
import { FakePeer } from '../support/fake-peer.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { turns, until } from '../support/turns.ts';
import { releaseMany, ScriptedSession } from './scripted-session.ts';

describe('release', () => {
  test.each<[string, unknown]>([
    ['empty', ''],
    ['missing', undefined],
    ['null', null],
    ['a number', 42],
    ['an object', {}],
    ['a String object', new String('1.1.1')],
    ['a symbol', Symbol('id')],
  ])('of an id that is %s: false, counted, no throw, nothing sent', async (_, id) => {
    const batcher = new ReleaseBatcher();
    const session = new ScriptedSession();
    expect(batcher.release(session, id as string)).toBe(false);
    expect(batcher.stats()).toMatchObject({ minted: 1, dropped: 1, queued: 0 });
    await batcher.flush();
    expect(session.sent).toHaveLength(0);
    expectAtRest(batcher.stats());
  });

  test.each<[string, unknown]>([
    ['missing', undefined],
    ['null', null],
    ['an object without send', {}],
    ['one whose send is no function', { send: true }],
    ['a string', 'session'],
    [
      'a proxy that throws',
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('no');
          },
        },
      ),
    ],
  ])('on a session that is %s: false, counted, no throw', (_, session) => {
    const batcher = new ReleaseBatcher();
    expect(batcher.release(session as never, '1.1.1')).toBe(false);
    expect(batcher.releaseGroup(session as never, 'group')).toBe(false);
    expect(batcher.stats()).toMatchObject({ minted: 1, dropped: 1 });
    expectAtRest(batcher.stats());
  });

  test.each(['__proto__', 'constructor', '\ud800', 'x'.repeat(1_000_000), '{"injectedScriptId":1,"id":2}'])(
    'an id is sent as it is, whatever it reads (%#)',
    async (id) => {
      const batcher = new ReleaseBatcher();
      const session = new ScriptedSession();
      expect(batcher.release(session, id)).toBe(true);
      await batcher.flush();
      expect(session.ids).toEqual([id]);
      expectAtRest(batcher.stats());
    },
  );

  test('after close: false, counted, no throw', async () => {
    const batcher = new ReleaseBatcher();
    const session = new ScriptedSession();
    await batcher.close();
    expect(batcher.release(session, '1.1.1')).toBe(false);
    expect(batcher.releaseGroup(session, 'group')).toBe(false);
    expect(batcher.stats()).toMatchObject({ minted: 1, disposed: 1, dropped: 1 });
    await turns();
    expect(session.sent).toHaveLength(0);
    expectAtRest(batcher.stats());
  });

  test('on a session that is over: what waits ends as gone, without having been sent', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const batcher = new ReleaseBatcher({ maxBatchSize: 8, maxInFlightBatches: 1 });
    releaseMany(batcher, session, 100);
    await session.detach();
    await batcher.flush();
    expect(batcher.stats()).toMatchObject({ minted: 100, gone: 100, commands: 8 });
    expectAtRest(batcher.stats());
  });

  test('really lets go of the objects in the page, and counts by what it answers', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const batcher = new ReleaseBatcher();
    const minted = (await session.send('Runtime.evaluate', { expression: '({})' })) as {
      result: { objectId: string };
    };
    const { objectId } = minted.result;
    expect(peer.alive()).toBe(1);
    for (const id of [objectId, objectId, 'nonsense', objectId.replace(/\.\d+\./, '.999.')])
      batcher.release(session, id);
    await batcher.flush();
    expect(peer.alive()).toBe(0);
    expect(batcher.stats()).toMatchObject({ released: 1, gone: 2, failed: 1 });
    expectAtRest(batcher.stats());
  });
});

describe('guard', () => {
  test('releases at the end of the block, whatever happens in it', async () => {
    const batcher = new ReleaseBatcher();
    const session = new ScriptedSession();
    const leave = (how: 'return' | 'throw'): void => {
      using _ = batcher.guard(session, how);
      expect(batcher.stats().queued).toBe(how === 'return' ? 0 : 1);
      if (how === 'throw') throw new Error('out');
    };
    leave('return');
    expect(() => leave('throw')).toThrow('out');
    await batcher.flush();
    expect(session.ids).toEqual(['return', 'throw']);
    expectAtRest(batcher.stats());
  });

  test('releases once, at dispose, and not again at the end of the block', async () => {
    const batcher = new ReleaseBatcher();
    const session = new ScriptedSession();
    {
      using guard = batcher.guard(session, 'a');
      guard.dispose();
      guard.dispose();
      expect(batcher.stats()).toMatchObject({ disposed: 1, queued: 1 });
    }
    await batcher.flush();
    expect(session.ids).toEqual(['a']);
    expectAtRest(batcher.stats());
  });

  test('that was disarmed releases nothing, not at dispose either', async () => {
    const batcher = new ReleaseBatcher();
    const session = new ScriptedSession();
    {
      using guard = batcher.guard(session, 'a');
      guard.disarm();
      guard.dispose();
    }
    await batcher.flush();
    expect(session.sent).toHaveLength(0);
    expect(batcher.stats()).toMatchObject({ minted: 0 });
  });

  test('without an id, as where an evaluation gave a primitive, guards nothing and counts nothing', () => {
    const batcher = new ReleaseBatcher();
    batcher.guard(new ScriptedSession(), undefined).dispose();
    expect(batcher.stats()).toMatchObject({ minted: 0, dropped: 0 });
  });

  test('does not throw where its batcher was closed meanwhile', async () => {
    const batcher = new ReleaseBatcher();
    const guard = batcher.guard(new ScriptedSession(), 'a');
    await batcher.close();
    expect(() => guard.dispose()).not.toThrow();
    expect(batcher.stats()).toMatchObject({ dropped: 1 });
    expectAtRest(batcher.stats());
  });
});

describe('start', () => {
  test('the first release starts it; start does so ahead, any number of times, and not after close', async () => {
    const lazy = new ReleaseBatcher();
    expect(lazy.started).toBe(false);
    lazy.release(new ScriptedSession(), '');
    expect(lazy.started).toBe(false);
    lazy.release(new ScriptedSession(), 'a');
    expect(lazy.started).toBe(true);

    const eager = new ReleaseBatcher();
    eager.start();
    eager.start();
    expect(eager.started).toBe(true);

    const closed = new ReleaseBatcher();
    await closed.close();
    closed.start();
    closed.release(new ScriptedSession(), 'a');
    expect(closed.started).toBe(false);
    await Promise.all([lazy.close(), eager.close()]);
  });
});

describe('flush', () => {
  test('with nothing to do reports so', async () => {
    const report = await new ReleaseBatcher().flush();
    expect(report).toMatchObject({
      complete: true,
      pending: 0,
      released: 0,
      gone: 0,
      failed: 0,
      timedOut: 0,
      dropped: 0,
    });
    expect(report.elapsedMs).toBeGreaterThanOrEqual(0);
  });

  test('reports what ended between its call and its end, by outcome', async () => {
    const batcher = new ReleaseBatcher();
    const session = new ScriptedSession('when told');
    batcher.release(session, '');
    releaseMany(batcher, session, 3);
    const flush = batcher.flush();
    await until(() => session.sent.length === 3);
    session.sent[0]?.answer();
    session.sent[1]?.refuse(new Error('Could not find object with given id'));
    session.sent[2]?.refuse(new Error('Invalid remote object id'));
    expect(await flush).toMatchObject({
      complete: true,
      pending: 0,
      released: 1,
      gone: 1,
      failed: 1,
      dropped: 0,
    });
    expectAtRest(batcher.stats());
  });

  test('waits for what was dropped before its call, not for what comes after', async () => {
    const batcher = new ReleaseBatcher({ maxBatchSize: 2, maxInFlightBatches: 1 });
    const session = new ScriptedSession('when told');
    releaseMany(batcher, session, 3, 'before ');
    const flush = batcher.flush();
    releaseMany(batcher, session, 10, 'after ');
    while (session.ids.filter((id) => String(id).startsWith('before')).length < 3) {
      await turns(1);
      for (const { answer } of session.sent.slice(0, 2)) answer();
    }
    await turns();
    for (const { answer } of session.sent.slice(0, 4)) answer();
    expect(await flush).toMatchObject({ complete: true });
    expect(batcher.stats().queued + batcher.stats().inFlight).toBeGreaterThan(0);
    session.answerAll();
    await batcher.flush();
    expectAtRest(batcher.stats());
  });

  test('that runs out of time says how many are still unanswered, and changes nothing', async () => {
    const batcher = new ReleaseBatcher({ maxBatchSize: 2, maxInFlightBatches: 1 });
    const session = new ScriptedSession('when told');
    releaseMany(batcher, session, 5);
    expect(await batcher.flush({ timeoutMs: 5 })).toMatchObject({ complete: false, pending: 5, released: 0 });
    expect(await batcher.flush({ timeoutMs: 0 })).toMatchObject({ complete: false, pending: 5 });
    session.answerAll();
    expect(await batcher.flush()).toMatchObject({ complete: true, pending: 0, released: 5 });
    expectAtRest(batcher.stats());
  });
});

describe('close', () => {
  test('sees out what was accepted', async () => {
    const batcher = new ReleaseBatcher({ maxBatchSize: 8, maxInFlightBatches: 1 });
    const session = new ScriptedSession();
    releaseMany(batcher, session, 100);
    await batcher.close();
    expect(session.sent).toHaveLength(100);
    expect(batcher.stats()).toMatchObject({ released: 100 });
    expectAtRest(batcher.stats());
  });

  test('drops what a hung session keeps waiting, after releaseTimeoutMs', async () => {
    const batcher = new ReleaseBatcher({ maxBatchSize: 8, maxInFlightBatches: 1, releaseTimeoutMs: 20 });
    const session = new ScriptedSession('when told');
    releaseMany(batcher, session, 100);
    const closing = batcher.close();
    expect(batcher.closed).toBe(true);
    expect(batcher.release(session, 'late')).toBe(false);
    await Promise.all([closing, batcher.close()]);
    await until(() => batcher.stats().inFlight === 0);
    const { timedOut, dropped } = batcher.stats();
    expect(timedOut + dropped).toBe(101);
    expect(dropped).toBeGreaterThanOrEqual(85);
    expectAtRest(batcher.stats());
  });

  test('`await using` closes', async () => {
    const session = new ScriptedSession();
    let kept: ReleaseBatcher;
    {
      await using batcher = new ReleaseBatcher();
      kept = batcher;
      releaseMany(batcher, session, 3);
    }
    expect(kept.closed).toBe(true);
    expect(session.sent).toHaveLength(3);
    expectAtRest(kept.stats());
  });
});

describe('signal', () => {
  test('drops what waits at once, and lets what was sent be answered', async () => {
    const controller = new AbortController();
    const batcher = new ReleaseBatcher({ maxBatchSize: 4, maxInFlightBatches: 1, signal: controller.signal });
    const session = new ScriptedSession('when told');
    releaseMany(batcher, session, 10);
    await until(() => session.sent.length === 4);
    controller.abort();
    expect(batcher.stats()).toMatchObject({ dropped: 6, queued: 0, inFlight: 4 });
    expect(batcher.release(session, 'late')).toBe(false);
    expectConserved(batcher.stats());
    session.answerAll();
    await until(() => batcher.stats().inFlight === 0);
    expect(batcher.stats()).toMatchObject({ released: 4, dropped: 7 });
    expectAtRest(batcher.stats());
  });

  test('aborted before: closed from the start', async () => {
    const batcher = new ReleaseBatcher({ signal: AbortSignal.abort() });
    expect(batcher.closed).toBe(true);
    expect(batcher.release(new ScriptedSession(), 'a')).toBe(false);
    expectAtRest(batcher.stats());
  });

  test('a hung session keeps no process alive after an abort', async () => {
    const controller = new AbortController();
    const batcher = new ReleaseBatcher({ signal: controller.signal });
    const session = new ScriptedSession('when told');
    const spy = vi.spyOn(globalThis, 'setTimeout');
    releaseMany(batcher, session, 3);
    await until(() => session.sent.length === 3);
    controller.abort();
    await turns();
    const timers = spy.mock.results.map(({ value }) => value as NodeJS.Timeout);
    spy.mockRestore();
    expect(timers.length).toBeGreaterThan(0);
    expect(timers.filter((timer) => timer.hasRef())).toEqual([]);
    session.answerAll();
    await batcher.close();
  });

  test('that lives longer does not keep a closed batcher alive', async () => {
    const controller = new AbortController();
    let wasCollected = false;
    const registry = keptRegistry(() => {
      wasCollected = true;
    });
    await (async () => {
      const batcher = new ReleaseBatcher({ signal: controller.signal });
      registry.register(batcher, undefined);
      await batcher.close();
    })();
    await collectUntil(() => wasCollected);
    controller.abort();
  });
});
