// Ids and parameters that a broken peer or a careless caller could come up with: none may throw into the client.
import { expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type Params } from './attached-peer.ts';

const oddIds = [
  '__proto__',
  'constructor',
  'toString',
  '\ud800',
  ' ',
  '.',
  '..',
  '1..3',
  '1.2.3.4',
  '-1.-2.-3',
  'NaN.NaN.NaN',
  '{"injectedScriptId":1,"id":2}',
  '9'.repeat(200),
  `1.1.${'x'.repeat(10_000_000)}`,
];

test.each(oddIds.map((id) => [id.slice(0, 20), id]))(
  'an id that reads %s is kept, pinned and released as any',
  async (_, objectId) => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handle = { type: 'object', objectId };
    session.session.emit('Runtime.consoleAPICalled', { args: [handle] });
    expect(world.stats).toMatchObject({ minted: 1, live: 1 });
    const commands = session.holdCommands('Runtime.callFunctionOn');
    const call = session.call(handle, 'function() {}').catch(() => {});
    world.collector.collect(handle);
    await world.rest();
    expect(session.wire('Runtime.releaseObject')).toEqual([]);
    commands.letGo();
    await call;
    await world.rest();
    expect(session.wire('Runtime.releaseObject').map(({ params }) => params.objectId === objectId)).toEqual([
      true,
    ]);
    expect(world.stats).toMatchObject({ live: 0, queued: 0, inFlight: 0 });
  },
);

test.each<[string, unknown]>([
  ['undefined', undefined],
  ['a number', 42],
  ['a list', []],
  ['a frozen object', Object.freeze({ expression: '1' })],
  ['an object with a group that is no string', { expression: '1', objectGroup: 42 }],
  ['an object without a prototype', Object.assign(Object.create(null), { expression: '1' })],
  ['an id that is no string', { objectId: { objectId: 'x' }, functionDeclaration: 'function() {}' }],
  [
    'arguments that are no list',
    { objectId: '1.1.1', functionDeclaration: 'function() {}', arguments: 'none' },
  ],
])('parameters that are %s come to what they come to without us', async (_, params) => {
  await using world = new AttachedPeer();
  const attached = world.open();
  const plain = world.peer.attach(attached.session.peer.target);
  for (const method of [
    'Runtime.evaluate',
    'Runtime.callFunctionOn',
    'Runtime.releaseObjectGroup',
    'Runtime.getProperties',
    'Page.enable',
  ]) {
    const outcomeOf = async (session: { send(method: string, params?: Params): Promise<unknown> }) => {
      try {
        return { result: await session.send(method, params as Params) };
      } catch (error) {
        return { error: String(error) };
      }
    };
    const expected = await outcomeOf(plain);
    expect(await outcomeOf(attached), method).toEqual(expected);
  }
});

test('an answer of any shape reaches the client as it is, the very same object', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  for (const result of [null, 42, 'text', [], {}, { result: null }, { result: { objectId: 7 } }]) {
    using _ = world.peer.outbound.rewrite(
      (message) => 'command' in message,
      (message) => ({ ...message, result }),
    );
    expect(await session.send('Runtime.evaluate', { expression: '1' })).toEqual(result);
  }
  expect(world.stats.minted).toBe(0);
});

test('a client that answers with a frozen object is tracked all the same', async () => {
  await using world = new AttachedPeer({ pressure: 4_096 });
  const session = world.open();
  const frozen = Object.freeze({ type: 'object', objectId: '1.1.7' });
  session.session.emit('Runtime.consoleAPICalled', Object.freeze({ args: Object.freeze([frozen]) }));
  expect(world.stats).toMatchObject({ minted: 1, live: 1 });
  expect(Reflect.ownKeys(frozen)).toEqual(['type', 'objectId']);
});

test('a message seen twice is minted once', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const params = { args: [{ type: 'object', objectId: '1.1.7' }] };
  session.session.emit('Runtime.consoleAPICalled', params);
  session.session.emit('Runtime.consoleAPICalled', params);
  await turns();
  expect(world.stats).toMatchObject({ minted: 1, live: 1 });
});
