// Documents come and go under releases that are queued: by the thousand, from one site to another, into the
// back/forward cache and out of it. What the document held ends with it, and what the next one holds is not touched.
import type { Browser, JSHandle } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium, launchWholeChromium } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { openSite, type Site } from '../support/site.ts';
import { sized } from '../support/sized.ts';
import {
  dropAll,
  dropMany,
  EVERY_PUPPETEER,
  expectAllEnded,
  expectSettled,
  mintMany,
  WAYS,
} from './in-mid-batch.ts';

const NAVIGATIONS = sized(50, 1_000);

let site: Site;
beforeAll(async () => {
  site = await openSite({ '/a': '<p>a', '/b': '<p>b' });
});
afterAll(() => site[Symbol.asyncDispose]());

describe.each(EVERY_PUPPETEER)('$name', ({ puppeteer, options }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
  });

  it('a page that navigates and a page that is closed, with releases on their way', async () => {
    const page = await browser.newPage();
    await page.goto('data:text/html,<p>first');
    const releases = attached(page, options);
    for (const next of ['second', 'third']) {
      await dropMany(page);
      await page.goto(`data:text/html,<p>${next}`);
    }
    await expectAllEnded(releases);
    expect(await page.evaluate('6 * 7')).toBe(42);
    await dropMany(page);
    await page.close();
    await expectAllEnded(releases);
  });

  it('a page that goes from site to site, from one process to another, with releases on their way', async () => {
    const page = await browser.newPage();
    await page.goto(`${site.here}/a`);
    const census = await Census.open(page);
    const releases = attached(page, options);
    for (let round = 0; round < 4; round++) {
      const [kept, ...handles] = await mintMany(page, 200);
      dropAll(handles);
      await page.goto(`${round % 2 === 0 ? site.elsewhere : site.here}/b?${round}`);
      dropAll(kept === undefined ? [] : [kept]); // Too late: another process's page stands there.
      const fresh = await mintMany(page, 20);
      await releases.flush();
      expect(await Promise.all(fresh.map((handle) => handle.evaluate(() => 1)))).toEqual(fresh.map(() => 1));
      dropAll(fresh);
    }
    await expectSettled(releases);
    await collectUntil(async () => (await releases.flush()).complete && (await census.alive()) === 0);
    await page.close();
  });
});

describe.each(WAYS)('$name', ({ options }) => {
  it(`${NAVIGATIONS} navigations in a row, with releases queued during each`, async () => {
    const browser = await launchChromium();
    const page = await browser.newPage();
    await page.goto(`${site.here}/a`);
    const releases = attached(browser, options);
    for (let round = 0; round < NAVIGATIONS; round++) {
      const handles = await Promise.all([1, 2, 3, 4].map(() => page.evaluateHandle(() => ({}))));
      const navigated = page.goto(`${site.here}/b?${round}`, { waitUntil: 'domcontentloaded' });
      dropAll(handles.slice(1)); // One is left for the navigation to take.
      await navigated;
    }
    expect(releases.stats().minted).toBeGreaterThanOrEqual(4 * NAVIGATIONS);
    const census = await Census.open(page);
    await page.reload();
    await expectSettled(releases);
    expect(await census.alive()).toBe(0);
    await browser.close();
  }, 240_000);

  it('a page that goes into the back/forward cache, and comes back', async ({ skip }) => {
    const browser = await launchWholeChromium({ ignoreDefaultArgs: ['--disable-back-forward-cache'] });
    if (browser === undefined)
      return skip('no whole Chromium is installed, and a headless shell has no back/forward cache');
    const page = await browser.newPage();
    await page.goto(`${site.here}/a`);
    const releases = attached(browser, options);
    const census = await Census.openOn(await page.createCDPSession());
    await page.evaluate('globalThis.mark = 1; void mk;');
    let cached = 0;
    for (let round = 0; round < 5; round++) {
      const [kept, ...handles] = await mintMany(page, 300);
      dropAll(handles);
      await page.goto(`${site.elsewhere}/b?${round}`);
      const elsewhere = await mintMany(page, 100);
      dropAll(elsewhere);
      await page.goBack();
      cached += Number(await page.evaluate('globalThis.mark ?? 0'));
      await kept?.dispose();
      const fresh: JSHandle[] = await mintMany(page, 20);
      expect(await Promise.all(fresh.map((handle) => handle.evaluate(() => 1)))).toEqual(fresh.map(() => 1));
      dropAll(fresh);
    }
    expect(cached, 'the document came back alive').toBeGreaterThan(0);
    await expectSettled(releases);
    await collectUntil(async () => (await releases.flush()).complete && (await census.alive()) === 0);
    await browser.close();
  });
});
