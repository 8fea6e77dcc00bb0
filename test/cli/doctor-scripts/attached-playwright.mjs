// Forgets two handles in a browser of Playwright's that it attaches to.
import { attach } from 'cdp-release-batcher/playwright';
import { chromium } from 'playwright-core';

const { executablePath, args, env } = JSON.parse(process.env.TEST_LAUNCH_OPTIONS);
const browser = await chromium.launch({ executablePath, args, env });
attach(browser);
const page = await browser.newPage();
for (let time = 0; time < 2; time++) await page.evaluateHandle(() => ({}));
await browser.close();
