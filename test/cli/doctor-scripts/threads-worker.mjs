// One of two threads: what it leaves is that of both.
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const page = await browser.newPage();
for (let i = 0; i < 4; i++) await page.evaluateHandle(() => ({ i: 1 })); // leaks 8 object
const handle = await page.evaluateHandle(() => document);
await handle.dispose();
await browser.close();
process.exit(3);
