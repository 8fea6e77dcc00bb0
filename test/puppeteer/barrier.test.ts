// The closing `dispose()` of Puppeteer's `click()` waits for a round trip, and by that for what the page says on a click.
// Nothing promises it; scripts lean on it all the same. It must hold attached as often as it does plain.
import type { Browser, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { launchChromium, PUPPETEERS_BY_SIZE } from '../support/chromium.ts';
import { sized } from '../support/sized.ts';

const CLICKS = sized(30, 150);

/** Clicks, and counts how often what the page logs on it is there when the click has returned. */
async function countHeard(page: Page, click: () => Promise<unknown>): Promise<number> {
  let messages = 0;
  page.on('console', () => messages++);
  let heard = 0;
  for (let count = 0; count < CLICKS; count++) {
    const before = messages;
    await click();
    if (messages === before + 1) heard++;
    // Late ones must not be taken for the next click's.
    await expect.poll(() => messages, { interval: 1 }).toBe(before + 1);
  }
  return heard;
}

describe.each(PUPPETEERS_BY_SIZE)(
  'a console message that a page logs on a click, through $name',
  ({ puppeteer }) => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchChromium({}, puppeteer);
    });

    async function openPage(): Promise<Page> {
      const page = await browser.newPage();
      await page.setContent(`<button onclick="console.log('clicked')">click</button>`);
      return page;
    }

    const WAYS: Readonly<Record<string, (page: Page) => () => Promise<unknown>>> = {
      'page.click': (page) => () => page.click('button'),
      'the click of a handle, disposed': (page) => async () => {
        const button = await page.$('button');
        await button?.click();
        await button?.dispose();
      },
    };

    it.each(Object.entries(WAYS))(
      'is there when %s has returned, attached as plain',
      async (_way, clickOn) => {
        const plain = await openPage();
        const control = await countHeard(plain, clickOn(plain));
        await plain.close();

        const releases = attached(browser);
        const page = await openPage();
        const heard = await countHeard(page, clickOn(page));
        await page.close();

        expect(heard).toBeGreaterThanOrEqual(control);
        expect(control, 'plain, it is there as good as always').toBeGreaterThan(0.9 * CLICKS);
        expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
      },
    );
  },
);
