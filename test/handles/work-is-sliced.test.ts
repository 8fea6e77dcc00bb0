// However much ends at once, a turn of the event loop sees only so much of it done.
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { LedgerStats } from '../../src/handles/handle-table.ts';
import { sized } from '../support/sized.ts';
import { turns } from '../support/turns.ts';
import { countLooksAsTime } from '../support/work-clock.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

/** More than a turn is to do by thrice. */
const HANDLES = sized(6_000, 20_000);
/** Three looks at the clock fit into what a turn has for one job, with 256 steps between two. */
const MOST_PER_TURN = 3 * 256;
/** Of what was collected: three looks fit into the turn of the finalizers and one into its jobs, with 512 steps between two. */
const MOST_COLLECTED_PER_TURN = 4 * 512;
const MOST_ANSWERS_PER_TURN = 32_768;

async function openWorld(
  count: number = HANDLES,
): Promise<{ world: AttachedPeer; session: AttachedSession; handles: Handle[] }> {
  countLooksAsTime();
  const world = new AttachedPeer({ moveSurvivors: false });
  const session = world.open();
  const handles = Array.from({ length: count }, (_, index) => ({
    type: 'object',
    objectId: `1.1.${1_000_000 + index}`,
  }));
  return { world, session, handles };
}

/** The most by which a figure of the books changes in one turn, from now until it has changed by `count`. */
async function mostPerTurn(
  world: AttachedPeer,
  figure: keyof LedgerStats,
  count: number = HANDLES,
): Promise<number> {
  let most = 0;
  let before = world.stats[figure];
  const start = before;
  for (let turns = 0; before - start < count; turns++) {
    if (turns > count) throw new Error(`${figure}: only ${before - start} after ${turns} turns`);
    await turn();
    const after = world.stats[figure];
    most = Math.max(most, after - before);
    before = after;
  }
  return most;
}

afterEach(() => vi.restoreAllMocks());

describe('in one turn only so much is done', () => {
  test('of thousands of handles found collected', async () => {
    const { world, session, handles } = await openWorld();
    await using _ = world;
    session.session.emit('Runtime.consoleAPICalled', { args: handles });
    world.collector.collect(...handles);
    expect(world.stats.collected).toBe(0); // A finalizer only makes a note.
    expect(await mostPerTurn(world, 'collected')).toBeLessThanOrEqual(MOST_COLLECTED_PER_TURN);
  });

  test('of thousands of handles of groups of ours, and a flush waits for all', async () => {
    const { world, session } = await openWorld();
    await using _ = world;
    const handles = await Promise.all(Array.from({ length: HANDLES }, () => session.evaluate()));
    world.collector.collect(...handles);
    const flushed = world.attachment.flush();
    expect(await mostPerTurn(world, 'collected')).toBeLessThanOrEqual(MOST_COLLECTED_PER_TURN);
    expect(await flushed).toMatchObject({ complete: true });
    expect(world.stats).toMatchObject({ live: 0, collected: HANDLES, released: HANDLES });
  });

  test('of thousands of handles found collected right before the program detaches: all of them, for it is the last', async () => {
    const { world, session } = await openWorld();
    await using _ = world;
    const handles = await Promise.all(Array.from({ length: HANDLES }, () => session.evaluate()));
    world.collector.collect(...handles);
    world.attachment.detach();
    expect(world.stats).toMatchObject({ live: 0, collected: HANDLES });
    while (world.stats.released < HANDLES) await turn();
  });

  test('of two attachments’ handles together', async () => {
    const [one, other] = [await openWorld(), await openWorld()];
    await using _ = one.world;
    await using __ = other.world;
    for (const { world, session } of [one, other]) {
      const handles = await Promise.all(Array.from({ length: HANDLES }, () => session.evaluate()));
      world.collector.collect(...handles);
    }
    const collected = (): number => one.world.stats.collected + other.world.stats.collected;
    for (let before = 0; before < 2 * HANDLES; before = collected()) {
      await turn();
      expect(collected() - before).toBeLessThanOrEqual(MOST_COLLECTED_PER_TURN);
    }
  });

  test.each(['context', 'session'])(
    'of a %s’s thousands of handles, as it ends: at first nothing',
    async (what) => {
      const { world, session, handles } = await openWorld();
      await using _ = world;
      session.session.emit('Runtime.consoleAPICalled', { args: handles });
      if (what === 'session') world.attachment.end(session.tap);
      else session.session.emit('Runtime.executionContextDestroyed', { executionContextId: 1 });
      await turns();
      expect(world.stats).toMatchObject({ elided: 0, live: HANDLES });
      world.elapse(100);
      expect(world.stats.elided).toBe(0);
      expect(await mostPerTurn(world, 'elided')).toBeLessThanOrEqual(MOST_PER_TURN);
    },
  );

  test('of a context’s thousands of handles, whose end a flush does not wait out', async () => {
    const { world, session, handles } = await openWorld();
    await using _ = world;
    session.session.emit('Runtime.consoleAPICalled', { args: handles });
    session.session.emit('Runtime.executionContextDestroyed', { executionContextId: 1 });
    expect(await world.attachment.flush()).toMatchObject({ complete: true, elided: HANDLES });
  });

  test('of thousands of handles that live or wait for the rest of their group, as the program detaches', async () => {
    const { world, session } = await openWorld();
    await using _ = world;
    const handles = await Promise.all(Array.from({ length: HANDLES }, () => session.evaluate()));
    const forgotten = handles.filter((_, index) => index % 2 === 0);
    world.collector.collect(...forgotten);
    await turns();
    const records = session.tap.ledger;
    const queued = (): number =>
      forgotten.filter(({ objectId }) => records.find(objectId)?.state !== 'dropped').length;
    expect(queued()).toBe(0);
    world.attachment.detach();
    expect(queued()).toBeLessThanOrEqual(MOST_PER_TURN);
    while (world.stats.released < forgotten.length) await turn();
    expect(session.alive()).toHaveLength(HANDLES - forgotten.length);
  });

  test('of a group’s thousands of handles, as its user releases it', async () => {
    const { world, session, handles } = await openWorld();
    await using _ = world;
    session.session.emit('Runtime.consoleAPICalled', { args: handles });
    void session.send('Runtime.releaseObjectGroup', { objectGroup: 'console' });
    expect(await mostPerTurn(world, 'released')).toBeLessThanOrEqual(MOST_PER_TURN);
    expect(world.stats).toMatchObject({ live: 0, disposed: HANDLES, released: HANDLES, commands: 0 });
  });

  test('of the answers to 100,000 handles disposed of at once, and they come in order', async () => {
    const { world, session, handles } = await openWorld(100_000);
    await using _ = world;
    session.session.emit('Runtime.consoleAPICalled', { args: handles });
    const answered: number[] = [];
    handles.forEach((handle, index) => void session.release(handle).then(() => answered.push(index)));
    expect(answered).toEqual([]);
    let most = 0;
    while (answered.length < handles.length) {
      const before = answered.length;
      await turn();
      most = Math.max(most, answered.length - before);
    }
    expect(most).toBeLessThanOrEqual(MOST_ANSWERS_PER_TURN);
    expect(answered).toEqual(handles.map((_, index) => index));
  });

  test('of a session’s thousands of queued releases, as it ends', async () => {
    const { world, session, handles } = await openWorld();
    await using _ = world;
    session.session.emit('Runtime.consoleAPICalled', { args: handles });
    for (const handle of handles) void session.release(handle);
    const { queued } = world.stats;
    world.attachment.end(session.tap);
    expect(world.stats.elided).toBeLessThanOrEqual(MOST_PER_TURN);
    expect(await mostPerTurn(world, 'elided', queued - world.stats.elided)).toBeLessThanOrEqual(
      2 * MOST_PER_TURN,
    );
    expect(world.stats).toMatchObject({ queued: 0, live: 0 });
  });
});
