// A handle that is moved to another group while its scope runs is the scope's as before: it ends with the scope, once,
// unless it has escaped. What moves along from elsewhere stays.
import { describe, expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

/** Mints three that live on among many that die, and has them moved. */
async function moved(world: AttachedPeer, session: AttachedSession): Promise<Handle[]> {
  const survivors = await session.mint(3);
  const before = survivors.map(({ objectId }) => objectId);
  world.collector.collect(...(await session.mint(60)));
  await world.rest();
  expect(survivors.filter(({ objectId }) => before.includes(objectId))).toEqual([]);
  return survivors;
}

const scopes: Record<
  string,
  (world: AttachedPeer, session: AttachedSession, body: () => Promise<void>) => Promise<void>
> = {
  'a scope around a function': (world, _, body) => world.attachment.scope(body),
  'a scope over a session': async (world, session, body) => {
    using _ = world.attachment.cover((ledger) => ledger === session.tap.ledger);
    await body();
  },
};

describe.each(Object.keys(scopes))('%s', (which) => {
  const inScope = async (
    world: AttachedPeer,
    session: AttachedSession,
    body: () => Promise<void>,
  ): Promise<void> => scopes[which]?.(world, session, body);

  test('releases what was moved meanwhile at its end, by one command', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    await inScope(world, session, async () => void (await moved(world, session)));
    expect(world.stats).toMatchObject({ live: 0, moved: 3 });
    const before = session.releasesOnTheWire().length;
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(session.releasesOnTheWire().slice(before)).toHaveLength(1);
  });

  test('leaves what escaped before it was moved, or after', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const kept: Handle[] = [];
    await inScope(world, session, async () => {
      const early = await session.evaluate();
      world.attachment.escape(early);
      const [late = early] = await moved(world, session);
      world.attachment.escape(late);
      kept.push(early, late);
    });
    await world.rest();
    expect(session.alive().sort()).toEqual(kept.map(({ objectId }) => objectId).sort());
  });

  test('leaves what was minted outside and moves along', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const outside = await session.mint(3);
    world.collector.collect(...(await session.mint(60)));
    await inScope(world, session, async () => void (await moved(world, session)));
    await world.rest();
    expect(session.alive().sort()).toEqual(outside.map(({ objectId }) => objectId).sort());
  });

  test('releases what is on the move as it ends', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const answers = session.holdAnswers('Runtime.getProperties');
    await inScope(world, session, async () => {
      await session.mint(3);
      world.collector.collect(...(await session.mint(60)));
      for (let round = 0; answers.messages.length === 0 && round < 50; round++) {
        await turns();
        world.elapse(2_500);
      }
      expect(answers.messages).toHaveLength(1);
    });
    answers.letGo();
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(world.stats.live).toBe(0);
  });

  test('releases what was moved more than once', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    await inScope(world, session, async () => {
      const survivors = await session.mint(100);
      world.collector.collect(...(await session.mint(600)));
      await world.rest();
      world.collector.collect(...survivors.splice(10));
      await world.rest();
      expect(world.stats.moved).toBe(110);
    });
    await world.rest();
    expect(session.alive()).toEqual([]);
    expect(world.stats.live).toBe(0);
  });
});

test('the end of an inner scope takes what was moved from it, and leaves what was moved from the outer one', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await world.attachment.scope(async () => {
    const outer = await moved(world, session);
    await world.attachment.scope(async () => void (await moved(world, session)));
    await world.rest();
    expect(session.alive().sort()).toEqual(outer.map(({ objectId }) => objectId).sort());
  });
  await world.rest();
  expect(session.alive()).toEqual([]);
});
