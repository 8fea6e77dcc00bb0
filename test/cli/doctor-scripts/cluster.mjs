// A farm of puppeteer-cluster's, which requires Puppeteer itself.
import { Cluster } from 'puppeteer-cluster';

const cluster = await Cluster.launch({
  concurrency: Cluster.CONCURRENCY_CONTEXT,
  maxConcurrency: 2,
  puppeteerOptions: JSON.parse(process.env.TEST_LAUNCH_OPTIONS),
});
await cluster.task(async ({ page, data: address }) => {
  await page.goto(address);
  const list = await page.waitForSelector('ul'); // leaks 6 node
  const items = await list.$$('li');
  for (const item of items) await item.dispose();
  await page.evaluate(() => missing).catch(() => {}); // throws 6 error
});
for (let index = 0; index < 6; index++) cluster.queue('data:text/html,<ul><li>a<li>b</ul>');
await cluster.idle();
await cluster.close();
