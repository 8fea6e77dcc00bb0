// puppeteer-cluster: the `puppeteer` option is the one place to change, in all three of its concurrency models.
import { withReleases } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';
import { Cluster } from 'puppeteer-cluster';
import { openShop, scrape } from './shop.mjs';

const MODELS = {
  page: Cluster.CONCURRENCY_PAGE,
  context: Cluster.CONCURRENCY_CONTEXT,
  browser: Cluster.CONCURRENCY_BROWSER,
};
const model = process.argv[2] ?? 'page';

const cluster = await Cluster.launch({
  puppeteer: withReleases(puppeteer),
  concurrency: MODELS[model],
  maxConcurrency: 3,
});
let total = 0;
await cluster.task(async ({ page, data: url }) => {
  await page.goto(url);
  const prices = await scrape(page);
  total += prices;
});
cluster.on('taskerror', (error) => console.error(error));
for (const url of await openShop()) cluster.queue(url);
await cluster.idle();
await cluster.close();
console.log(`prices come to ${total}, with a ${model} each`);
