// A browser may know commands that the description of the protocol does not have yet. What they name is kept for them,
// under whichever id the script has it; what they mint may share the group of what they name.
import { describe, expect, test } from 'vitest';
import { attach } from '../../src/clients/session.ts';
import type { Handle as HandleRecord } from '../../src/handles/session-ledger.ts';
import { forEachText, withTranslatedTexts } from '../../src/handles/unlisted-command.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type Handle, type Params } from './attached-peer.ts';

/** Places where such a command may have an id. */
const places: [string, (id: string) => Params][] = [
  ['by the usual name', (objectId) => ({ objectId })],
  ['by another name', (handle) => ({ handle })],
  ['deep inside', (objectId) => ({ of: [{ many: { objectId } }] })],
  ['in a list', (id) => ({ objects: [id] })],
];

describe.each(places)('an id %s', (_, paramsFor) => {
  test('is not released before the command is answered', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handle = await session.evaluate();
    const commands = session.holdCommands('Future.enable');
    const use = session.send('Future.enable', paramsFor(handle.objectId));
    world.collector.collect(handle);
    await world.rest();
    expect(session.alive()).toEqual([handle.objectId]);
    commands.letGo();
    await use;
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('is translated where the object has moved', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(40);
    const [kept] = handles as [Handle];
    const firstId = kept.objectId;
    world.collector.collect(...handles.slice(1));
    await world.rest();
    expect(kept.objectId, 'it has moved').not.toBe(firstId);
    await session.send('Future.enable', paramsFor(firstId));
    expect(session.wire('Future.enable')).toEqual([
      { method: 'Future.enable', params: paramsFor(kept.objectId) },
    ]);
  });
});

test('a text that the user types keeps nothing, even if it reads like an id', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  const commands = session.holdCommands('Input.insertText');
  const typing = session.send('Input.insertText', { text: handle.objectId });
  typing.catch(() => {});
  world.collector.collect(handle);
  await world.rest();
  expect(session.alive()).toEqual([]);
  commands.letGo();
  await expect(typing).rejects.toThrow("wasn't found");
});

test('one that is refused keeps nothing', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  await expect(session.send('Future.use', { objectId: handle.objectId })).rejects.toThrow("wasn't found");
  await expect(async () =>
    session.send('Future.use', { objectId: handle.objectId, big: 1n }),
  ).rejects.toThrow(TypeError);
  world.collector.collect(handle);
  await world.rest();
  expect(session.alive()).toEqual([]);
  expect(session.releasesOnTheWire()).toMatchObject([{ method: 'Runtime.releaseObjectGroup' }]);
});

test.each([
  [{}, 'Runtime.releaseObjectGroup'],
  [{ made: [{ value: { type: 'object', objectId: '-1.1.99' } }] }, 'Runtime.releaseObject'],
])('answered with %j, its object is released by %s', async (answer, release) => {
  const sent: { readonly method: string; readonly params: Params }[] = [];
  let collect: (record: HandleRecord) => void = () => {};
  let registered: HandleRecord | undefined;
  const session = {
    send: async (method: string, params: Params = {}): Promise<unknown> => {
      sent.push({ method, params });
      if (method === 'Future.use') return answer;
      return method === 'Runtime.evaluate' ? { result: { type: 'object', objectId: '-1.1.1' } } : {};
    },
    on: () => {},
    off: () => {},
  };
  using releases = attach(session, {
    track: true,
    pressure: false,
    createRegistry: (onCollected) => {
      collect = onCollected;
      return {
        register: (_, record) => {
          registered = record;
        },
      };
    },
  });
  await session.send('Runtime.evaluate', { expression: '({})' });
  await session.send('Future.use', { objectId: '-1.1.1' });
  await turns();
  if (registered === undefined) throw new Error('it was not registered');
  collect(registered);
  expect(await releases.flush()).toMatchObject({ complete: true });
  expect(sent.map(({ method }) => method)).toEqual(['Runtime.evaluate', 'Future.use', release]);
});

test('parameters are walked whatever they are: a circle, a getter that throws, an array of bytes', () => {
  const circle: Params = { text: 'a', bytes: new Uint8Array(1_000) };
  circle.self = [circle, circle];
  circle.again = circle.self;
  const found = new Set<string>();
  forEachText(circle, (text) => found.add(text));
  forEachText({ before: 'b', ...Object.create(null) }, (text) => found.add(text));
  const throwing = Object.defineProperty({ first: 'c' }, 'second', {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });
  forEachText(throwing, (text) => found.add(text));
  expect([...found]).toEqual(['a', 'b', 'c']);
  expect(withTranslatedTexts(circle, () => 'x')).toMatchObject({ text: 'x' });
  const untouched = { list: ['a', { deep: 'b' }], other: 1 };
  expect(withTranslatedTexts(untouched, (text) => text)).toBe(untouched);
});

test('an answer that throws when it is read may hold objects: what the command named goes by itself', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  const unreadable = Object.defineProperty({}, 'made', {
    enumerable: true,
    get: () => {
      throw new Error('read');
    },
  });
  const forward = (): Promise<unknown> => Promise.resolve(unreadable);
  const answer = session.tap.command('Future.use', { objectId: handle.objectId }, forward);
  await expect(answer).resolves.toBe(unreadable);
  world.collector.collect(handle);
  await world.rest();
  expect(session.releasesOnTheWire()).toMatchObject([{ method: 'Runtime.releaseObject' }]);
});
