// A group that is not ours may live as long as its session, while its members come and go one by one: what it lists of
// them stays in proportion to those alive.
import { expect, test } from 'vitest';
import { turns } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

test.each([0, 3, 40])(
  'of 1,000 handles of a group, dropped but for %i, few are still listed',
  async (kept) => {
    await using world = new AttachedPeer();
    const session = world.open();
    let most = 0;
    for (let count = 0; count < 1_000; count++) {
      const handle = await session.evaluate('({})', { objectGroup: 'console' });
      if (count >= kept) world.collector.collect(handle);
      await turns(3);
      most = Math.max(most, session.tap.ledger.foreignGroup('console').members.length);
    }
    expect(world.stats).toMatchObject({ minted: 1_000, live: kept });
    expect(most).toBeLessThanOrEqual(Math.max(9, 2 * kept + 10));
  },
);
