// A renderer that is killed takes its objects along and answers nothing any more. What waited for it is gone at once,
// and the same page, loaded anew, is served as before.
import type { Browser } from 'puppeteer-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { attached, sessionOf } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { openSite } from '../support/site.ts';
import {
  dropAll,
  dropMany,
  EVERY_PUPPETEER,
  expectAllEnded,
  killRenderers,
  mintMany,
} from './in-mid-batch.ts';

describe.each(EVERY_PUPPETEER)('$name, with releases on their way', ({ puppeteer, options }) => {
  let browser: Browser;
  beforeEach(async () => {
    browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
  });

  it('a page whose renderer is killed has nothing in the books, and is served again after a reload', async () => {
    const page = await browser.newPage();
    await page.goto('data:text/html,<p>first');
    const releases = attached(page, options);
    const crashed = new Promise((resolve) => page.once('error', resolve));
    const [late, ...handles] = await mintMany(page);
    // Busy, so that none of them is answered before the end.
    sessionOf(page)
      .send('Runtime.evaluate', { expression: 'for (;;);' })
      .catch(() => {});
    dropAll(handles);
    await expect.poll(() => releases.stats().queued + releases.stats().inFlight).toBeGreaterThan(0);
    await killRenderers(browser);
    await crashed;
    await expectAllEnded(releases);
    await late?.dispose(); // Acknowledged, though nobody is there to answer.
    await expectAllEnded(releases);

    await page.reload();
    const census = await Census.open(page);
    await dropMany(page, 100);
    await collectUntil(async () => (await releases.flush()).complete && (await census.alive()) === 0);
    expect(releases.stats().released).toBeGreaterThan(0);
    await browser.close();
  });

  it('frames of other sites and workers that die with it end as well', async () => {
    await using site = await openSite({ '/worker.js': '' });
    const page = await browser.newPage();
    await page.goto(`${site.here}/`);
    const releases = attached(browser, options);
    const crashed = new Promise((resolve) => page.once('error', resolve));
    const created = new Promise((resolve) => page.once('workercreated', resolve));
    await page.evaluate(`
      void new Worker('/worker.js');
      document.body.append(Object.assign(document.createElement('iframe'), { src: '${site.elsewhere}/frame' }));
    `);
    await created;
    await expect.poll(() => page.frames()[1]?.url()).toBe(`${site.elsewhere}/frame`);
    for (const realm of [page, ...page.frames().slice(1), ...page.workers()]) {
      await mintMany(realm, 100);
      await dropMany(realm, 500);
    }
    await killRenderers(browser);
    await crashed;
    await expectAllEnded(releases);
    await browser.close();
  });

  it('a page that crashes by itself', async () => {
    const page = await browser.newPage();
    const releases = attached(page, options);
    const crashed = new Promise((resolve) => page.once('error', resolve));
    await dropMany(page);
    sessionOf(page)
      .send('Page.crash')
      .catch(() => {});
    await crashed;
    await expectAllEnded(releases);
    await page.close();
    await browser.close();
  });
});
