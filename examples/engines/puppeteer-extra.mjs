// puppeteer-extra with its stealth plugin: `addExtra` takes the Puppeteer whose browsers come attached, plugins and
// all. With `--plain` it runs without, to see what leaks.
import { withReleases } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';
import { addExtra } from 'puppeteer-extra';
import stealth from 'puppeteer-extra-plugin-stealth';
import { launchOptions } from '../launch.mjs';
import { Count, isPlain, openShop, report } from './site.mjs';

const extra = addExtra(isPlain ? puppeteer : withReleases(puppeteer)).use(stealth());

const shop = await openShop();
const count = new Count();
const browser = await extra.launch(launchOptions);
const urls = shop.urls.values();
const tab = async () => {
  const page = await browser.newPage();
  for (const url of urls) {
    await page.goto(url);
    await count.job(page);
  }
  const isHidden = await page.evaluate(() => navigator.webdriver !== true);
  await page.close();
  return isHidden;
};
const hidden = await Promise.all([tab(), tab(), tab()]);
await browser.close();

const isRight = report('puppeteer-extra', count, count.stats());
console.log(`  stealth at work in ${hidden.filter(Boolean).length} of ${hidden.length} tabs`);
process.exitCode = isRight && hidden.every(Boolean) ? 0 : 1;
shop.close();
