// How handles end without a release of their own: with their context, their target, their session.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { isReply } from '../support/fake-peer.ts';
import { turns, until } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

/** So many that their context is struck out later (`ENDED_AT_ONCE`), and their waiting releases end in several turns. */
const MANY = 1_500;

/**
 * A group of which one member lives; the others are released one by one. Four of these releases are unanswered, as all will be,
 * and the rest wait in the queue.
 */
async function releasingOneByOne(world: AttachedPeer, count: number) {
  const session = world.open();
  const [survivor = {}, ...others] = await session.mint(count);
  world.peer.inbound.drop();
  world.collector.collect(...others);
  await turns();
  world.elapse(3_000);
  await until(() => world.stats.inFlight === 4);
  expect(world.stats).toMatchObject({ live: 1, queued: count - 5, dropped: 0 });
  return { session, survivor };
}

describe('events', () => {
  test('console arguments and uncaught errors are minted, and released once nobody holds them', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    await session.send('Runtime.enable');
    const events: Record<string, unknown>[] = [];
    for (const name of ['Runtime.consoleAPICalled', 'Runtime.exceptionThrown']) {
      session.session.on(name, (params) => events.push(params));
    }
    await session.evaluate('console.log({}, 1, {}, "text")');
    await session.evaluate('setTimeout(() => { throw new Error("uncaught"); })');
    await until(() => events.length === 2);
    expect(world.stats).toMatchObject({ minted: 3, live: 3 });
    world.collector.collect(...world.collector.registered);
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(session.wire('Runtime.releaseObjectGroup'), 'never the group of the console').not.toContainEqual(
      expect.objectContaining({ params: { objectGroup: 'console' } }),
    );
  });

  test('the ledger is told before the listeners: one that disposes at once is understood', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    await session.send('Runtime.enable');
    session.session.on('Runtime.consoleAPICalled', ({ args }) => {
      for (const argument of args) void session.release(argument);
    });
    await session.evaluate('console.log({}, {})');
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(world.stats).toMatchObject({ minted: 2, disposed: 2, released: 2 });
  });

  test.each([undefined, null, 42, 'text', [], { args: 'no list' }, { args: [null, 1, { objectId: 1 }] }])(
    'an event of a shape that no browser sends does not throw into the client: %j',
    async (params) => {
      await using world = new AttachedPeer();
      const session = world.open();
      for (const name of [
        'Runtime.consoleAPICalled',
        'Runtime.exceptionThrown',
        'Runtime.executionContextDestroyed',
        'Runtime.executionContextsCleared',
        'Inspector.targetCrashed',
        'no such event',
      ]) {
        expect(() => session.session.emit(name, params)).not.toThrow();
      }
      expect(world.stats.minted).toBe(0);
    },
  );
});

describe('contexts', () => {
  test('the end of a context elides its handles, live and dropped; those of others stay', async () => {
    await using world = new AttachedPeer();
    const target = world.peer.openTarget();
    const session = world.open({ target });
    await session.send('Runtime.enable');
    const isolated = target.createContext('world');
    const here = await session.mint(20);
    const there = await session.mint(20, { contextId: isolated.id });
    world.collector.collect(...there.slice(0, 10));
    target.destroyContext(isolated);
    await world.rest();
    expect(world.stats).toMatchObject({ minted: 40, live: 20, elided: 20 });
    expect(session.releasesOnTheWire()).toEqual([]);
    world.collector.collect(...here, ...there.slice(10));
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(world.stats).toMatchObject({ live: 0, elided: 20, released: 20 });
  });

  test('a navigation elides all that the session had, and nothing of it is sent', async () => {
    await using world = new AttachedPeer();
    const target = world.peer.openTarget();
    const session = world.open({ target });
    await session.send('Runtime.enable');
    const handles = await session.mint(100);
    target.navigate();
    await world.rest();
    world.collector.collect(...handles);
    await world.rest();
    expect(session.releasesOnTheWire()).toEqual([]);
    expect(world.stats).toMatchObject({ minted: 100, elided: 100, live: 0 });
    const later = await session.evaluate();
    await session.release(later);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('contexts that ended unheard of, as without Runtime.enable: the refusal tells, and ends the rest', async () => {
    await using world = new AttachedPeer({ groups: false });
    const target = world.peer.openTarget();
    const session = world.open({ target });
    const handles = await session.mint(100);
    using _ = world.peer.outbound.drop((message) => !isReply(message));
    target.navigate();
    await session.release(handles[0] ?? { objectId: '' });
    await world.rest();
    expect(session.releasesOnTheWire()).toHaveLength(1);
    expect(world.stats).toMatchObject({ minted: 100, gone: 1, elided: 99, live: 0 });
  });

  test('a command in mid-flight as its context ends is unpinned, and mints nothing that stays', async () => {
    await using world = new AttachedPeer();
    const target = world.peer.openTarget();
    const session = world.open({ target });
    await session.send('Runtime.enable');
    const handle = await session.evaluate();
    const call = session.call(handle, 'function() { return new Promise(() => {}); }', { awaitPromise: true });
    await turns();
    target.navigate();
    await expect(call).rejects.toThrow('Inspected target navigated or closed');
    await world.rest();
    expect(world.stats).toMatchObject({ live: 0, elided: world.stats.minted });
  });

  test('ids of another form end with the session only: one refusal says nothing of the others', async () => {
    await using world = new AttachedPeer({ groups: false });
    const session = world.open();
    const odd = [1, 2, 3].map((number) => ({
      type: 'object',
      objectId: `{"injectedScriptId":${number},"id":1}`,
    }));
    session.session.emit('Runtime.consoleAPICalled', { args: odd });
    expect(world.stats).toMatchObject({ minted: 3, live: 3 });
    // The peer finds no context in it, as Chromium would where one is dead.
    using _ = world.peer.outbound.rewrite(
      (message) => 'error' in message,
      (message) => ({
        ...message,
        error: { code: -32000, message: 'Cannot find context with specified id' },
      }),
    );
    world.collector.collect(odd[0] ?? {});
    await world.rest();
    expect(world.stats).toMatchObject({ gone: 1, live: 2, elided: 0 });
    world.collector.collect(odd[1] ?? {}, odd[2] ?? {});
    await world.rest();
    expect(session.wire('Runtime.releaseObject')).toHaveLength(3);
    expect(world.stats).toMatchObject({ gone: 3, live: 0 });
  });

  test('handles minted while the old ones of the same form are still being struck out are not lost sight of', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const odd = (number: number) => ({ type: 'object', objectId: `odd ${number}` });
    session.session.emit('Runtime.consoleAPICalled', { args: [odd(1), odd(2)] });
    session.session.emit('Runtime.executionContextsCleared', {});
    const late = odd(3);
    session.session.emit('Runtime.consoleAPICalled', { args: [late] });
    await world.rest();
    expect(world.stats).toMatchObject({ minted: 3, elided: 2, live: 1 });
    const answers = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(late, 'function() {}');
    world.collector.collect(late);
    await world.rest();
    expect(session.wire('Runtime.releaseObject'), 'it is pinned').toEqual([]);
    answers.letGo();
    await call.catch(() => {});
    await world.rest();
    expect(session.wire('Runtime.releaseObject')).toHaveLength(1);
  });
});

describe('sessions', () => {
  test('the end of a session frees all that it held: live, dropped, queued, in flight', async () => {
    await using world = new AttachedPeer({ maxInFlightBatches: 1, maxBatchSize: 4, groups: false });
    const session = world.open();
    const handles = await session.mint(40);
    const answers = session.holdAnswers('Runtime.releaseObject');
    world.collector.collect(...handles.slice(0, 20));
    await until(() => session.releasesOnTheWire().length === 4);
    await answers.reached(4);
    expect(world.stats).toMatchObject({ live: 20, queued: 16, inFlight: 4 });
    await session.session.detach();
    await world.rest();
    expect(world.stats).toMatchObject({ minted: 40, live: 0, queued: 0, inFlight: 0, gone: 4, elided: 36 });
    expect(session.releasesOnTheWire()).toHaveLength(4);
  });

  test('with groups as well', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(100);
    world.collector.collect(...handles.slice(0, 60));
    const answers = session.holdAnswers('Runtime.evaluate');
    const pending = session.evaluate();
    await answers.reached(1);
    await session.session.detach();
    await expect(pending).rejects.toThrow('Target closed');
    await world.rest();
    expect(world.stats).toMatchObject({ minted: 100, live: 0, queued: 0, inFlight: 0, elided: 100 });
  });

  test('one session ends, another of the same page goes on, with the same ids for other objects', async () => {
    await using world = new AttachedPeer();
    const target = world.peer.openTarget();
    const [one, two] = [world.open({ target }), world.open({ target })];
    const [first] = await one.mint(10);
    const others = await two.mint(10);
    expect(first?.objectId, 'ids are counted by session').toBe(others[0]?.objectId);
    await one.session.detach();
    await world.rest();
    expect(world.stats).toMatchObject({ live: 10, elided: 10 });
    expect(await two.call(others[0] ?? { objectId: '' }, 'function() { return 1; }')).toMatchObject({
      value: 1,
    });
    world.collector.collect(...others);
    await world.rest();
    expect(two.alive()).toEqual([]);
  });

  test('a dispose on another session does not touch the handle of the session of mint time', async () => {
    // After a swap of a frame's process Puppeteer disposes through the frame's new session.
    await using world = new AttachedPeer();
    const [old, current] = [world.open(), world.open()];
    const handle = await old.evaluate();
    await current.release(handle);
    await world.rest();
    expect(old.alive()).toEqual([handle.objectId]);
    world.collector.collect(handle);
    await world.rest();
    expect(old.alive()).toEqual([]);
  });

  test('an answer that comes when all is over changes nothing', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    world.attachment.end(session.tap);
    const handle = await session.evaluate();
    await session.release(handle);
    expect(world.stats).toMatchObject({ minted: 0, live: 0 });
    expect(session.wire('Runtime.evaluate')[0]?.params).toEqual({ expression: '({})' });
    expect(session.alive()).toEqual([]);
  });

  test('an answer that was on its way when all was over brings nothing that had to be released', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const answers = session.holdAnswers('Runtime.evaluate');
    const handle = session.evaluate();
    await answers.reached(1);
    world.attachment.end(session.tap);
    answers[Symbol.dispose]();
    await handle;
    expect(world.stats).toMatchObject({ minted: 1, live: 0, elided: 1 });
  });

  test('a crash of the page ends all that it had at once, and what is disposed of later, until it is loaded anew', async () => {
    await using world = new AttachedPeer({ maxInFlightBatches: 1, maxBatchSize: 4, groups: false });
    const session = world.open();
    const handles = await session.mint(20);
    const [kept, late] = handles;
    const silence = world.peer.inbound.drop();
    world.collector.collect(...handles.slice(10));
    await until(() => world.stats.inFlight === 4);
    session.session.emit('Inspector.targetCrashed', {});
    await turns();
    expect(world.stats).toMatchObject({ live: 0, queued: 0, inFlight: 0, gone: 4, elided: 16, timedOut: 0 });
    await session.release(late ?? { objectId: '' });
    expect(world.stats).toMatchObject({ minted: 21, queued: 0, inFlight: 0, gone: 5 });
    expect(await world.attachment.flush()).toMatchObject({ complete: true });

    silence[Symbol.dispose]();
    session.session.emit('Inspector.targetReloadedAfterCrash', {});
    await session.release(kept ?? { objectId: '' });
    const fresh = await session.mint(10);
    world.collector.collect(...fresh);
    await world.rest();
    expect(world.stats).toMatchObject({ live: 0, timedOut: 0, released: 11 });
  });

  test('the last of a group dies as the page crashes, while the others are released one by one: each is counted once', async () => {
    await using world = new AttachedPeer({ maxInFlightBatches: 1, maxBatchSize: 4, moveSurvivors: false });
    const { session, survivor } = await releasingOneByOne(world, MANY);
    world.collector.collect(survivor);
    session.session.emit('Inspector.targetCrashed', {});
    await world.rest();
    expect(world.stats).toMatchObject({
      minted: MANY,
      live: 0,
      queued: 0,
      inFlight: 0,
      gone: 5,
      groupFreed: 0,
    });
    expect(world.stats.elided).toBe(MANY - 5);
  });

  test('the last of a group dies while the queue is full of the others, and the session ends: each is counted once', async () => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => void vi.restoreAllMocks());
    await using world = new AttachedPeer({
      maxInFlightBatches: 1,
      maxBatchSize: 4,
      maxQueueSize: 40,
      moveSurvivors: false,
    });
    const { session, survivor } = await releasingOneByOne(world, 30);
    for (let count = 0; count < 15; count++) void session.release({ objectId: `unknown ${count}` });
    world.collector.collect(survivor);
    await until(() => world.stats.dropped === 1);
    await session.session.detach();
    await world.rest();
    expect(world.stats).toMatchObject({
      minted: 45,
      live: 0,
      queued: 0,
      inFlight: 0,
      dropped: 1,
      groupFreed: 0,
    });
  });

  test('a crash ends the release that the client itself waits for, and a move of survivors', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(100);
    const move = session.holdCommands('Runtime.getProperties');
    world.collector.collect(...handles.slice(2));
    await turns();
    world.elapse(3_000);
    await move.reached(1);
    using _ = world.peer.inbound.drop();
    void session.send('Page.reload').catch(() => {});
    let isAnswered = false;
    void session.release(handles[0] ?? { objectId: '' }).then(() => {
      isAnswered = true;
    });
    expect(world.stats.inFlight).toBe(1);
    session.session.emit('Inspector.targetCrashed', {});
    await turns();
    expect(world.stats).toMatchObject({ live: 0, queued: 0, inFlight: 0, gone: 1, elided: 99 });
    expect(isAnswered, 'the browser has not said a word').toBe(false);
    expect(await world.attachment.flush()).toMatchObject({ complete: true });
    move[Symbol.dispose]();
  });

  test('a crash that is answered when the page is loaded anew, as Chromium does, is counted once', async () => {
    await using world = new AttachedPeer({ groups: false });
    const session = world.open();
    const handles = await session.mint(10);
    const answers = session.holdAnswers('Runtime.releaseObject');
    using _ = world.peer.outbound.rewrite(
      (message) => isReply(message) && message.command.method === 'Runtime.releaseObject',
      (message) => ({ ...message, result: undefined, error: { code: -32000, message: 'Target crashed' } }),
    );
    world.collector.collect(...handles);
    await answers.reached(10);
    session.session.emit('Inspector.targetCrashed', {});
    await turns();
    session.session.emit('Inspector.targetReloadedAfterCrash', {});
    answers[Symbol.dispose]();
    await world.rest();
    expect(world.stats).toMatchObject({ minted: 10, gone: 10, failed: 0 });
  });

  test('half a million handles that end with their session are struck out in slices', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const count = 500_000;
    const args = Array.from({ length: count }, (_, index) => ({
      type: 'object',
      objectId: `1.1.${index + 1}`,
    }));
    session.session.emit('Runtime.consoleAPICalled', { args });
    await session.session.detach();
    const { elided } = world.stats;
    expect(elided).toBe(0);
    world.elapse(100);
    await turns(1);
    expect(world.stats.elided).toBeLessThan(count);
    world.expectConserved();
    await until(() => world.stats.elided === count);
  });
});
