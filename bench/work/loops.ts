/** Loops as scripts have them: the time is that of the loop, as the script sees it. */

import { collectAll } from '../../src/cli/collector.ts';
import type { MakeCounted } from '../../src/cli/page-census.ts';
import type { DrivenPage, Outcome } from '../sampling/driven-page.ts';
import type { BenchHandle } from '../sampling/puppeteer-structure.ts';

declare const makeCounted: MakeCounted;
declare const noteCounted: (object: object) => object;

/** How large a page's list of elements is in the `$$` loops. */
const ELEMENTS = 200;
/** Numbers in a large object: 200 KB. */
const LARGE = 25_000;
const OPERATIONS_PER_HEAP_SAMPLE = 100;
/** Operations until V8 has compiled what an attachment runs: see bench/README.md. */
const SETTLING_IN = 2_000;

/** `evaluateHandle`, forgotten. */
export async function forgetInLoop(driven: DrivenPage, count: number): Promise<Outcome> {
  await settleIn(driven, count);
  driven.start();
  for (let done = 0; done < count; done++) await driven.page.evaluateHandle(() => makeCounted(0));
  await driven.stop({ letGo: false });
  return settled(driven, { handles: count });
}

/** `evaluateHandle`, disposed of and awaited. */
export async function disposeInLoop(driven: DrivenPage, count: number): Promise<Outcome> {
  await settleIn(driven, count, (handle) => handle.dispose());
  driven.start();
  for (let done = 0; done < count; done++) {
    const handle = await driven.page.evaluateHandle(() => makeCounted(0));
    await handle.dispose();
  }
  await driven.stop({ letGo: false });
  return { ...(await settled(driven, { handles: count })), mustLetGo: true };
}

/** The same loop before the clock runs, on the page that is measured, over objects that the census does not count. */
async function settleIn(
  driven: DrivenPage,
  count: number,
  use: (handle: BenchHandle) => Promise<void> | undefined = () => undefined,
): Promise<void> {
  for (let done = 0; done < Math.min(count, SETTLING_IN); done++) {
    await use(await driven.page.evaluateHandle(() => ({})));
  }
}

/** One in a hundred is kept for ever. */
export async function keepFew(driven: DrivenPage, count: number): Promise<Outcome> {
  driven.start();
  const kept = await keepOneInHundred(driven, count);
  await driven.stop({ letGo: false });
  const outcome = await settled(driven, { handles: count - kept.length, kept: kept.length });
  let usable = 0;
  for (const handle of kept) if ((await handle.getProperties()).size === 1) usable++;
  return { ...outcome, extra: { kept: kept.length, usable } };
}

/** A function of its own: the last handle of a loop is reachable until its function is over. */
async function keepOneInHundred(driven: DrivenPage, count: number): Promise<BenchHandle[]> {
  const kept: BenchHandle[] = [];
  for (let done = 0; done < count; done++) {
    const handle = await driven.page.evaluateHandle(() => makeCounted(0));
    if (done % 100 === 0) kept.push(handle);
  }
  return kept;
}

/** `$$` over a list, each element disposed of and awaited. */
export async function queryAndDispose(driven: DrivenPage, count: number): Promise<Outcome> {
  await showElements(driven);
  driven.start();
  for (let done = 0; done < count; done += ELEMENTS) {
    for (const element of await driven.page.$$('p')) await element.dispose();
  }
  await driven.stop({ letGo: false });
  return { ...(await withoutElements(driven, count)), mustLetGo: true };
}

/** `$$` over a list, forgotten. */
export async function queryAndForget(driven: DrivenPage, count: number): Promise<Outcome> {
  await showElements(driven);
  driven.start();
  for (let done = 0; done < count; done += ELEMENTS) await driven.page.$$('p');
  await driven.stop({ letGo: false });
  return withoutElements(driven, count);
}

/** Errors thrown in the page, each with an object, whose handles the script never sees. */
export async function throwInLoop(driven: DrivenPage, count: number): Promise<Outcome> {
  driven.start();
  for (let done = 0; done < count; done++) {
    await driven.page
      .evaluate(() => {
        throw Object.assign(new Error('thrown in the page'), { data: makeCounted(0) });
      })
      .catch(() => {});
  }
  await driven.stop({ letGo: false });
  return settled(driven, { handles: count });
}

/** 200 KB each, forgotten: what a page can hold of that ends at some 3 GB. Nobody calls for a collection meanwhile. */
export async function forgetLarge(
  driven: DrivenPage,
  count: number,
): Promise<Outcome & { readonly isCrashed: boolean }> {
  let done = 0;
  const heap: [number, number][] = [];
  const loop = async (): Promise<false> => {
    for (; done < count; done++) {
      await driven.page.evaluateHandle((length) => makeCounted(length), LARGE);
      if (done % OPERATIONS_PER_HEAP_SAMPLE === 0) heap.push([done, await driven.census.sampleHeap()]);
    }
    return false;
  };
  driven.start();
  const isCrashed = await Promise.race([loop(), driven.crashed.then(() => true)]);
  await driven.stop({ letGo: false });
  if (isCrashed) return { handles: done, mustLetGo: false, isCrashed, heap, extra: { crashedAt: done } };
  return { ...(await settled(driven, { handles: count, extra: weightOf(driven) })), isCrashed, heap };
}

/** What a handle weighed here at the end of the loop, and what of the page that followed. */
function weightOf({ releases }: DrivenPage): Record<string, number> {
  if (releases === undefined) return {};
  const { bytesPerHandle, pageBytesPerHandle, pageBytes } = releases.stats();
  return { bytesPerHandle, pageBytesPerHandle, pageBytes };
}

/** Waits until what the loop left behind is released, where somebody releases it: the clock has stopped already. */
async function settled(driven: DrivenPage, outcome: Omit<Outcome, 'mustLetGo'>): Promise<Outcome> {
  if (driven.releases !== undefined) {
    await collectAll();
    await driven.releases.flush({ timeoutMs: 60_000 });
  }
  return { ...outcome, mustLetGo: driven.releases !== undefined };
}

async function showElements(driven: DrivenPage): Promise<void> {
  await driven.page.evaluate((count) => {
    for (let index = 0; index < count; index++)
      document.body.append(noteCounted(document.createElement('p')) as Node);
  }, ELEMENTS);
}

/** Elements live as long as the document shows them, so they leave it before the census. */
async function withoutElements(driven: DrivenPage, count: number): Promise<Outcome> {
  const outcome = await settled(driven, { handles: count });
  await driven.census.run('document.body.replaceChildren()');
  return outcome;
}
