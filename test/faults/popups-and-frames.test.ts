// Popups and frames that come and go with handles in them, and releases on their way: what they held ends with them,
// and the page that opened them is left with nothing.
import type { Browser, Frame, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { openSite, type Site } from '../support/site.ts';
import { sized } from '../support/sized.ts';
import { dropMany, EVERY_PUPPETEER, expectSettled, mintMany } from './in-mid-batch.ts';

const ROUNDS = sized(3, 10);

describe.each(EVERY_PUPPETEER)('$name', ({ puppeteer, options }) => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
    site = await openSite({ '/frame': '<p>frame', '/host': '<p>host' });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  it('popups that come and go', async () => {
    const page = await browser.newPage();
    await page.goto(`${site.here}/host`);
    const census = await Census.open(page);
    const releases = attached(browser, options);
    for (let round = 0; round < ROUNDS; round++) {
      await dropMany(page, 100);
      const opened = new Promise<Page | null>((resolve) => page.once('popup', resolve));
      await page.evaluate(`void (globalThis.popup = open('/host?${round}'))`);
      const popup = (await opened) as Page;
      await popup.waitForSelector('p');
      await mintMany(popup, 50);
      const closed = new Promise((resolve) => popup.once('close', resolve));
      await dropMany(popup, 200);
      await page.evaluate('popup.close()');
      await closed;
    }
    await expectSettled(releases);
    await collectUntil(async () => (await releases.flush()).complete && (await census.alive()) === 0);
    await page.close();
    await expect.poll(() => releases.stats().live).toBe(0);
  });

  it.each(['here', 'elsewhere'] as const)('frames that come and go, from %s', async (where) => {
    const page = await browser.newPage();
    await page.goto(`${site.here}/host`);
    const census = await Census.open(page);
    const releases = attached(page, options);
    for (let round = 0; round < ROUNDS; round++) {
      const url = `${site[where]}/frame?${round}`;
      await dropMany(page, 100);
      await page.evaluate((src) => {
        const frame = document.createElement('iframe');
        frame.src = src;
        document.body.append(frame);
      }, url);
      await expect.poll(() => page.frames()[1]?.url()).toBe(url);
      const frame = page.frames()[1] as Frame;
      await frame.waitForSelector('p');
      await mintMany(frame, 50);
      const gone = new Promise((resolve) => page.once('framedetached', resolve));
      await dropMany(frame, 200);
      await page.evaluate(`document.querySelector('iframe').remove()`);
      await gone;
    }
    await expectSettled(releases);
    await collectUntil(async () => (await releases.flush()).complete && (await census.alive()) === 0);
    await page.close();
    await expect.poll(() => releases.stats().live).toBe(0);
  });
});
