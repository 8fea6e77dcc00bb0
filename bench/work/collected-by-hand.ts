/**
 * The floor of what a collection can cost: all handles are minted into one group, a registry counts those that were
 * collected, and the last has one command sent. No books: whatever lives on would die with the rest.
 */
import { setImmediate as macrotask, setTimeout as pause } from 'node:timers/promises';
import { collect } from '../../src/cli/collector.ts';
import type { DrivenPage, Outcome } from '../sampling/driven-page.ts';
import type { BenchHandle } from '../sampling/puppeteer-structure.ts';
import { MOST_COLLECTIONS, mintHandles, settle } from './bulk.ts';

const GROUP = 'by-hand';
const MINTING = new Set(['Runtime.evaluate', 'Runtime.callFunctionOn']);

/** Kept here while it has something to tell: one that nothing refers to is collected, and tells nothing. */
let registry: FinalizationRegistry<undefined> | undefined;

/** How long a collection is given to be told of, in milliseconds. */
const PATIENCE_MS = 500;

export async function collectByHand(driven: DrivenPage, count: number): Promise<Outcome> {
  const session = driven.page._client();
  const { send } = session;
  session.send = (method, params, options) =>
    send.call(session, method, MINTING.has(method) ? { ...params, objectGroup: GROUP } : params, options);
  const handles = await mintHandles(driven.page, count);
  Reflect.deleteProperty(session, 'send');
  await settle();

  let left = count;
  let release = (): void => {};
  const released = new Promise<true>((resolve) => {
    release = () =>
      void session.send('Runtime.releaseObjectGroup', { objectGroup: GROUP }).then(() => resolve(true));
  });
  registry = new FinalizationRegistry<undefined>(() => {
    if (--left === 0) release();
  });
  registerAll(registry, handles);
  handles.length = 0;
  await macrotask();
  await macrotask();
  let collections = 0;
  let isReleased = false;
  while (!isReleased && collections < MOST_COLLECTIONS) {
    collect();
    driven.start();
    isReleased = await Promise.race([released, pause(PATIENCE_MS, false)]);
    collections++;
  }
  await driven.stop();
  registry = undefined;
  return { handles: count, mustLetGo: true, commands: 1, extra: { collections } };
}

/** A function of its own: the last handle of a loop is reachable until its function is over. */
function registerAll(by: FinalizationRegistry<undefined>, handles: readonly BenchHandle[]): void {
  for (const handle of handles) by.register(handle.remoteObject(), undefined);
}
