// Killed in the same turn as it gets its last handle.
import puppeteer from 'puppeteer-core';

const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));
const page = await browser.newPage();
globalThis.kept = [];
for (let count = 0; count < 3; count++) kept.push(await page.evaluateHandle(() => ({}))); // leaks 2 object
await kept.pop().dispose();
browser.process().kill('SIGKILL');
process.kill(process.pid, 'SIGKILL');
