import { setImmediate as macrotask } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { collectUntil } from '../support/collect-until.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { turns, until } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

describe('flush', () => {
  test('answers when all that was dropped has been released, grace or none', async () => {
    await using world = new AttachedPeer();
    const sessions = [world.open(), world.open({ kind: 'worker' })];
    const handles = (await Promise.all(sessions.map((session) => session.mint(100)))).flat();
    world.collector.collect(...handles.filter((_, index) => index % 3 === 0));
    expect(await world.attachment.flush()).toMatchObject({ complete: true, pending: 0 });
    expect(world.stats).toMatchObject({ queued: 0, inFlight: 0, released: 67, live: 133 });
    expect(world.peer.alive()).toBe(133);
  });

  test('waits for what a running command names', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(10);
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(handles[0] ?? { objectId: '' }, 'function() {}');
    await Promise.all(handles.map((handle) => session.release(handle)));
    let report: unknown;
    const flush = world.attachment.flush().then((value) => {
      report = value;
    });
    await turns();
    expect(report).toBeUndefined();
    commands.letGo();
    await call;
    await flush;
    expect(report).toMatchObject({ complete: true, pending: 0 });
    expect(session.alive()).toEqual([]);
  });

  test('does not wait for what is dropped afterwards', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const [first, second] = await session.mint(2, { objectGroup: 'mine' });
    const answers = session.holdAnswers('Runtime.releaseObject');
    await session.release(first ?? { objectId: '' });
    const flush = world.attachment.flush();
    await answers.reached(1);
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(second ?? { objectId: '' }, 'function() {}');
    await session.release(second ?? { objectId: '' });
    answers.letGo();
    answers[Symbol.dispose]();
    expect(await flush).toMatchObject({ complete: true });
    expect(session.alive()).toEqual([second?.objectId]);
    commands.letGo();
    await call;
    await world.rest();
  });

  test.each([undefined, 'mine'])(
    'takes no handle that is dropped and released afterwards for the one that it waits for (group %s)',
    async (objectGroup) => {
      await using world = new AttachedPeer();
      const session = world.open();
      const params = objectGroup === undefined ? {} : { objectGroup };
      const [named, ...others] = await session.mint(5, params);
      const commands = session.holdCommands('Runtime.callFunctionOn');
      const call = session.call(named ?? { objectId: '' }, 'function() {}');
      await session.release(named ?? { objectId: '' });
      let report: unknown;
      const flush = world.attachment.flush().then((value) => {
        report = value;
      });
      await turns();
      for (const other of others) await session.release(other);
      await world.rest();
      expect(session.alive()).toEqual([named?.objectId]);
      expect(report, 'what was dropped before is still there').toBeUndefined();
      commands.letGo();
      await call;
      await flush;
      expect(report).toMatchObject({ complete: true });
      expect(session.alive()).toEqual([]);
    },
  );

  test('waits for the release that the client waits for itself', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const [handle, other] = await session.mint(2, { objectGroup: 'mine' });
    await session.send('Page.enable');
    const answers = session.holdAnswers('Runtime.releaseObject');
    const released = session.release(handle ?? { objectId: '' });
    let report: unknown;
    const flush = world.attachment.flush().then((value) => {
      report = value;
    });
    await answers.reached(1);
    answers[Symbol.dispose]();
    await released;
    await session.release(other ?? { objectId: '' });
    await flush;
    expect(report).toMatchObject({ complete: true });
    expect(world.stats.released).toBeGreaterThanOrEqual(1);
  });

  test.each(['before', 'after'])(
    'ends, too, where what it waits for goes with its context, %s the command that names it is answered',
    async (order) => {
      await using world = new AttachedPeer();
      const target = world.peer.openTarget();
      const session = world.open({ target });
      const handles = await session.mint(10);
      const hold = session.holdAnswers('Runtime.callFunctionOn');
      const call = session.call(
        handles[0] ?? { objectId: '' },
        'function() { return new Promise(() => {}); }',
        {
          awaitPromise: true,
        },
      );
      await Promise.all(handles.map((handle) => session.release(handle)));
      const flush = world.attachment.flush();
      await turns();
      target.navigate();
      await hold.reached(1);
      if (order === 'before') await turns();
      hold[Symbol.dispose]();
      await expect(call).rejects.toThrow();
      expect(await flush).toMatchObject({ complete: true, pending: 0 });
    },
  );

  test('ends where it goes with its session', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(10);
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(handles[0] ?? { objectId: '' }, 'function() {}');
    await Promise.all(handles.map((handle) => session.release(handle)));
    const flush = world.attachment.flush();
    await turns();
    await session.session.detach();
    await expect(call).rejects.toThrow('Target closed');
    expect(await flush).toMatchObject({ complete: true, pending: 0, elided: 10 - world.stats.released });
    commands.letGo();
  });

  test('ends where survivors are on the move, whichever way the move ends', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    for (const ends of ['well', 'badly']) {
      const handles = await session.mint(100);
      const hold = session.holdCommands('Runtime.getProperties');
      world.collector.collect(...handles.slice(1));
      const flush = world.attachment.flush();
      await hold.reached(1);
      using _ = world.peer.outbound.rewrite(
        (message) =>
          ends === 'badly' && 'command' in message && message.command.method === 'Runtime.getProperties',
        (message) => ({ ...message, result: undefined, error: { code: -32000, message: 'no' } }),
      );
      hold[Symbol.dispose]();
      expect(await flush).toMatchObject({ complete: true, pending: 0 });
    }
    await world.rest();
    expect(session.alive()).toHaveLength(2);
  });

  test('that runs out of time says how many are outstanding, and leaves no waiter behind', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(10);
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(handles[0] ?? { objectId: '' }, 'function() {}');
    await Promise.all(handles.map((handle) => session.release(handle)));
    const flush = world.attachment.flush({ timeoutMs: 1_000 });
    await turns();
    world.elapse(1_000);
    expect(await flush).toMatchObject({ complete: false, pending: 1, released: 9 });
    commands.letGo();
    await call;
    expect(await world.attachment.flush()).toMatchObject({ complete: true, pending: 0 });
  });

  test('of a hung session is bounded by releaseTimeoutMs, and counts what timed out', async () => {
    await using world = new AttachedPeer({ releaseTimeoutMs: 1_000 });
    const session = world.open();
    const handles = await session.mint(10);
    using _ = world.peer.inbound.drop();
    world.collector.collect(...handles);
    const flush = world.attachment.flush();
    await turns();
    world.elapse(1_000);
    await flush;
    await turns();
    expect(world.stats).toMatchObject({ timedOut: 10, inFlight: 0, queued: 0 });
  });

  test('with a bad timeout is refused by name', async () => {
    await using world = new AttachedPeer();
    await expect(world.attachment.flush({ timeoutMs: -1 })).rejects.toThrow(RangeError);
    await expect(world.attachment.flush({ timeoutMs: 'soon' as never })).rejects.toThrow(/timeoutMs.*'soon'/);
  });
});

describe('detach', () => {
  test('sends what was dropped, gives up what lives, and nothing is stamped any more', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(100);
    await Promise.all(handles.slice(0, 50).map((handle) => session.release(handle)));
    world.attachment.detach();
    world.attachment.detach();
    expect(world.attachment.detached).toBe(true);
    await turns();
    expect(session.alive()).toHaveLength(50);
    world.collector.collect(...handles.slice(50));
    await world.rest();
    expect(session.alive(), "what lives is the client's own affair again").toHaveLength(50);
    const later = await session.evaluate();
    expect(session.groupOf(later)).toBe('');
    expect(world.stats).toMatchObject({ minted: 100, live: 50, released: 50 });
    expect(Object.getOwnPropertyNames(session.session)).not.toContain('send');
  });

  test('in mid-flight: what is answered afterwards is not tracked, and pins come off', async () => {
    await using world = new AttachedPeer({ pressure: 1_000 });
    const session = world.open();
    const [handle] = await session.mint(1);
    const evaluations = session.holdCommands('Runtime.evaluate');
    const calls = session.holdCommands('Runtime.callFunctionOn');
    const pending = session.mint(10);
    const call = session.call(handle ?? { objectId: '' }, 'function() { return 1; }');
    await evaluations.reached(10);
    world.attachment.detach();
    evaluations.letGo();
    calls.letGo();
    await pending;
    await call;
    await world.rest();
    expect(session.alive()).toHaveLength(11);
    expect(world.collector.registered, 'no handle of an answer that came later').toHaveLength(1);
    expect(world.stats).toMatchObject({ minted: 1, live: 1 });
  });

  test('with a dropped handle that a running command names: released when that is answered', async () => {
    await using world = new AttachedPeer();
    const session = world.open({ kind: 'worker' });
    const handle = await session.evaluate('({ answer: 42 })');
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(handle, 'function() { return this.answer; }');
    await session.release(handle);
    world.attachment.detach();
    await turns();
    commands.letGo();
    expect(await call).toMatchObject({ value: 42 });
    await world.rest();
    expect(world.stats).toMatchObject({ released: 1, dropped: 0, queued: 0, inFlight: 0 });
    expect(session.alive()).toEqual([]);
  });

  test.each(['page', 'worker'] as const)(
    'with dropped handles that running commands of a %s name: all that is answered in time is released',
    async (kind) => {
      await using world = new AttachedPeer({ releaseTimeoutMs: 1_000 });
      const session = world.open({ kind });
      const [kept, answered, hung] = await session.mint(3);
      const commands = session.holdCommands('Runtime.callFunctionOn');
      const calls = [answered, hung].map((handle) =>
        session.call(handle ?? { objectId: '' }, 'function() {}'),
      );
      for (const handle of [answered, hung]) await session.release(handle ?? { objectId: '' });
      world.attachment.detach();
      const [first, second] = await commands.reached(2);
      if (first !== undefined) commands.letGo(first);
      await calls[0];
      await turns();
      expect(session.alive()).toEqual([kept?.objectId, hung?.objectId]);
      world.elapse(1_000);
      await turns();
      expect(world.stats).toMatchObject({ live: 1, released: 1, dropped: 1, queued: 0, inFlight: 0 });
      if (second !== undefined) commands.letGo(second);
      await calls[1];
      await world.rest();
      expect(world.stats).toMatchObject({ live: 1, released: 1, dropped: 1, queued: 0, inFlight: 0 });
    },
  );

  test('with what was found collected under a hold: released when that ends', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(10);
    const unhold = session.tap.ledger.holds.hold(60_000);
    world.collector.collect(...handles);
    await turns();
    world.attachment.detach();
    await turns();
    expect(session.alive()).toHaveLength(10);
    unhold();
    await turns();
    expect(session.alive()).toEqual([]);
    expect(world.stats).toMatchObject({ released: 10, dropped: 0 });
  });

  test('in the middle of a move: survivors keep working, and nothing of the move stays in the page', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(100);
    const [kept] = handles;
    const before = kept?.objectId;
    const hold = session.holdCommands('Runtime.getProperties');
    world.collector.collect(...handles.slice(1));
    await turns();
    world.elapse(3_000);
    await hold.reached(1);
    world.attachment.detach();
    hold[Symbol.dispose]();
    await world.rest();
    expect(kept?.objectId, 'nobody would translate the old id any more').toBe(before);
    expect(await session.call(kept ?? { objectId: '' }, 'function() { return 1; }')).toMatchObject({
      value: 1,
    });
    expect(session.alive()).toEqual([kept?.objectId]);
  });

  test('with a hung page holds neither the process nor the session', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(10);
    using _ = world.peer.inbound.drop();
    world.collector.collect(...handles);
    world.attachment.detach();
    await turns();
    world.elapse(60_000);
    await turns();
    expect(world.stats).toMatchObject({ queued: 0, inFlight: 0, live: 0 });
  });

  test('takes the scopes along that are open: their end is no error, and in the books', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    await world.attachment.scope(async () => {
      await session.mint(10);
      world.attachment.detach();
    });
    await world.rest();
    world.expectConserved();
  });

  test('by a signal', async () => {
    const controller = new AbortController();
    await using world = new AttachedPeer({ signal: controller.signal });
    world.open();
    controller.abort();
    expect(world.attachment.detached).toBe(true);
  });

  test('of everything leaves nothing of the session behind', async () => {
    await using world = openCollectable();
    const isForgotten = await endASession(world);
    world.attachment.detach();
    await collectUntil(isForgotten);
  });
});

test('an ended session is forgotten while its attachment lives on', async () => {
  await using world = openCollectable();
  const isForgotten = await endASession(world);
  await collectUntil(isForgotten);
  const other = world.open();
  await other.mint(1);
  expect(world.stats).toMatchObject({ live: 1, released: 100 });
});

/** One whose attachment is served by the collector of this process. */
function openCollectable(): AttachedPeer {
  return new AttachedPeer({ createRegistry: (onCollected) => keptRegistry(onCollected) });
}

/** Has a session work and end; what it gives tells whether anybody holds its books still. */
async function endASession(world: AttachedPeer): Promise<() => boolean> {
  let collected = 0;
  const registry = keptRegistry(() => collected++);
  await (async () => {
    const session = world.open();
    registry.register(session.session, undefined);
    registry.register(session.tap.ledger, undefined);
    const handles = await session.mint(100);
    await Promise.all(handles.map((handle) => session.release(handle)));
    await world.attachment.flush();
    await session.session.detach();
    await until(() => session.tap.ledger.hasEnded);
    world.peer.targets.clear();
    world.peer.commands.length = 0;
  })();
  await macrotask();
  return () => collected === 2;
}
