// `puppeteer.use(releases())` attaches the browsers of puppeteer-extra, beside its other plugins.
import { addExtra } from 'puppeteer-extra';
import stealth from 'puppeteer-extra-plugin-stealth';
import { expect, it } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { releases } from '../../src/clients/puppeteer-extra.ts';
import { chromiumLaunchOptions, PUPPETEERS } from '../support/chromium.ts';

it.each(PUPPETEERS)('$name with stealth: launched and connected to', async ({ puppeteer }) => {
  const extra = addExtra(puppeteer as never)
    .use(stealth())
    .use(releases({ maxBatchSize: 7 }));
  const browser = await extra.launch((await chromiumLaunchOptions()) as never);
  try {
    for (const given of [browser, await extra.connect({ browserWSEndpoint: browser.wsEndpoint() })]) {
      const page = await given.newPage();
      await page.evaluateHandle(() => ({}));
      const attachment = attach(given as never);
      expect(attachment.stats().minted, 'attached before').toBeGreaterThan(0);
      attachment.detach();
      expect(await page.evaluate(() => navigator.webdriver), 'stealth is at work').not.toBe(true);
    }
  } finally {
    await browser.close();
  }
});

it('refuses a bad option at once', () => {
  expect(() => releases({ maxBatchSize: 0 })).toThrow(/maxBatchSize .* got 0/);
});
