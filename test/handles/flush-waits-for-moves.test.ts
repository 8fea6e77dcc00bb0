// A move that is under way when a flush begins is waited for: it binds ids anew for survivors that die meanwhile, and until
// these are released their objects stay in the page.
import { expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

test('a flush ends when what a move bound for the dead is released as well', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const survivors = await session.mint(3);
  for (const other of await session.mint(27)) await session.release(other);
  const released = survivors.length + 27;
  await turns();
  using listing = session.holdAnswers('Runtime.getProperties');
  for (let waited = 0; listing.messages.length === 0 && waited < 200; waited += 5) {
    world.elapse(5); // No further than to the move.
    await turns();
  }
  expect(listing.messages).toHaveLength(1);
  for (const survivor of survivors) await session.release(survivor);
  await turns();
  for (let round = 0; round < 4; round++) {
    world.elapse(50); // What was disposed of goes within 100 ms, whatever the move does.
    await turns();
  }
  expect(world.stats).toMatchObject({ queued: 0, inFlight: 0, released });

  let isFlushed = false;
  const flush = world.attachment.flush().then((report) => {
    isFlushed = true;
    return report;
  });
  await turns();
  expect(isFlushed).toBe(false);
  listing.letGo();
  expect(await flush).toMatchObject({ complete: true, pending: 0 });
  expect(session.alive()).toEqual([]);
});
