import { describe, expect, test } from 'vitest';
import { turns, until } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type Handle, type Params } from './attached-peer.ts';

// Both ways to drop: the client's own release, and the garbage collector's word.
const drops: [string, (world: AttachedPeer, session: AttachedSession, handle: Handle) => Promise<void>][] = [
  ['disposed', async (_, session, handle) => void (await session.release(handle))],
  ['collected', async (world, _, handle) => world.collector.collect(handle)],
];
const kinds = ['page', 'worker'] as const;
const cases = kinds.flatMap((kind) =>
  [true, false].flatMap((groups) => drops.map((drop) => [kind, groups, ...drop] as const)),
);

test('named again while it waits in the queue, as a member of a group of the user’s: it stays', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const [handle] = await session.mint(1, { objectGroup: 'mine' });
  if (!handle) throw new Error();
  const commands = session.holdCommands('Runtime.callFunctionOn');
  const released = session.release(handle);
  expect(world.stats.queued).toBe(1);
  const call = session.call(handle, 'function() { return 1; }');
  await released;
  await world.rest();
  expect(session.releasesOnTheWire()).toEqual([]);
  commands.letGo();
  expect(await call).toMatchObject({ value: 1 });
  await world.rest();
  expect(session.alive()).toEqual([]);
  expect(world.stats).toMatchObject({ queued: 0, released: 1 });
});

describe.each(cases)('%s, groups: %s, a handle that is %s', (kind, groups, _, drop) => {
  test('stays while an unanswered command has it as its target', async () => {
    await using world = new AttachedPeer({ groups });
    const session = world.open({ kind });
    const handle = await session.evaluate('({ answer: 42 })');
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(handle, 'function() { return this.answer; }');
    await drop(world, session, handle);
    await world.rest();
    expect(session.releasesOnTheWire()).toEqual([]);
    expect(session.alive()).toEqual([handle.objectId]);
    commands.letGo();
    expect(await call).toMatchObject({ value: 42 });
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(world.stats).toMatchObject({ live: 0, queued: 0, released: 1 });
  });

  test('stays while an unanswered command has it as an argument', async () => {
    await using world = new AttachedPeer({ groups });
    const session = world.open({ kind });
    const [target, argument] = await session.mint(2);
    if (!target || !argument) throw new Error();
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(target, 'function(a, b) { return typeof b; }', {
      arguments: [{ value: 1 }, { objectId: argument.objectId }],
    });
    await drop(world, session, argument);
    await world.rest();
    expect(session.alive()).toContain(argument.objectId);
    commands.letGo();
    expect(await call).toMatchObject({ value: 'object' });
    await world.rest();
    expect(session.alive()).toEqual([target.objectId]);
  });

  test('stays until the last of several commands that name it is answered', async () => {
    await using world = new AttachedPeer({ groups });
    const session = world.open({ kind });
    const handle = await session.evaluate();
    const answers = session.holdAnswers('Runtime.callFunctionOn');
    const calls = Promise.all(
      [1, 2, 3].map((number) => session.call(handle, `function() { return ${number}; }`)),
    );
    await drop(world, session, handle);
    const [first, second, third] = await answers.reached(3);
    for (const answer of [second, first]) {
      if (answer) answers.letGo(answer);
      await world.rest();
      expect(session.alive()).toEqual([handle.objectId]);
    }
    if (third) answers.letGo(third);
    await calls;
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('stays while a promise of its is awaited, though nobody else refers to it', async () => {
    await using world = new AttachedPeer({ groups });
    const session = world.open({ kind });
    const promise = await session.evaluate('new Promise((resolve) => { globalThis.settle = resolve; })');
    const awaiting = session.send('Runtime.awaitPromise', { promiseObjectId: promise.objectId });
    await drop(world, session, promise);
    await world.rest();
    expect(session.alive()).toEqual([promise.objectId]);
    await session.evaluate('globalThis.settle(1)');
    expect(await awaiting).toMatchObject({ result: { value: 1 } });
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('is released although the command that names it is refused', async () => {
    await using world = new AttachedPeer({ groups });
    const session = world.open({ kind });
    const handle = await session.evaluate();
    const call = session.call(handle, 'not a function at all: 5');
    await drop(world, session, handle);
    await call.catch(() => {});
    for (const thrown of world.collector.registered.filter((other) => other !== handle))
      world.collector.collect(thrown);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('is named again while its release is in the queue: it is taken out, and sent afterwards', async () => {
    await using world = new AttachedPeer({ groups, maxInFlightBatches: 1, maxBatchSize: 1 });
    const session = world.open({ kind });
    const [first, handle] = await session.mint(2);
    if (!first || !handle) throw new Error();
    // The first release fills the only slot of the window.
    const answers = session.holdAnswers('Runtime.releaseObject');
    await session.release(first);
    void world.attachment.flush();
    await until(() => session.releasesOnTheWire().length === 1);
    const objectId = handle.objectId; // As Puppeteer's LazyArg holds it.
    await drop(world, session, handle);
    void world.attachment.flush();
    await turns();
    expect(session.releasesOnTheWire()).toHaveLength(1);
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call({ objectId }, 'function() { return 7; }');
    answers.letGo();
    answers[Symbol.dispose]();
    await world.rest();
    expect(session.alive()).toContain(objectId);
    commands.letGo();
    commands[Symbol.dispose]();
    expect(await call).toMatchObject({ value: 7 });
    await world.rest();
    expect(session.alive()).toEqual([]);
  });
});

test.each(kinds)(
  '%s: a whole group in the queue is called back when one of its members is named again',
  async (kind) => {
    await using world = new AttachedPeer({ maxInFlightBatches: 1, maxBatchSize: 1 });
    const session = world.open({ kind });
    const [first, ...others] = await session.mint(20);
    const kept = await session.evaluate('({ kept: true })', { objectGroup: 'mine' });
    if (!first) throw new Error();
    const answers = session.holdAnswers('Runtime.releaseObject');
    await session.release(kept);
    await until(() => session.releasesOnTheWire().length === 1);
    for (const handle of [first, ...others]) await session.release(handle);
    void world.attachment.flush();
    await turns();
    expect(session.releasesOnTheWire()).toHaveLength(1);
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(first, 'function() { return 7; }');
    answers.letGo();
    answers[Symbol.dispose]();
    await world.rest();
    expect(session.alive()).toContain(first.objectId);
    commands.letGo();
    commands[Symbol.dispose]();
    expect(await call).toMatchObject({ value: 7 });
    await world.rest();
    expect(session.alive()).toEqual([]);
  },
);

test('on a worker, whose releases overtake, a running call still finds what it names', async () => {
  await using world = new AttachedPeer();
  const session = world.open({ kind: 'worker' });
  const handles = await session.mint(10);
  const calls = handles.map((handle, index) => {
    const call = session.call(handle, `function() { return ${index}; }`);
    void session.release(handle);
    return call;
  });
  void world.attachment.flush();
  expect((await Promise.all(calls)).map((result) => (result as { value?: unknown }).value)).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
  ]);
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test('a send that throws in the call leaves no pin and no pending mint behind', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  const cyclic: Params = { objectId: handle.objectId, functionDeclaration: 'function() {}' };
  cyclic.self = cyclic;
  expect(() => session.send('Runtime.callFunctionOn', cyclic)).toThrow(/circular/i);
  expect(() => session.send('Runtime.evaluate', { expression: '1', extra: 1n })).toThrow(TypeError);
  await session.release(handle);
  await world.rest();
  expect(session.alive()).toEqual([]);
  expect(session.releasesOnTheWire().map(({ method }) => method)).toEqual(['Runtime.releaseObjectGroup']);
});

test('the original send is reached within the same call', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const before = world.peer.commands.length;
  const running = session.send('Runtime.evaluate', { expression: '1' });
  expect(world.peer.commands.length).toBe(before + 1);
  await running;
});
