// An error that a script's evaluation throws in the page is two handles, of which Playwright reads the text. They are released without
// a collection here, and what else the script has stays.
import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import { launchByPlaywright, openAttached, PlaywrightCensus, WireIds } from '../support/playwright.ts';

const ERRORS = 50;

/** Ways to throw in a page, each by an evaluation that Playwright makes of the script's. */
const THROWING: readonly [string, (page: Page) => Promise<unknown>][] = [
  ['an error', (page) => page.evaluate(() => new Function('throw note(new Error("thrown in the page"))')())],
  ['an object', (page) => page.evaluate(() => new Function('throw mk()')())],
  ['an element', (page) => page.evaluate(() => new Function('throw document.body')())],
  ['a rejection', (page) => page.evaluate(() => Promise.reject(mk()))],
  ['an error in an expression', (page) => page.evaluate('(() => { throw mk(); })()')],
  ['an error in place of a handle', (page) => page.evaluateHandle('(() => { throw mk(); })()')],
];

let browser: Awaited<ReturnType<typeof launchByPlaywright>>;
beforeAll(async () => {
  browser = await launchByPlaywright();
});

it.each(THROWING)('%s is released without a collection', async (kind, throwOnce) => {
  const { page, releases } = await openAttached(browser);
  const census = await PlaywrightCensus.open(page);
  await Promise.allSettled([throwOnce(page)]); // Playwright's own scripts are in the page by now.
  await releases.flush();
  const kept = await page.evaluateHandle(() => ({ value: 7 }));
  const ids = new WireIds(browser);
  await census.begin(kind);
  ids.begin(kind);
  const before = releases.stats();
  for (let thrown = 0; thrown < ERRORS; thrown++) {
    await expect(throwOnce(page)).rejects.toBeDefined();
  }
  await releases.flush();
  const { minted, live, collected, commands } = releases.stats();
  expect(minted - before.minted).toBeGreaterThanOrEqual(ERRORS);
  expect({ live, collected }).toEqual({ live: before.live, collected: before.collected });
  expect(commands - before.commands).toBeLessThan((minted - before.minted) / 2);
  expect(await kept.evaluate(({ value }) => value)).toBe(7);
  await kept.dispose(); // It may have been moved to another id.
  await releases.flush();
  ids.begin(undefined);
  expect(await ids.alive()).toEqual({});
  expect((await census.alive())[kind]).toBeUndefined();
});
