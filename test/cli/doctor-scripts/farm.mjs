// A small farm: three pages at a time work through addresses, each in a context of its own.
import { setTimeout } from 'node:timers/promises';
import puppeteer from 'puppeteer-core';
import { readPrices } from './farm-parser.mjs';

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const addresses = Array.from({ length: 9 }, (_, index) => {
  const rows = `<tr><td class="price">${index} €</td></tr>`.repeat(20);
  return `data:text/html,<title>${index}</title><table>${encodeURIComponent(rows)}</table>`;
});

async function work() {
  for (let address = addresses.pop(); address !== undefined; address = addresses.pop()) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.goto(address);
    const prices = await readPrices(page);
    if (prices.length !== 20) throw new Error(`${prices.length} prices at ${address}`);
    const title = await page.evaluateHandle(() => ({ title: document.title })); // leaks 9 object
    await title.jsonValue();
    await page.evaluate(() => missing).catch(() => {}); // throws 9 error
    await setTimeout(1);
    await context.close();
  }
}

await Promise.all([work(), work(), work()]);
await browser.close();
