// `detach()` may come at any time. What was asked for before it and is answered after it belongs to the program, although
// it was sent with a group of ours: nothing that is released later may take it along.
import { expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

/** Another session that still owes something at the detach, so that releases go on for a while. */
async function oweSomething(world: AttachedPeer): Promise<() => Promise<void>> {
  const session = world.open();
  const handle = await session.evaluate();
  const commands = session.holdCommands('Runtime.callFunctionOn');
  const call = session.call(handle, 'function() { return 1; }');
  await session.release(handle);
  return async () => {
    commands.letGo();
    await call;
    await world.rest();
    expect(session.alive(), 'what was dropped before is released all the same').toEqual([]);
  };
}

const alive = (session: AttachedSession, ...handles: Handle[]): void => {
  expect(session.alive().sort()).toEqual(handles.map(({ objectId }) => objectId).sort());
};

test.each(['Runtime.evaluate', 'Runtime.getProperties'])(
  'what an answer of %s brings after it is not released with the group that it was to join',
  async (method) => {
    await using world = new AttachedPeer();
    const payDebts = await oweSomething(world);
    const session = world.open();
    const [other, handle] = [await session.evaluate(), await session.evaluate('({ child: {} })')];
    const answers = session.holdAnswers(method);
    const late =
      method === 'Runtime.evaluate'
        ? session.send(method, { expression: '({ late: 1 })' })
        : session.send(method, { objectId: handle.objectId, ownProperties: true });
    await answers.reached(1);
    for (const dropped of [other, handle]) await session.release(dropped);
    world.attachment.detach();
    await turns(); // What was dropped is on its way.
    answers.letGo();
    const answer = await late;
    await turns(); // While something is owed elsewhere, groups are looked at and released.
    await payDebts();
    const born = session.alive().filter((objectId) => objectId !== handle.objectId);
    expect(born.length).toBeGreaterThan(0);
    for (const objectId of born) expect(JSON.stringify(answer)).toContain(objectId);
  },
);

test('what is asked after it of an object that a command names still is not released with the group of that object', async () => {
  await using world = new AttachedPeer();
  const payDebts = await oweSomething(world);
  const session = world.open();
  const [named, other] = (await session.mint(2)) as [Handle, Handle];
  const commands = session.holdCommands('Runtime.callFunctionOn');
  const call = session.call(named, 'function() { return 1; }');
  await session.release(named);
  await session.release(other);
  const group = session.groupOf(named);
  world.attachment.detach();
  await turns();
  // What inherits the group of a named object is made in it by the browser.
  const child = await session.evaluate('({ own: true })', { objectGroup: group });
  commands.letGo();
  await call;
  await turns();
  await payDebts();
  alive(session, child);
});

test('a scope that is still running takes nothing away at its end', async () => {
  await using world = new AttachedPeer();
  const payDebts = await oweSomething(world);
  const session = world.open();
  const held = await world.attachment.scope(async () => {
    const [one, other] = (await session.mint(2)) as [Handle, Handle];
    world.attachment.detach();
    return [one, other, await session.evaluate('({ after: 1 })')];
  });
  await payDebts();
  alive(session, ...held);
});

test('of a group that dies afterwards, what was dropped goes one by one', async () => {
  await using world = new AttachedPeer();
  const payDebts = await oweSomething(world);
  const session = world.open();
  const handles = await session.mint(3);
  const commands = session.holdCommands('Runtime.callFunctionOn');
  const calls = handles.map((handle) => session.call(handle, 'function() { return 1; }'));
  for (const handle of handles) await session.release(handle);
  world.attachment.detach();
  commands.letGo();
  await Promise.all(calls);
  await turns();
  await payDebts();
  alive(session);
  expect(session.releasesOnTheWire().map(({ method }) => method)).toEqual(
    handles.map(() => 'Runtime.releaseObject'),
  );
});
