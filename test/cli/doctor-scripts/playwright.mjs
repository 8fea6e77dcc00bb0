// What a script of Playwright's leaves. What each line leaves undisposed stands at its end: the test reads it from here.
import { chromium } from 'playwright-core';

const { executablePath, args, env } = JSON.parse(process.env.TEST_LAUNCH_OPTIONS);
const browser = await chromium.launch({ executablePath, args, env });
const page = await browser.newPage();
await page.setContent(`<ul>${'<li>item</li>'.repeat(12)}</ul><button>press</button>`);

async function forget() {
  for (let i = 0; i < 10; i++) {
    await page.evaluateHandle(() => ({ big: new Array(25_000).fill(0.5) })); // leaks 10 object
  }
  const items = await page.$$('li'); // leaks 11 node
  await items[0].dispose();
  await page.waitForFunction(() => [1]); // leaks 1 array
  await (await page.$('ul')).$('li'); // leaks 2 node
  await page.locator('li').first().elementHandle(); // leaks 1 node
  await page.evaluate(() => Promise.reject(new Error('rejected'))).catch(() => {}); // throws 1 error
}

async function beCareful() {
  await page.locator('button').click();
  await page.locator('li').first().textContent();
  const button = await page.waitForSelector('button');
  await button.click();
  await button.dispose();
  await page.$$eval('li', (items) => items.length);
}

await forget();
await beCareful();
await browser.close();
