// puppeteer-cluster, in all three of its concurrency models: the `puppeteer` option is the one place to change.
// With `--plain` it runs without, to see what leaks.
import { withReleases } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';
import { Cluster } from 'puppeteer-cluster';
import { launchOptions } from '../launch.mjs';
import { Count, isPlain, openShop, report } from './site.mjs';

const models = {
  'a page each': Cluster.CONCURRENCY_PAGE,
  'a context each': Cluster.CONCURRENCY_CONTEXT,
  'a browser each': Cluster.CONCURRENCY_BROWSER,
};

const shop = await openShop();
let isRight = true;
for (const [name, concurrency] of Object.entries(models)) {
  const count = new Count();
  const cluster = await Cluster.launch({
    puppeteer: isPlain ? puppeteer : withReleases(puppeteer),
    puppeteerOptions: launchOptions,
    concurrency,
    maxConcurrency: 3,
    timeout: 60_000,
  });
  await cluster.task(async ({ page, data: url }) => {
    await page.goto(url);
    await count.job(page);
  });
  cluster.on('taskerror', (error) => console.error(error));
  for (const url of shop.urls) cluster.queue(url);
  await cluster.idle();
  await cluster.close();
  isRight &&= report(`puppeteer-cluster, ${name}`, count, count.stats());
}
process.exitCode = isRight ? 0 : 1;
shop.close();
