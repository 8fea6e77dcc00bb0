/** Many pages of one browser at once, one of them hung: whether it holds up the others. */

import { PageCensus } from '../../src/cli/page-census.ts';
import { setTimeout } from '../../src/timers.ts';
import type { DrivenPage, Outcome } from '../sampling/driven-page.ts';
import { closePage, openPage } from '../sampling/open-pages.ts';
import { mintHandles } from './bulk.ts';

/** How many pages there are, and how long the first of them hangs. */
interface Crowd {
  readonly pages: number;
  readonly hangMs: number;
}
const FIFTY: Crowd = { pages: 50, hangMs: 4_000 };

/** @param count handles on all pages together. */
export async function disposeOnManyPages(
  driven: DrivenPage,
  count: number,
  { pages: pageCount, hangMs }: Crowd = FIFTY,
): Promise<Outcome> {
  const each = Math.ceil(count / pageCount);
  const pages = await Promise.all(Array.from({ length: pageCount }, () => openPage(driven.browser)));
  const censuses = await Promise.all(pages.map((page) => PageCensus.open(page)));
  const handles = await Promise.all(pages.map((page) => mintHandles(page, each)));
  // The first answers nothing from here on, until it is let go below.
  const hanging = censuses[0]?.run(`{ const until = Date.now() + ${hangMs}; while (Date.now() < until); }`);
  driven.start();
  const disposals = handles.map((of) => Promise.all(of.map((handle) => handle.dispose())));
  await Promise.all(disposals.slice(1));
  await othersAnswered(driven, each);
  await driven.stop({ letGo: false });
  await Promise.all([hanging, ...disposals]);
  await driven.releases?.flush({ timeoutMs: 30_000 });
  let left = 0;
  for (const census of censuses) left += await census.alive();
  await Promise.all(pages.map(closePage));
  const handlesOfOthers = each * (pageCount - 1);
  return { handles: handlesOfOthers, kept: -left, mustLetGo: true, extra: { pages: pageCount } };
}

const POLL_MS = 2;

/** Resolves when nothing is on its way but what the hung page has; a flush would wait for that, too. */
async function othersAnswered({ releases }: DrivenPage, each: number): Promise<void> {
  if (releases === undefined) return;
  // The array that they came from was disposed of, too, and Puppeteer dropped the array's prototype.
  const ofHungPage = each + 2;
  const isOver = (): boolean => {
    const { queued, inFlight } = releases.stats();
    return queued + inFlight <= ofHungPage;
  };
  while (!isOver()) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}
