// Crawlee: `launchContext.launcher` is the one place to change. In a hook, `attach(page.browser())` gives the attachment.
import { Configuration, PuppeteerCrawler } from '@crawlee/puppeteer';
import { withReleases } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';
import { openShop, scrape } from './shop.mjs';

let total = 0;
const crawler = new PuppeteerCrawler(
  {
    launchContext: { launcher: withReleases(puppeteer) },
    browserPoolOptions: { retireBrowserAfterPageCount: 25 },
    maxConcurrency: 3,
    async requestHandler({ page }) {
      const prices = await scrape(page);
      total += prices;
    },
  },
  new Configuration({ persistStorage: false }),
);
await crawler.run(await openShop());
await crawler.teardown();
console.log(`prices come to ${total}`);
