import { describe, expect, test } from 'vitest';
import { turns, until } from '../support/turns.ts';
import { AttachedPeer, resultOf } from './attached-peer.ts';

/** Ten characters at the most: what the browser stores without an allocation of its own for each id. */
const OWN = /^crb:[0-9a-zA-Z]{6}$/;

describe('generations', () => {
  test('a command that mints is stamped with a group of ours, and nothing else of it is changed', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const params = { expression: '({})', returnByValue: false };
    const handle = resultOf(await session.send('Runtime.evaluate', params));
    expect(params).toEqual({ expression: '({})', returnByValue: false });
    expect(session.groupOf(handle)).toMatch(OWN);
    expect(session.wire('Runtime.evaluate')[0]?.params).toEqual({
      ...params,
      objectGroup: session.groupOf(handle),
    });
  });

  test('a command that mints nothing passes as it is: the very same object', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    await session.send('Page.enable', { odd: true });
    expect(session.wire()).toEqual([{ method: 'Page.enable', params: { odd: true } }]);
  });

  test('a thousand dropped at once die by a few commands, and every one of them is in the books', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(1_000);
    world.collector.collect(...handles);
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(session.releasesOnTheWire().length).toBeLessThanOrEqual(2);
    expect(world.stats).toMatchObject({
      minted: 1_000,
      collected: 1_000,
      released: 1_000,
      groupFreed: 1_000,
      live: 0,
    });
  });

  test('a group with one member alive is not released', async () => {
    await using world = new AttachedPeer({ moveSurvivors: false });
    const session = world.open();
    const [kept, ...dead] = await session.mint(100);
    world.collector.collect(...dead);
    await world.rest();
    expect(session.alive()).toEqual([kept?.objectId]);
    expect(session.wire('Runtime.releaseObjectGroup')).toEqual([]);
    expect(session.wire('Runtime.releaseObject')).toHaveLength(99);
    world.collector.collect(kept ?? {});
    await world.rest();
    expect(session.alive()).toEqual([]);
    // What was released one by one left a number each in the group's list: the group goes, too.
    expect(session.wire('Runtime.releaseObjectGroup')).toHaveLength(1);
  });

  test('a group with one mint pending is not released: the answer may bring a handle into it', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(50);
    const group = session.groupOf(handles[0] ?? { objectId: '' });
    const answers = session.holdAnswers('Runtime.evaluate');
    const pending = session.evaluate('({ late: true })');
    await answers.reached(1);
    world.collector.collect(...handles);
    await world.rest();
    expect(session.wire('Runtime.releaseObjectGroup')).toEqual([]);
    answers.letGo();
    const late = await pending;
    expect(session.groupOf(late), 'it was bound into the group that might have been released').toBe(group);
    await world.rest();
    expect(await session.call(late, 'function() { return this.late; }')).toMatchObject({ value: true });
  });

  test('names are never used twice, not by another session either', async () => {
    await using world = new AttachedPeer();
    const [one, two] = [world.open(), world.open()];
    const names = new Set<string>();
    for (let round = 0; round < 3; round++) {
      for (const session of [one, two]) {
        const handle = await session.evaluate();
        names.add(session.groupOf(handle));
        await session.release(handle);
      }
      await world.rest();
    }
    expect(names.size).toBe(6);
  });

  test('without groups nothing is stamped, and each is released by a command of its own', async () => {
    await using world = new AttachedPeer({ groups: false });
    const session = world.open();
    const handles = await session.mint(100);
    expect(session.groupOf(handles[0] ?? { objectId: '' })).toBe('');
    world.collector.collect(...handles);
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(session.wire('Runtime.releaseObject')).toHaveLength(100);
    expect(session.wire('Runtime.releaseObjectGroup')).toEqual([]);
  });

  test('both ids of a thrown evaluation are minted, and released', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const answer = (await session.send('Runtime.evaluate', {
      expression: 'throw { thrown: true }',
      returnByValue: true,
    })) as { result: { objectId: string }; exceptionDetails: { exception: { objectId: string } } };
    expect(session.alive().sort()).toEqual(
      [answer.result.objectId, answer.exceptionDetails.exception.objectId].sort(),
    );
    expect(world.stats).toMatchObject({ minted: 2, live: 2 });
    world.collector.collect(answer.result, answer.exceptionDetails.exception);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });
});

describe('inheritance', () => {
  test.each([true, false])(
    'the descriptors of getProperties are in the group of their object (groups: %s)',
    async (groups) => {
      await using world = new AttachedPeer({ groups });
      const session = world.open();
      const object = await session.evaluate('({ a: {}, get b() { return {}; } })');
      const answer = await session.send('Runtime.getProperties', {
        objectId: object.objectId,
        ownProperties: true,
      });
      expect(session.wire('Runtime.getProperties')[0]?.params).toEqual({
        objectId: object.objectId,
        ownProperties: true,
      });
      const { minted } = world.stats;
      expect(minted, 'the object, a, the getter of b, [[Prototype]]').toBe(4);
      expect(session.alive()).toHaveLength(4);
      // The object alone is dropped: its group must stay, for its children live in it.
      world.collector.collect(object);
      await world.rest();
      const child = (answer as { result: { value: { objectId: string } }[] }).result[0]?.value;
      expect(session.alive()).toHaveLength(3);
      expect(await session.call(child ?? { objectId: '' }, 'function() { return 1; }')).toMatchObject({
        value: 1,
      });
      world.collector.collect(...world.collector.registered);
      await world.rest();
      expect(session.alive()).toEqual([]);
    },
  );

  test('what awaitPromise comes to is in the group of the promise', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const promise = await session.evaluate('Promise.resolve({ settled: true })');
    const value = resultOf(await session.send('Runtime.awaitPromise', { promiseObjectId: promise.objectId }));
    expect(session.groupOf(value)).toBe(session.groupOf(promise));
    world.collector.collect(promise);
    await world.rest();
    expect(session.alive()).toEqual([value.objectId]);
    expect(await session.call(value, 'function() { return this.settled; }')).toMatchObject({ value: true });
  });

  test('a group whose promise is being awaited is not released, for the answer will be born into it', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const promise = await session.evaluate('new Promise((resolve) => { globalThis.settle = resolve; })');
    const group = session.groupOf(promise);
    const awaiting = session.send('Runtime.awaitPromise', { promiseObjectId: promise.objectId });
    world.collector.collect(promise);
    const answers = session.holdAnswers('Runtime.awaitPromise');
    await session.evaluate('globalThis.settle({ answer: 1 })', { returnByValue: true });
    await answers.reached(1);
    await world.rest();
    expect(session.alive(group)).toHaveLength(2);
    answers.letGo();
    const value = resultOf(await awaiting);
    await world.rest();
    expect(await session.call(value, 'function() { return this.answer; }')).toMatchObject({ value: 1 });
  });

  test('what is called on an object of ours goes to the current generation', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const old = await session.evaluate('({ child: {} })');
    world.elapse(5_000);
    const child = await session.call(old, 'function() { return this.child; }');
    expect(session.groupOf(child)).toMatch(OWN);
    expect(session.groupOf(child)).not.toBe(session.groupOf(old));
  });

  test("what is called on an object of the user's own group stays in that group", async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const object = await session.evaluate('({ child: { grandchild: {} } })', { objectGroup: 'mine' });
    const child = await session.call(object, 'function() { return this.child; }');
    const grandchild = await session.call(child, 'function() { return this.grandchild; }');
    expect([object, child, grandchild].map((handle) => session.groupOf(handle))).toEqual([
      'mine',
      'mine',
      'mine',
    ]);
    await session.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
    expect(session.alive()).toEqual([]);
    expect(world.stats).toMatchObject({ minted: 3, released: 3, live: 0 });
  });

  test('what is called on an object minted before the attachment inherits, whatever its arguments are', async () => {
    await using world = new AttachedPeer();
    const target = world.peer.openTarget();
    const session = world.open({ target });
    const { peer } = session.session;
    const older = peer.store.bind({ older: true }, 1, 'users');
    const ours = await session.evaluate();
    const child = await session.call({ objectId: older }, 'function(ours) { return { ours }; }', {
      arguments: [{ objectId: ours.objectId }],
    });
    expect(session.groupOf(child)).toBe('users');
    const inMine = await session.evaluate('({})', { objectGroup: 'mine' });
    const other = await session.call({ objectId: older }, 'function(mine) { return { mine }; }', {
      arguments: [{ objectId: inMine.objectId }],
    });
    await session.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
    expect(session.alive()).toContain(other.objectId);
    expect(world.stats, 'its group is not the one of the argument').toMatchObject({ live: 3, released: 1 });
    world.collector.collect(other, child, ours);
    await world.rest();
    expect(session.alive()).toEqual([older]);
  });
});

describe("groups of the user's", () => {
  test('a group asked for is kept, also in a scope and with groups off', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const outside = await session.evaluate('({})', { objectGroup: 'mine' });
    await world.attachment.scope(async () => {
      const inside = await session.evaluate('({})', { objectGroup: 'mine' });
      expect(session.groupOf(inside)).toBe('mine');
    });
    expect(session.groupOf(outside)).toBe('mine');
    await world.rest();
    expect(session.alive()).toEqual([outside.objectId]);
  });

  test('an empty name asks for no group: nothing is inherited, so the mint is ours to stamp', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const object = await session.evaluate('({ child: {} })', { objectGroup: 'mine' });
    const child = await session.call(object, 'function() { return this.child; }', { objectGroup: '' });
    expect(session.groupOf(child)).not.toBe('mine');
    await session.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
    expect(session.alive()).toEqual([child.objectId]);
    expect(world.stats).toMatchObject({ live: 1, released: 1 });
    world.collector.collect(child);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('its members are released one by one when dropped, and never the group', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const [one, two] = await session.mint(2, { objectGroup: 'mine' });
    world.collector.collect(one ?? {});
    await world.rest();
    expect(session.alive()).toEqual([two?.objectId]);
    world.collector.collect(two ?? {});
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(session.wire('Runtime.releaseObjectGroup')).toEqual([]);
  });

  test('released by the user, all that it held is in the books as released; a handle of it is no double', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(10, { objectGroup: 'mine' });
    await session.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
    expect(world.stats).toMatchObject({ minted: 10, live: 0, disposed: 10, released: 10 });
    world.collector.collect(...handles);
    await world.rest();
    expect(session.wire('Runtime.releaseObject')).toEqual([]);
    expect(world.stats).toMatchObject({ minted: 10, released: 10, collected: 0 });
  });

  test.each(['page', 'worker'] as const)(
    '%s: a handle minted into a group while its release was on the way is tracked and pinned as any',
    async (kind) => {
      await using world = new AttachedPeer();
      const session = world.open({ kind });
      await session.evaluate('({})', { objectGroup: 'mine' });
      const commands = session.holdCommands('Runtime.evaluate');
      const minting = session.evaluate('({ late: true })', { objectGroup: 'mine' });
      await session.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
      commands.letGo();
      commands[Symbol.dispose]();
      const late = await minting;
      expect(world.stats).toMatchObject({ minted: 2, live: 1, released: 1 });
      const calls = session.holdCommands('Runtime.callFunctionOn');
      const call = session.call(late, 'function() { return this.late; }');
      await session.release(late);
      await world.rest();
      expect(session.alive()).toEqual([late.objectId]);
      calls.letGo();
      expect(await call).toMatchObject({ value: true });
      await world.rest();
      expect(session.alive()).toEqual([]);
      expect(world.stats).toMatchObject({ minted: 2, live: 0, released: 2 });
    },
  );

  test('released twice, used in between: the books follow', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    for (let round = 1; round <= 3; round++) {
      const [one] = await session.mint(3, { objectGroup: 'mine' });
      const answers = session.holdAnswers('Runtime.callFunctionOn');
      const call = session.call(one ?? { objectId: '' }, 'function() { return {}; }');
      await answers.reached(1);
      await session.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
      answers.letGo();
      answers[Symbol.dispose]();
      await call;
      await session.mint(2, { objectGroup: 'mine' });
      await session.send('Runtime.releaseObjectGroup', { objectGroup: 'mine' });
      expect(session.alive('mine')).toEqual([]);
    }
    await world.rest();
    expect(session.alive()).toEqual([]);
    world.expectConserved();
    const { live, released, gone, minted } = world.stats;
    expect(minted).toBe(18);
    // A handle whose answer came behind the group's release: the browser had freed it, and will say so.
    expect({ live: live <= 3, ended: released + gone + live }).toEqual({ live: true, ended: 18 });
  });
});

test('a worker session: groups die whole there, too, and no release overtakes a mint', async () => {
  await using world = new AttachedPeer();
  const session = world.open({ kind: 'worker' });
  const handles = await session.mint(100);
  const commands = session.holdCommands('Runtime.evaluate');
  const pending = session.evaluate('({ late: true })');
  world.collector.collect(...handles);
  await world.rest();
  expect(session.wire('Runtime.releaseObjectGroup')).toEqual([]);
  commands.letGo();
  const late = await pending;
  await world.rest();
  expect(session.alive()).toEqual([late.objectId]);
  world.collector.collect(late);
  await world.rest();
  expect(session.alive()).toEqual([]);
  await until(() => world.stats.queued === 0);
  await turns();
});
