/**
 * Scopes out of each of which one handle escapes while the other is dropped: each leaves a group that waits for its last
 * handle. A session that answers at once, and no browser.
 */
import { setImmediate as macrotask, setTimeout as pause } from 'node:timers/promises';
import { attach } from '../../src/clients/session.ts';
import type { Sample } from '../sampling/sample.ts';
import { Stopwatch } from '../sampling/stopwatch.ts';

/** Scopes between two turns of the event loop. */
const PER_TURN = 50;
/** The clock runs on so long after the last scope, while the groups are dealt with. */
const MOST_WAITED_MS = 3_000;
const waitedMs = (scopes: number): number => Math.min(MOST_WAITED_MS, scopes / 10);

type Minted = { result: { type: string; objectId: string } };

export const openScopesAttached = (count: number): Promise<Sample> => openScopes(count, true);
export const openScopesPlain = (count: number): Promise<Sample> => openScopes(count, false);

async function openScopes(count: number, isAttached: boolean): Promise<Sample> {
  let minted = 0;
  const session = {
    send: async (method: string): Promise<unknown> =>
      method === 'Runtime.evaluate' ? { result: { type: 'object', objectId: `1.1.${++minted}` } } : {},
    on: () => {},
    off: () => {},
  };
  const releases = isAttached
    ? attach(session, { track: true, targetType: 'page', pressure: false })
    : undefined;
  const kept: object[] = [];
  const job = async (): Promise<void> => {
    const { result } = (await session.send('Runtime.evaluate')) as Minted;
    await session.send('Runtime.evaluate');
    kept.push(releases?.escape(result) ?? result);
  };
  const watch = new Stopwatch();
  watch.start();
  for (let done = 0; done < count; done++) {
    await (releases === undefined ? job() : releases.scope(job));
    if (done % PER_TURN === 0) await macrotask();
  }
  await pause(waitedMs(count));
  const timing = watch.stop();
  await releases?.flush({ timeoutMs: 60_000 });
  const { minted: all = 0, released = 0, commands = 0 } = releases?.stats() ?? {};
  releases?.detach();
  const leftAlive = isAttached ? all - released - kept.length : 0;
  return { ...timing, handles: count, commands, leftAlive, mustLetGo: isAttached };
}
