/** What `release` and the drain behind it cost, on a session that answers at once. */
import { bench, describe } from 'vitest';
import { ReleaseBatcher } from '../../src/index.ts';

const BURSTS = [1, 64, 1_024, 8_192];
const session = { send: (_method: string, _params?: Record<string, unknown>) => Promise.resolve({}) };

describe.each(BURSTS)('a burst of %i', (burst) => {
  const ids = Array.from({ length: burst }, (_, index) => `1.1.${index}`);

  const batcher = new ReleaseBatcher();
  bench('release, sent and answered', async () => {
    for (const id of ids) batcher.release(session, id);
    await batcher.flush();
  });

  bench('Promise.all of send', async () => {
    await Promise.all(ids.map((objectId) => session.send('Runtime.releaseObject', { objectId })));
  });
});
