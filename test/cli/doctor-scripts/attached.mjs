// Forgets two handles in a browser that the script attaches to, and two in one that it does not attach to, as far as it is told
// to have them.
import { attach } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer-core';

for (const way of process.argv.slice(2)) {
  const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
  if (way === 'attached') attach(browser);
  const page = await browser.newPage();
  for (let time = 0; time < 2; time++) await page.evaluateHandle(() => ({}));
  await browser.close();
}
