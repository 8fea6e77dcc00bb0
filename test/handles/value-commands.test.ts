// Commands that bring a value mint only by throwing. They go out as they came, and lose nothing by it.
import { describe, expect, test } from 'vitest';
import { GROUPED_AFTER_THROW } from '../../src/policy.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

const THROWING = { expression: '(() => { throw new Error("thrown in the page"); })()', returnByValue: true };

describe('where the client handles each refusal itself', () => {
  test('the client gets the very promise that its own send gave, and the browser the very parameters', async () => {
    await using world = new AttachedPeer();
    const session = world.open({ handlesRefusals: true });
    const below = Object.getPrototypeOf(session.session);
    const given: unknown[] = [];
    const sent: unknown[] = [];
    const { send } = below;
    below.send = function (this: unknown, method: string, params: unknown) {
      sent.push(params);
      const answer = send.call(this, method, params);
      given.push(answer);
      return answer;
    };
    try {
      const params = { expression: '1 + 1', returnByValue: true };
      const answer = session.send('Runtime.evaluate', params);
      expect(given).toEqual([answer]);
      expect(given[0]).toBe(answer);
      expect(sent[0]).toBe(params);
      expect(await answer).toMatchObject({ result: { value: 2 } });
    } finally {
      below.send = send;
    }
    expect(world.stats.minted).toBe(0);
  });

  test('an error that it throws is released when its object is collected', async () => {
    await using world = new AttachedPeer();
    const session = world.open({ handlesRefusals: true });
    await session.send('Runtime.evaluate', THROWING);
    expect(session.alive()).toHaveLength(2);
    expect(world.stats).toMatchObject({ minted: 2, live: 2 });
    world.collector.collect(...world.collector.registered);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('errors that are thrown one after another share a group, until none is thrown for a while', async () => {
    await using world = new AttachedPeer();
    const session = world.open({ handlesRefusals: true });
    const count = 20;
    for (let index = 0; index < count; index++) await session.send('Runtime.evaluate', THROWING);
    world.collector.collect(...world.collector.registered);
    await world.rest();
    expect(session.alive()).toEqual([]);
    // The first two ids by themselves, all others by one command.
    expect(session.releasesOnTheWire()).toHaveLength(3);
    const isInGroup = async (): Promise<boolean> => {
      await session.send('Runtime.evaluate', { expression: '1', returnByValue: true });
      return session.wire('Runtime.evaluate').at(-1)?.params.objectGroup !== undefined;
    };
    for (let index = 0; index < GROUPED_AFTER_THROW; index++) expect(await isInGroup()).toBe(true);
    expect(await isInGroup()).toBe(false);
  });

  test('an error inherits the group of the target, which is not released before it', async () => {
    await using world = new AttachedPeer();
    const session = world.open({ handlesRefusals: true });
    const target = await session.evaluate();
    await session.call(target, 'function() { throw new Error("thrown in the page"); }', {
      returnByValue: true,
    });
    const thrown = world.collector.registered.filter((object) => object !== target);
    expect(thrown).toHaveLength(2);
    for (const error of thrown) expect(session.groupOf(error)).toBe(session.groupOf(target));
    await session.release(target);
    await world.rest();
    expect(session.alive().sort()).toEqual(thrown.map(({ objectId }) => objectId).sort());
    world.collector.collect(...thrown);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test.each(['page', 'worker'] as const)('what it names stays while it is unanswered: %s', async (kind) => {
    await using world = new AttachedPeer();
    const session = world.open({ kind, handlesRefusals: true });
    const [target, argument] = await session.mint(2);
    if (!target || !argument) throw new Error();
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(target, 'function(a) { return typeof a; }', {
      arguments: [{ objectId: argument.objectId }],
      returnByValue: true,
    });
    world.collector.collect(target, argument);
    await world.rest();
    expect(session.alive()).toEqual([target.objectId, argument.objectId]);
    commands.letGo();
    expect(await call).toMatchObject({ value: 'object' });
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('a command that brings nothing goes the same way, and what it names stays while it is unanswered', async () => {
    await using world = new AttachedPeer();
    const session = world.open({ handlesRefusals: true });
    const handle = await session.evaluate();
    const given: unknown[] = [];
    const below = Object.getPrototypeOf(session.session);
    const { send } = below;
    below.send = function (this: unknown, ...args: unknown[]) {
      const answer = send.apply(this, args);
      given.push(answer);
      return answer;
    };
    const commands = session.holdCommands('DOM.describeNode');
    let answer: Promise<unknown>;
    try {
      answer = session.send('DOM.describeNode', { objectId: handle.objectId });
    } finally {
      below.send = send;
    }
    expect(answer).toBe(given[0]);
    world.collector.collect(handle);
    await world.rest();
    expect(session.alive()).toEqual([handle.objectId]);
    commands.letGo();
    await answer.catch(() => {}); // The peer need not know the command.
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('what it names stays no longer once it is refused', async () => {
    await using world = new AttachedPeer();
    const session = world.open({ handlesRefusals: true });
    const handle = await session.evaluate();
    const refused = session.send('Runtime.callFunctionOn', {
      executionContextId: 12_345,
      functionDeclaration: 'function() {}',
      arguments: [{ objectId: handle.objectId }],
      returnByValue: true,
    });
    await expect(refused).rejects.toThrow();
    world.collector.collect(handle);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('a handle of a scope that has ended is refused', async () => {
    await using world = new AttachedPeer();
    const session = world.open({ handlesRefusals: true });
    const handle = await world.attachment.scope(() => session.evaluate());
    await expect(session.call(handle, 'function() { return 1; }', { returnByValue: true })).rejects.toThrow(
      'inside a scope that has ended',
    );
  });
});

test('where the program may leave a refusal unhandled, Node tells of it', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const unhandled: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => unhandled.push(reason));
  try {
    void session.send('Runtime.callFunctionOn', {
      executionContextId: 12_345,
      functionDeclaration: 'function() {}',
      returnByValue: true,
    });
    await turns();
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  }
  expect(unhandled).toHaveLength(1);
});

describe('where a program may send by itself', () => {
  test('the browser gets the very parameters, and a refusal goes on to whoever asked', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const params = { expression: '1 + 1', returnByValue: true };
    expect(await session.send('Runtime.evaluate', params)).toMatchObject({ result: { value: 2 } });
    expect(session.wire('Runtime.evaluate').at(-1)?.params.objectGroup).toBeUndefined();
    const refused = session.send('Runtime.callFunctionOn', {
      functionDeclaration: '() => 1',
      objectId: 'none.such.id',
      returnByValue: true,
    });
    await expect(refused).rejects.toThrow();
  });
});
