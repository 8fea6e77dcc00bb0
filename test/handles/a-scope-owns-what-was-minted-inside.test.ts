// In the browser, what is minted by a command without a group joins the group of the object that the command names: that
// of a scope, too, whoever sends the command. Whose it is does not follow from that.
import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

/** The values among the own properties of an object. */
async function childrenOf(session: AttachedSession, { objectId }: Handle): Promise<Handle[]> {
  const answer = await session.send('Runtime.getProperties', { objectId, ownProperties: true });
  const { result } = answer as { result: readonly { readonly name: string; readonly value?: Handle }[] };
  return result.flatMap(({ name, value }) =>
    value?.objectId === undefined || name === '__proto__' ? [] : value,
  );
}

const LIST = '({ first: {}, second: {} })';

test.each([true, false])(
  'children listed outside a scope stay, in the group of their parent; the parent escaped: %s',
  async (hasEscaped) => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handed = deferred<Handle>();
    const consumer = handed.promise.then((list) => childrenOf(session, list));
    let parent: Handle = { objectId: '' };
    await world.attachment.scope(async () => {
      parent = await session.evaluate(LIST);
      if (hasEscaped) world.attachment.escape({ remoteObject: () => parent });
      handed.resolve(parent);
      await consumer;
    });
    const children = await consumer;
    expect(children).toHaveLength(2);
    await world.rest();
    for (const child of children) {
      expect(await session.call(child, 'function() { return 1; }')).toMatchObject({ value: 1 });
    }
    expect(session.alive().includes(parent.objectId)).toBe(hasEscaped);
    // They are released when they are let go of, and then the group is.
    world.collector.collect(...world.collector.registered);
    await world.rest();
    expect(session.alive()).toEqual([]);
  },
);

test('children that an inner scope lists of an object of the outer one end with the inner one', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await world.attachment.scope(async () => {
    const list = await session.evaluate(LIST);
    let inner: Handle[] = [];
    await world.attachment.scope(async () => {
      inner = await childrenOf(session, list);
    });
    await world.rest();
    for (const { objectId } of inner) expect(session.alive()).not.toContain(objectId);
    const outer = await childrenOf(session, list);
    await world.rest();
    for (const { objectId } of outer) expect(session.alive()).toContain(objectId);
  });
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test('children listed inside of an object that escaped end with the scope', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const list = await world.attachment.scope(async () => {
    const escaping = world.attachment.escape(await session.evaluate(LIST));
    expect(await childrenOf(session, escaping)).toHaveLength(2);
    return escaping;
  });
  await world.rest();
  world.collector.collect(...world.collector.registered.filter((handle) => handle !== list));
  await world.rest();
  expect(session.alive()).toEqual([list.objectId]);
});

test('a scope over a session owns what is minted in it while it is open, and of its objects no child of later', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const before = await session.evaluate(LIST);
  const scope = world.attachment.cover((ledger) => ledger === session.tap.ledger);
  const inside = world.attachment.escape(await session.evaluate(LIST));
  const strays = await childrenOf(session, before);
  scope.end();
  const later = await childrenOf(session, inside);
  await world.rest();
  for (const { objectId } of strays) expect(session.alive()).not.toContain(objectId);
  for (const { objectId } of later) expect(session.alive()).toContain(objectId);
});
