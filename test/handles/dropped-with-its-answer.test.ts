// Of an error that a client reads and drops, nothing waits for the garbage collector: its objects are released with their group, or
// one by one where that group has others that live on.
import { describe, expect, test } from 'vitest';
import type { AttachOptions } from '../../src/handles/attach-options.ts';
import { plainRules } from '../../src/handles/command-rules.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type OpenOptions } from './attached-peer.ts';

const DROPPED = { expression: 'throw { thrown: "in the page" }', returnByValue: true };
const dropsThrown: OpenOptions = {
  handlesRefusals: true,
  createRules: () => ({ ...plainRules, dropsThrown: () => true }),
};

async function throwErrors(session: AttachedSession, count: number): Promise<void> {
  for (let thrown = 0; thrown < count; thrown++) await session.send('Runtime.evaluate', DROPPED);
}

/** A world in which the first error was thrown: from now on they share groups. */
async function afterTheFirst(
  options: AttachOptions = {},
): Promise<{ readonly world: AttachedPeer; readonly session: AttachedSession }> {
  const world = new AttachedPeer(options);
  const session = world.open(dropsThrown);
  await throwErrors(session, 1);
  await world.rest();
  expect(session.alive()).toEqual([]);
  return { world, session };
}

describe('an error that the client drops', () => {
  test('by itself is released at once, by its ids', async () => {
    await using world = new AttachedPeer();
    const session = world.open(dropsThrown);
    await throwErrors(session, 1);
    await turns();
    expect(session.alive()).toEqual([]);
    expect(session.releasesOnTheWire()).toHaveLength(2);
    expect(world.collector.registered).toEqual([]);
    expect(world.stats).toMatchObject({ minted: 2, live: 0, disposed: 2, released: 2, commands: 2 });
  });

  test('is released with others by one command, within half a second of the last', async () => {
    const { world: opened, session } = await afterTheFirst();
    await using world = opened;
    await throwErrors(session, 50);
    expect(session.alive()).toHaveLength(100);
    for (let ms = 0; ms < 500; ms += 50) {
      world.elapse(50);
      await turns();
    }
    expect(session.alive()).toEqual([]);
    expect(session.releasesOnTheWire()).toHaveLength(3);
    expect(world.collector.registered).toEqual([]);
    expect(world.stats).toMatchObject({ minted: 102, released: 102, groupFreed: 100, commands: 3 });
  });

  test('is released by a flush, though its answer was not entered yet', async () => {
    const { world: opened, session } = await afterTheFirst();
    await using world = opened;
    await throwErrors(session, 10);
    expect(world.stats.queued).toBe(20); // To count enters the answers that have come.
    await throwErrors(session, 10);
    expect(await world.attachment.flush()).toMatchObject({ complete: true });
    expect(session.alive()).toEqual([]);
    expect(session.releasesOnTheWire().slice(2)).toMatchObject([{ method: 'Runtime.releaseObjectGroup' }]);
  });

  test.each([1, 8])('leaves its group alone where %i others live on in it', async (others) => {
    const { world: opened, session } = await afterTheFirst();
    await using world = opened;
    const handles = await session.mint(others);
    await throwErrors(session, 5);
    await world.rest();
    expect(session.alive()).toEqual(handles.map(({ objectId }) => objectId));
    world.collector.collect(...handles);
    await world.rest();
    expect(session.alive()).toEqual([]);
  });

  test('waits for no grace where the client releases others of its group', async () => {
    const { world: opened, session } = await afterTheFirst();
    await using world = opened;
    const [kept, disposed] = await session.mint(2);
    await throwErrors(session, 2);
    await session.release(disposed ?? { objectId: '' });
    for (let ms = 0; ms < 100; ms += 10) {
      world.elapse(10);
      await turns();
    }
    expect(session.alive()).toEqual([kept?.objectId]);
  });

  test('without groups goes by its ids', async () => {
    const { world: opened, session } = await afterTheFirst({ groups: false });
    await using world = opened;
    await throwErrors(session, 10);
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(session.wire('Runtime.releaseObjectGroup')).toEqual([]);
    expect(world.stats).toMatchObject({ minted: 22, released: 22 });
  });

  test('in a scope is released at the latest with the scope', async () => {
    const { world: opened, session } = await afterTheFirst();
    await using world = opened;
    await world.attachment.scope(() => throwErrors(session, 10));
    await turns();
    expect(session.alive()).toEqual([]);
  });

  test('whose page navigates, crashes, or whose session ends, has ended', async () => {
    for (const end of ['navigates', 'crashes', 'ends'] as const) {
      const { world: opened, session } = await afterTheFirst();
      await using world = opened;
      await throwErrors(session, 10);
      const before = session.releasesOnTheWire().length;
      if (end === 'navigates') session.session.emit('Runtime.executionContextsCleared', {});
      else if (end === 'crashes') session.session.emit('Inspector.targetCrashed', {});
      else world.attachment.end(session.tap);
      expect(world.stats, end).toMatchObject({ minted: 22, live: 0, queued: 0, released: 2, elided: 20 });
      await world.rest();
      expect(session.releasesOnTheWire().length, end).toBe(before);
      expect(await world.attachment.flush(), end).toMatchObject({ complete: true });
    }
  });

  test('before a detach is released, though others of its group live on', async () => {
    const { world: opened, session } = await afterTheFirst();
    await using world = opened;
    const [kept] = await session.mint(1);
    await throwErrors(session, 10);
    world.attachment.detach();
    await world.rest();
    expect(session.alive()).toEqual([kept?.objectId]);
  });
});
