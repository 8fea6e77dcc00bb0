// puppeteer-extra with its stealth plugin: `releases()` is a plugin like any other.
import { releases } from 'cdp-release-batcher/puppeteer-extra';
import puppeteer from 'puppeteer';
import { addExtra } from 'puppeteer-extra';
import stealth from 'puppeteer-extra-plugin-stealth';
import { openShop, scrape } from './shop.mjs';

const extra = addExtra(puppeteer).use(stealth()).use(releases());

const browser = await extra.launch();
const urls = (await openShop()).values();
let total = 0;
/** One tab for page after page. */
async function work() {
  const page = await browser.newPage();
  for (const url of urls) {
    await page.goto(url);
    const prices = await scrape(page);
    total += prices;
  }
  const isHidden = await page.evaluate(() => navigator.webdriver !== true);
  await page.close();
  return isHidden;
}
const hidden = await Promise.all([work(), work(), work()]);
await browser.close();
console.log(`prices come to ${total}; stealth at work in ${hidden.filter(Boolean).length} of 3 tabs`);
