// Far from the browser round trips count: a move is begun at once where almost all of very many are dead, takes one round
// trip before the group is released, and is left where releases one by one are sooner done.
import { expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession } from './attached-peer.ts';

async function disposeBesideOne(session: AttachedSession, count: number): Promise<void> {
  const [, ...others] = await session.mint(count + 1);
  await Promise.all(others.map((handle) => session.release(handle)));
  await turns();
}

function makeFar(session: AttachedSession, ms: number): void {
  Object.defineProperty(session.tap.ledger.queue, 'roundTripMs', {
    get: () => ms,
    set: () => {},
    configurable: true,
  });
}

test('of 2,000 beside one that lives nothing is waited for', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await disposeBesideOne(session, 2_000);
  await turns();
  expect(session.alive()).toHaveLength(1);
  expect(session.releasesOnTheWire().length).toBeLessThan(5);
});

test('the few that live are bound by one round trip', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  makeFar(session, 40);
  await disposeBesideOne(session, 2_000);
  await turns();
  expect(session.alive()).toHaveLength(1);
  expect(session.wire('Runtime.callFunctionOn')).toHaveLength(1);
  expect(session.wire('Runtime.getProperties')).toHaveLength(0);
  expect(session.releasesOnTheWire()).toHaveLength(1);
});

test('where the round trip takes longer than the releases, these are sent', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  makeFar(session, 160);
  await disposeBesideOne(session, 2_000);
  await turns();
  expect(session.alive()).toHaveLength(1);
  expect(session.wire('Runtime.callFunctionOn')).toHaveLength(0);
  expect(session.releasesOnTheWire()).toHaveLength(2_000);
});
