// Where few of a group live on they are moved to another, so that the rest can die by one command.
import { describe, expect, test } from 'vitest';
import type { Message } from '../support/fake-peer.ts';
import { turns, until } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

const none: Handle = { objectId: '' };

/** A group of a hundred of which three live on, each with a number of its own; and time enough to move them. */
async function withFewSurvivors(world: AttachedPeer, session: AttachedSession): Promise<Handle[]> {
  const survivors = await Promise.all([1, 2, 3].map((number) => session.evaluate(`({ number: ${number} })`)));
  world.collector.collect(...(await session.mint(97)));
  await turns();
  world.elapse(3_000);
  return survivors;
}

async function expectUsable(session: AttachedSession, survivors: readonly Handle[]): Promise<void> {
  for (const [index, handle] of survivors.entries()) {
    expect(await session.call(handle, 'function() { return this.number; }')).toMatchObject({
      value: index + 1,
    });
  }
}

function replyTo(method: string): (message: Message) => boolean {
  return (message) => 'command' in message && message.command.method === method;
}

test('survivors are moved by a few commands: their objects have new ids, and nothing else stays', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const survivors = await withFewSurvivors(world, session);
  const before = survivors.map(({ objectId }) => objectId);
  await world.rest();
  const after = survivors.map(({ objectId }) => objectId);
  expect(after.some((id) => before.includes(id))).toBe(false);
  expect(session.alive().sort()).toEqual([...after].sort());
  await expectUsable(session, survivors);
  expect(world.stats).toMatchObject({ moved: 3, live: 3, groupFreed: 97, released: 97 });
  const commands =
    session.wire().filter(({ method }) => method !== 'Runtime.evaluate').length - survivors.length;
  expect(commands, 'a call, a listing, the list, and the group').toBeLessThanOrEqual(5);
  world.collector.collect(...survivors);
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test.each([
  ['a worker, where a release could overtake the move', { kind: 'worker' } as const, {}],
  ['with moveSurvivors: false', {}, { moveSurvivors: false }],
  ['with groups: false', {}, { groups: false }],
])('%s: the dead go one by one, the living stay where they are', async (_, traits, options) => {
  await using world = new AttachedPeer(options);
  const session = world.open(traits);
  const survivors = await withFewSurvivors(world, session);
  const before = survivors.map(({ objectId }) => objectId);
  await world.rest();
  expect(survivors.map(({ objectId }) => objectId)).toEqual(before);
  expect(session.alive().sort()).toEqual([...before].sort());
  expect(world.stats).toMatchObject({ moved: 0 });
  await expectUsable(session, survivors);
});

describe('an id from before the move', () => {
  test('is translated in whatever the session sends: as target, as argument, for its release', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const survivors = await withFewSurvivors(world, session);
    const [one = '', two = '', three = ''] = survivors.map(({ objectId }) => objectId);
    await world.rest();
    const sum = await session.call(
      { objectId: one },
      'function(other) { return this.number + other.number; }',
      {
        arguments: [{ objectId: two }],
      },
    );
    expect(sum).toMatchObject({ value: 3 });
    await session.release({ objectId: three });
    await session.send('Page.enable');
    await session.release({ objectId: two }); // A barrier, sent for real.
    await world.rest();
    expect(session.alive()).toEqual([survivors[0]?.objectId]);
  });

  test('is translated through any number of moves', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const survivors = await Promise.all(
      [1, 2, 3].map((number) => session.evaluate(`({ number: ${number} })`)),
    );
    const ids = survivors.map(({ objectId }) => objectId);
    const [first = none] = survivors;
    // Of the others as many live on each time as go along to the next group, and die there.
    const others = await session.mint(800);
    const seen = new Set([first.objectId]);
    for (const living of [160, 32, 0]) {
      world.collector.collect(...others.splice(living));
      await world.rest();
      seen.add(first.objectId);
    }
    expect(seen.size, 'moved each time').toBe(4);
    await expectUsable(
      session,
      ids.map((objectId) => ({ objectId })),
    );
  });

  test('pins the handle that it stands for', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const survivors = await withFewSurvivors(world, session);
    const [old = ''] = survivors.map(({ objectId }) => objectId);
    await world.rest();
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call({ objectId: old }, 'function() { return this.number; }');
    world.collector.collect(survivors[0] ?? none);
    await world.rest();
    expect(session.alive()).toHaveLength(3);
    commands.letGo();
    expect(await call).toMatchObject({ value: 1 });
    await world.rest();
    expect(session.alive()).toHaveLength(2);
  });

  test("copies only what changes in the parameters, which are the client's", async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const survivors = await withFewSurvivors(world, session);
    const [old = ''] = survivors.map(({ objectId }) => objectId);
    await world.rest();
    const params = {
      objectId: old,
      functionDeclaration: 'function() {}',
      arguments: [{ objectId: old }, { value: 1 }],
    };
    await session.send('Runtime.callFunctionOn', params);
    expect(params).toEqual({
      objectId: old,
      functionDeclaration: 'function() {}',
      arguments: [{ objectId: old }, { value: 1 }],
    });
  });
});

describe('a survivor', () => {
  test('that is named while the move is under way keeps its id until that is answered', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const moving = session.holdAnswers('Runtime.getProperties');
    const survivors = await withFewSurvivors(world, session);
    const [named = none] = survivors;
    const before = named.objectId;
    await moving.reached(1);
    // Named from now on; the answer comes when the move is over.
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(named, 'function() { return this.number; }');
    moving.letGo();
    moving[Symbol.dispose]();
    await world.rest();
    expect(named.objectId, 'a pinned id is not moved').toBe(before);
    commands.letGo();
    commands[Symbol.dispose]();
    expect(await call).toMatchObject({ value: 1 });
    await world.rest();
    await expectUsable(session, survivors);
    expect(session.alive().sort()).toEqual(survivors.map(({ objectId }) => objectId).sort());
  });

  test('that dies while the move is under way is not brought back, and its new id is released', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const moving = session.holdAnswers('Runtime.getProperties');
    const [dying, ...others] = await withFewSurvivors(world, session);
    await moving.reached(1);
    world.collector.collect(dying ?? none);
    await turns();
    moving[Symbol.dispose]();
    await world.rest();
    expect(session.alive().sort()).toEqual(others.map(({ objectId }) => objectId).sort());
  });

  test('most of which die while the move is under way: what was bound for them goes as a group', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const moving = session.holdAnswers('Runtime.getProperties');
    const [first, ...others] = await session.mint(60);
    world.collector.collect(...(await session.mint(100)));
    await turns();
    world.elapse(3_000);
    await moving.reached(1);
    const before = session.wire().length;
    world.collector.collect(...others);
    await turns();
    moving[Symbol.dispose]();
    await world.rest();
    expect(session.alive()).toEqual([first?.objectId]);
    expect(session.wire().length - before).toBeLessThanOrEqual(8);
  });

  test('that is disposed of while the move is under way, all of them: nothing stays', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const moving = session.holdAnswers('Runtime.getProperties');
    const survivors = await withFewSurvivors(world, session);
    await moving.reached(1);
    await Promise.all(survivors.map((handle) => session.release(handle)));
    moving[Symbol.dispose]();
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('whose object is frozen is left where it is', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const frozen = Object.freeze(await session.evaluate('({ number: 1 })'));
    world.collector.collect(...(await session.mint(97)));
    await world.rest();
    expect(session.alive()).toEqual([frozen.objectId]);
    await expectUsable(session, [frozen]);
    world.collector.collect(frozen);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test.each([
    ['a function', '(function() { return 1; })'],
    ['a symbol', 'Symbol("kept")'],
    ['a proxy', 'new Proxy({}, {})'],
    ['a proxy that throws', 'new Proxy({}, { ownKeys() { throw 1; }, getPrototypeOf() { throw 1; } })'],
    ['an object with throwing getters', '({ get number() { throw new Error(); } })'],
    ['an array', '[1, 2, 3]'],
    ['a promise that rejects', 'Promise.reject(1).catch(() => {}) && Promise.resolve(2)'],
    ['an object without a prototype', 'Object.create(null)'],
    ['a date', 'new Date(0)'],
  ])('is %s: it works afterwards, moved or not', async (_, expression) => {
    await using world = new AttachedPeer();
    const session = world.open();
    const kept = await session.evaluate(expression);
    const witness = await session.evaluate(`globalThis.kept = ${expression}`);
    world.collector.collect(...(await session.mint(97)));
    await world.rest();
    expect(session.alive().sort()).toEqual([kept.objectId, witness.objectId].sort());
    const same = await session.call(
      witness,
      'function(kept) { return globalThis.kept === this || typeof kept; }',
      {
        arguments: [{ objectId: kept.objectId }],
      },
    );
    expect(same).toMatchObject({ type: expect.stringMatching(/boolean|string/) });
  });
});

describe('a move that fails loses nothing', () => {
  const failures: [string, string, (message: Message) => Message][] = [
    [
      'the call is refused',
      'Runtime.callFunctionOn',
      (message) => ({ ...message, result: undefined, error: { code: -32000, message: 'no' } }) as Message,
    ],
    [
      'the call gives no object',
      'Runtime.callFunctionOn',
      (message) => ({ ...message, result: { result: { type: 'undefined' } } }) as Message,
    ],
    [
      'the call gives nothing',
      'Runtime.callFunctionOn',
      (message) => ({ ...message, result: null }) as Message,
    ],
    [
      'the listing is refused',
      'Runtime.getProperties',
      (message) => ({ ...message, result: undefined, error: { code: -32000, message: 'no' } }) as Message,
    ],
    [
      'the listing is empty',
      'Runtime.getProperties',
      (message) => ({ ...message, result: { result: [] } }) as Message,
    ],
    [
      'the listing is no list',
      'Runtime.getProperties',
      (message) => ({ ...message, result: { result: 'none' } }) as Message,
    ],
    [
      'the listing has holes',
      'Runtime.getProperties',
      (message) =>
        ({ ...message, result: { result: [null, 1, { name: '0' }, { name: 1, value: {} }] } }) as Message,
    ],
  ];

  test.each(failures)('where %s', async (_, method, corrupt) => {
    await using world = new AttachedPeer();
    const session = world.open();
    const fence = world.peer.outbound.rewrite(replyTo(method), corrupt);
    const survivors = await withFewSurvivors(world, session);
    await world.rest();
    fence[Symbol.dispose]();
    await expectUsable(session, survivors);
    await world.rest();
    const alive = session.alive().filter((id) => !survivors.some(({ objectId }) => objectId === id));
    // Ids of an answer that was corrupted on its way are nobody's to know, unless their group went.
    expect(alive).toEqual([]);
    expect(world.stats).toMatchObject({ live: 3, queued: 0 });
    world.collector.collect(...survivors);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('where its context ends in the middle', async () => {
    await using world = new AttachedPeer();
    const target = world.peer.openTarget();
    const session = world.open({ target });
    const hold = session.holdCommands('Runtime.getProperties');
    await withFewSurvivors(world, session);
    await hold.reached(1);
    target.navigate();
    hold[Symbol.dispose]();
    await world.rest();
    expect(world.stats).toMatchObject({ live: 0, queued: 0, inFlight: 0 });
  });

  test('where the session ends in the middle', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const hold = session.holdCommands('Runtime.getProperties');
    await withFewSurvivors(world, session);
    await hold.reached(1);
    await session.session.detach();
    hold[Symbol.dispose]();
    await world.rest();
    expect(world.stats).toMatchObject({ live: 0, queued: 0, inFlight: 0 });
  });

  test('where a group of several contexts is half dead: each context by itself', async () => {
    await using world = new AttachedPeer();
    const target = world.peer.openTarget();
    const session = world.open({ target });
    const isolated = target.createContext('world');
    const [here, there] = [
      await session.evaluate('({ number: 1 })'),
      await session.evaluate('({ number: 2 })', { contextId: isolated.id }),
    ];
    world.collector.collect(...(await session.mint(97)));
    await world.rest();
    expect(session.alive().sort()).toEqual([here.objectId, there.objectId].sort());
    await expectUsable(session, [here, there]);
  });
});

test('a page that hangs keeps a move waiting, and no more', async () => {
  await using world = new AttachedPeer();
  const [hung, healthy] = [world.open(), world.open()];
  const hold = hung.holdCommands('Runtime.callFunctionOn');
  await withFewSurvivors(world, hung);
  await hold.reached(1);
  world.collector.collect(...(await healthy.mint(100)));
  await world.rest();
  expect(healthy.alive()).toEqual([]);
  hold[Symbol.dispose]();
  await until(() => hung.alive().length === 3);
});

test('a page that hangs is not waited for for ever: its dead are counted, and what it answers late moves nobody', async () => {
  await using world = new AttachedPeer({ releaseTimeoutMs: 1_000 });
  const session = world.open();
  const handles = await session.mint(100);
  const kept = handles[0] ?? { objectId: '' };
  const before = kept.objectId;
  const moves = session.holdCommands('Runtime.callFunctionOn');
  const releases = session.holdCommands('Runtime.releaseObject');
  world.collector.collect(...handles.slice(1));
  await turns();
  world.elapse(3_000);
  await moves.reached(1);
  world.elapse(1_000);
  await releases.reached(64);
  for (let round = 0; round < 3; round++) {
    world.elapse(1_000);
    await turns();
  }
  expect(world.stats).toMatchObject({ live: 1, queued: 0, inFlight: 0, timedOut: 99 });
  moves[Symbol.dispose]();
  releases[Symbol.dispose]();
  await world.rest();
  expect(kept.objectId).toBe(before);
  expect(session.alive(), 'nothing of the move is left').toEqual([before]);
});
