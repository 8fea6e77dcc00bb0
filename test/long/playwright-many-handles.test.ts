// Past 100,000 handles Playwright drops the oldest 10,000 by itself, and leaves their objects in the page. Attached, they go too.
import type { JSHandle } from 'playwright-core';
import { expect, it } from 'vitest';
import { collectUntil } from '../support/collect-until.ts';
import { attachedPlaywright, launchByPlaywright, openPage, PlaywrightCensus } from '../support/playwright.ts';

const HANDLES = 105_000;
const AT_ONCE = 1_000;

it('of 105,000 handles that were kept and then disposed of no object is left', async () => {
  const browser = await launchByPlaywright();
  const releases = attachedPlaywright(browser, browser);
  const page = await openPage(browser);
  const census = await PlaywrightCensus.open(page);
  await census.begin('kept');
  const kept: JSHandle[] = [];
  for (let count = 0; count < HANDLES; count += AT_ONCE) {
    const list = await page.evaluateHandle(
      (length) => Array.from({ length }, () => note({ value: 1 })),
      AT_ONCE,
    );
    kept.push(...(await list.getProperties()).values());
    await list.dispose();
  }
  expect(kept.length).toBeGreaterThanOrEqual(HANDLES);
  let dropped = 0;
  for (const handle of kept) {
    await handle.dispose().catch((error: Error) => {
      expect(error.message).toContain('collected to prevent unbounded heap growth'); // By Playwright, as it is plain.
      dropped++;
    });
  }
  expect(dropped).toBeGreaterThanOrEqual(10_000);
  kept.length = 0;
  await collectUntil(async () => {
    await releases.flush();
    return releases.stats().live < AT_ONCE;
  });
  expect(await census.alive()).toEqual({});
  expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
});
