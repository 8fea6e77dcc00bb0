// A group whose survivors move out is on its way to be released. What is minted from then on goes into another: minted
// into it, a handle would be in no group that anything is ever decided about again, and stay in the page.
import { expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

test('what is minted after a move out of a young group is released as well', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await session.mint(1); // Lives on.
  const disposed = await session.mint(7);
  world.collector.collect(...(await session.mint(20)));
  using listing = session.holdAnswers('Runtime.getProperties');
  for (const handle of disposed) await session.release(handle);
  // Too few were disposed of to end the generation early. When they are due, the one that lives is moved; that takes
  // longer than the dead may wait, which go one by one.
  for (let waited = 0; waited < 200; waited += 5) {
    world.elapse(5);
    await turns();
  }
  expect(listing.messages).toHaveLength(1);
  expect(world.stats).toMatchObject({ released: 27, groupFreed: 0, live: 1 });
  listing.letGo();
  await turns();
  expect(world.stats).toMatchObject({ moved: 1 });

  const later = await session.mint(12);
  await turns();
  expect(session.alive()).toHaveLength(13);
  for (const handle of later) await session.release(handle);
  await world.attachment.flush();
  expect(world.stats).toMatchObject({ queued: 0, inFlight: 0, live: 1 });
  expect(session.alive()).toHaveLength(1);
});
