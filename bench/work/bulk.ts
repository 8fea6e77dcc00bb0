/** Handles made beforehand, then dropped at once or one after another: the time until the page let go of all. */
import { setImmediate as macrotask, setTimeout as pause } from 'node:timers/promises';
import { collect, collectAll } from '../../src/cli/collector.ts';
import type { MakeCounted } from '../../src/cli/page-census.ts';
import { monotonicNow } from '../../src/timers.ts';
import type { DrivenPage, Outcome } from '../sampling/driven-page.ts';
import type { BenchHandle, BenchPage } from '../sampling/puppeteer-structure.ts';

declare const makeCounted: MakeCounted;

/** How many objects one array brings; more would make messages of tens of megabytes. */
const LARGEST_ARRAY = 20_000;

const SETTLING_MS = 100;

/**
 * Lets the garbage of minting be collected before the clock runs. Otherwise V8 marks the heap in the measured stretch of some
 * samples and not of others, and that takes longer than the releases.
 */
export async function settle(): Promise<void> {
  await collectAll();
  await pause(SETTLING_MS);
}

export async function mintHandles(
  page: BenchPage,
  count: number,
  perArray: number = LARGEST_ARRAY,
): Promise<BenchHandle[]> {
  const handles: BenchHandle[] = [];
  while (handles.length < count) {
    const array = await page.evaluateHandle(
      (length) => Array.from({ length }, () => makeCounted(0)),
      Math.min(perArray, count - handles.length),
    );
    for (const handle of (await array.getProperties()).values()) {
      if (handle.remoteObject().objectId !== undefined) handles.push(handle);
    }
    await array.dispose();
  }
  return handles;
}

/** `Promise.all(dispose)`. */
export async function disposeAll(driven: DrivenPage, count: number): Promise<Outcome> {
  const handles = await mintHandles(driven.page, count);
  await settle();
  driven.start();
  await Promise.all(handles.map((handle) => handle.dispose()));
  await driven.stop();
  return { handles: count, mustLetGo: true };
}

/** The same where each handle was minted by a command of its own: their groups are as long as the minting of each took. */
export async function disposeAllMintedSingly(driven: DrivenPage, count: number): Promise<Outcome> {
  const handles: BenchHandle[] = [];
  while (handles.length < count) handles.push(await driven.page.evaluateHandle(() => makeCounted(0)));
  await settle();
  driven.start();
  await Promise.all(handles.map((handle) => handle.dispose()));
  await driven.stop();
  return { handles: count, mustLetGo: true };
}

/** `await dispose()`, one after another. */
export async function disposeSerially(driven: DrivenPage, count: number): Promise<Outcome> {
  const handles = await mintHandles(driven.page, count);
  await settle();
  driven.start();
  for (const handle of handles) await handle.dispose();
  await driven.stop();
  return { handles: count, mustLetGo: true };
}

/** The end of a `using` block, which waits for nothing; then one command that the page answers after all of them. */
export async function disposeByUsing(driven: DrivenPage, count: number): Promise<Outcome> {
  const handles = await mintHandles(driven.page, count);
  await settle();
  driven.start();
  for (const handle of handles) handle[Symbol.dispose]();
  await driven.page.evaluate(() => 1);
  await driven.stop();
  return { handles: count, mustLetGo: true };
}

/** The end of a handle scope. */
export async function endScope(driven: DrivenPage, count: number, perArray?: number): Promise<Outcome> {
  const { releases } = driven;
  if (releases === undefined) throw new Error('a scope needs an attached page');
  const mintingStartedAt = monotonicNow();
  let mintingMs = 0;
  await releases.scope(async () => {
    const handles = await mintHandles(driven.page, count, perArray);
    mintingMs = monotonicNow() - mintingStartedAt;
    await settle();
    handles.length = 0; // Kept until here: none of them goes before the clock runs.
    driven.start();
  });
  await driven.stop();
  return { handles: count, mustLetGo: true, extra: { mintingMs } };
}

/** Collections that may be needed until all is noticed; what a WeakRef was made for lately survives the first. */
export const MOST_COLLECTIONS = 10;

/** A collection that finds all of them. The clock runs from the end of the collection itself, which is told apart. */
export async function collectHandles(driven: DrivenPage, count: number): Promise<Outcome> {
  const { releases } = driven;
  if (releases === undefined) throw new Error('a collection tells an attached page only');
  const handles = await mintHandles(driven.page, count);
  await settle();
  handles.length = 0; // Kept until here: none of them goes before the clock runs.
  await macrotask();
  await macrotask();
  const before = releases.stats();
  let collections = 0;
  let collectionMs = 0;
  do {
    const collectionStartedAt = monotonicNow();
    collect();
    collectionMs = monotonicNow() - collectionStartedAt;
    driven.start();
    await driven.stop();
    collections++;
  } while (releases.stats().live > before.live - count && collections < MOST_COLLECTIONS);
  return { handles: count, mustLetGo: true, extra: { collections, collectionMs } };
}
