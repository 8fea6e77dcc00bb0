/** The pages that this process has open, so that none is left behind in somebody's browser where a run is cut short. */
import type { BenchBrowser, BenchPage } from './puppeteer-structure.ts';

/** Those that are being opened, too. */
const openPages = new Map<BenchPage | symbol, Promise<BenchPage>>();

export async function openPage(browser: BenchBrowser): Promise<BenchPage> {
  const key = Symbol();
  const opening = browser.newPage();
  openPages.set(key, opening);
  const page = await opening;
  openPages.delete(key);
  openPages.set(page, opening);
  return page;
}

export async function closePage(page: BenchPage): Promise<void> {
  await page.close();
  openPages.delete(page);
}

/** Never rejects: a page may be gone already. */
export async function closeAllPages(): Promise<void> {
  await Promise.allSettled([...openPages.values()].map(async (opening) => closePage(await opening)));
}
