/** What the end of a page, a browser context, a browser or an attachment takes while many handles live. */
import { PageCensus } from '../../src/cli/page-census.ts';
import type { DrivenPage, Outcome } from '../sampling/driven-page.ts';
import { closePage, openPage } from '../sampling/open-pages.ts';
import type { BenchHandle, BenchPage } from '../sampling/puppeteer-structure.ts';
import { mintHandles, settle } from './bulk.ts';

/** `page.close()`. */
export async function closeOnePage(driven: DrivenPage, count: number): Promise<Outcome> {
  const page = await openPage(driven.browser);
  return timed(driven, page, count, () => closePage(page));
}

/** `context.close()`. */
export async function closeContext(driven: DrivenPage, count: number): Promise<Outcome> {
  const context = await driven.browser.createBrowserContext();
  return timed(driven, await context.newPage(), count, () => context.close());
}

/** `browser.close()`, of a browser of its own. */
export async function closeBrowser(driven: DrivenPage, count: number): Promise<Outcome> {
  const outcome = await timed(driven, driven.page, count, () => driven.browser.close());
  return { ...outcome, isOver: true };
}

/** `releases.detach()`. */
export async function detachFromAll(driven: DrivenPage, count: number): Promise<Outcome> {
  return timed(driven, driven.page, count, async () => driven.releases?.detach());
}

async function timed(
  driven: DrivenPage,
  page: BenchPage,
  count: number,
  end: () => Promise<void>,
): Promise<Outcome> {
  if (page !== driven.page) await PageCensus.open(page); // Which brings what makes objects.
  const handles: BenchHandle[] = await mintHandles(page, count);
  await settle();
  driven.start();
  await end();
  await driven.stop({ letGo: false });
  return { handles: handles.length, mustLetGo: false }; // They live until here.
}
