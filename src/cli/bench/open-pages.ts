/** The pages that this process has open, so that none is left behind in somebody's browser where a run is cut short. */
import type { BenchBrowser, BenchPage } from './puppeteer-structure.ts';

const openPages = new Set<BenchPage>();

export async function openPage(browser: BenchBrowser): Promise<BenchPage> {
  const page = await browser.newPage();
  openPages.add(page);
  return page;
}

export async function closePage(page: BenchPage): Promise<void> {
  await page.close();
  openPages.delete(page);
}

/** Never rejects: a page may be gone already. */
export async function closeAllPages(): Promise<void> {
  await Promise.allSettled([...openPages].map(closePage));
}
