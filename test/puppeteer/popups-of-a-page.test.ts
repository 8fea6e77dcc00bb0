// An attachment to a page covers what the page opens: popups that can reach it and those that can't, those that a frame of
// another site opens, and those that popups open. It ends with the last of them.
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { BIDI_BROWSERS } from '../support/bidi.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { givenBack } from '../support/given-back.ts';
import { lacking } from '../support/lacking.ts';
import { openSite, type Site } from '../support/site.ts';
import { until } from '../support/turns.ts';

/** The page that comes of what `open` does. */
async function popupOf(page: Page, open: () => Promise<unknown>): Promise<Page> {
  const opened = new Promise<Page | null>((resolve) => page.once('popup', resolve));
  await open();
  const popup = await opened;
  if (popup === null) throw new Error('no popup');
  return popup;
}

const FEW = 10;

async function forgetSome(page: Page): Promise<void> {
  for (let count = 0; count < FEW; count++) await page.evaluateHandle(() => ({}));
}

const openers: Record<string, (page: Page) => Promise<unknown>> = {
  'by window.open': (page) => page.evaluate("void open('about:blank')"),
  'by window.open with noopener': (page) => page.evaluate("void open('about:blank', '_blank', 'noopener')"),
  'by a link': (page) => page.click('a'),
};

describe.each(PUPPETEERS)('$name', ({ puppeteer }) => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
    site = await openSite({ '/frame': '<p>frame', '/host': '<a target="_blank" href="/host">next</a>' });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  it.each(Object.keys(openers))('a popup %s, and one that the popup opens', async (how) => {
    const [page, other] = [await browser.newPage(), await browser.newPage()];
    await page.goto(`${site.here}/host`);
    using releases = attach(page);
    const popup = await popupOf(page, async () => openers[how]?.(page));
    await popup.goto(`${site.here}/host`);
    const next = await popupOf(popup, () => popup.evaluate("void open('/host')"));
    for (const each of [popup, next]) {
      const { minted, collected } = releases.stats();
      await forgetSome(each);
      expect(releases.stats().minted).toBeGreaterThanOrEqual(minted + FEW);
      await collectUntil(() => releases.stats().collected >= collected + FEW);
      expect(givenBack(attach(each)), 'a part of what is attached already').toBe(releases);
    }
    const { minted } = releases.stats();
    const unrelated = await popupOf(other, () => other.evaluate("void open('about:blank')"));
    await Promise.all([forgetSome(other), forgetSome(unrelated)]);
    expect(releases.stats().minted, 'what other pages open is not covered').toBe(minted);

    await page.close();
    await popup.close();
    expect(releases.detached, 'one is open still').toBe(false);
    await forgetSome(next);
    await next.close();
    await until(() => releases.detached);
    await Promise.all([other.close(), unrelated.close()]);
  });

  it('a popup that a frame of another site opens', async () => {
    const page = await browser.newPage();
    await page.goto(`${site.here}/host`);
    using releases = attach(page);
    await page.evaluate((src) => {
      const frame = document.createElement('iframe');
      frame.src = src;
      document.body.append(frame);
    }, `${site.elsewhere}/frame`);
    await until(() => page.frames()[1]?.url().endsWith('/frame') === true);
    const opened = new Promise<Page>((resolve) => {
      browser.once('targetcreated', async (target) => resolve((await target.page()) as Page));
    });
    await page.frames()[1]?.evaluate("void open('about:blank')");
    const popup = await opened;
    const { minted } = releases.stats();
    await forgetSome(popup);
    expect(releases.stats().minted).toBeGreaterThanOrEqual(minted + FEW);
    await Promise.all([popup.close(), page.close()]);
  });
});

describe.each(BIDI_BROWSERS)('$name over WebDriver BiDi', ({ launch, missing }) => {
  it('a popup, and one that the popup opens', lacking(missing), async () => {
    const browser = await launch();
    const page = await browser.newPage();
    using releases = attach(page);
    const popup = await popupOf(page, () => page.evaluate("void open('about:blank')"));
    const next = await popupOf(popup, () => popup.evaluate("void open('about:blank')"));
    for (const each of [popup, next]) {
      const { minted } = releases.stats();
      await forgetSome(each);
      expect(releases.stats().minted).toBeGreaterThanOrEqual(minted + FEW);
      expect(givenBack(attach(each)), 'a part of what is attached already').toBe(releases);
    }
    await page.close();
    await popup.close();
    expect(releases.detached).toBe(false);
    await next.close();
    await until(() => releases.detached);
  });
});
