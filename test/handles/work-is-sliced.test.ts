// However much ends at once, a turn of the event loop sees only so much of it done. The clock goes a millisecond on
// with each look at it, so that what is counted is work, not time.
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { LedgerStats } from '../../src/handles/ledger/ledger-stats.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

const HANDLES = 20_000;
/** Four looks at the clock fit into a slice, with 256 steps between two. */
const MOST_PER_TURN = 5 * 256;

async function openWorld(): Promise<{ world: AttachedPeer; session: AttachedSession; handles: Handle[] }> {
  let now = 0;
  const world = new AttachedPeer({ now: () => now++, moveSurvivors: false });
  const session = world.open();
  const handles = Array.from({ length: HANDLES }, (_, index) => ({
    type: 'object',
    objectId: `1.1.${1_000_000 + index}`,
  }));
  return { world, session, handles };
}

/** The most by which a figure of the books changes in one turn, from now until it has changed by `HANDLES`. */
async function mostPerTurn(world: AttachedPeer, figure: keyof LedgerStats): Promise<number> {
  let most = 0;
  let before = world.stats[figure];
  const start = before;
  for (let turns = 0; before - start < HANDLES; turns++) {
    if (turns > HANDLES) throw new Error(`${figure}: only ${before - start} after ${turns} turns`);
    await turn();
    const after = world.stats[figure];
    most = Math.max(most, after - before);
    before = after;
  }
  return most;
}

describe('in one turn only so much is done', () => {
  test('of 20,000 handles found collected', async () => {
    const { world, session, handles } = await openWorld();
    await using _ = world;
    session.session.emit('Runtime.consoleAPICalled', { args: handles });
    world.collector.collect(...handles);
    expect(world.stats.collected).toBe(0); // The finalizer only marks.
    expect(await mostPerTurn(world, 'collected')).toBeLessThanOrEqual(MOST_PER_TURN);
  });

  test('of a context’s 20,000 handles, as it is destroyed', async () => {
    const { world, session, handles } = await openWorld();
    await using _ = world;
    session.session.emit('Runtime.consoleAPICalled', { args: handles });
    session.session.emit('Runtime.executionContextDestroyed', { executionContextId: 1 });
    expect(world.stats.elided).toBe(0);
    expect(await mostPerTurn(world, 'elided')).toBeLessThanOrEqual(MOST_PER_TURN);
  });

  test('of a group’s 20,000 handles, as its user releases it', async () => {
    const { world, session, handles } = await openWorld();
    await using _ = world;
    session.session.emit('Runtime.consoleAPICalled', { args: handles });
    void session.send('Runtime.releaseObjectGroup', { objectGroup: 'console' });
    expect(await mostPerTurn(world, 'released')).toBeLessThanOrEqual(MOST_PER_TURN);
    expect(world.stats).toMatchObject({ live: 0, disposed: HANDLES, released: HANDLES, commands: 0 });
  });
});
