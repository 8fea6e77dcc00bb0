// The one line. The script below disposes of nothing: not the handles that it forgets, not the errors that it
// catches, and those could not be disposed of anyway. What is left at the end was minted since the last garbage collection.
import { attach } from 'cdp-release-batcher/puppeteer';
import puppeteer from 'puppeteer';

const browser = await puppeteer.launch();
const releases = attach(browser, { traceLeaks: true });

const page = await browser.newPage();
for (let i = 0; i < 2_000; i++) {
  await page.evaluateHandle(() => ({ forgotten: new Array(25_000).fill(0.5) }));
  await page.evaluate(() => Promise.reject(new Error('thrown'))).catch(() => {});
}
await releases.flush();

const { minted, live, collected, commands } = releases.stats();
console.log(`${minted} remote objects, of which ${collected} were forgotten and released, ${live} are left`);
console.log(`${commands} commands released them`);
for (const leak of releases.leaks().slice(0, 2)) {
  console.log(`  ${leak.collected} of kind ${leak.kind} forgotten at ${leak.line.split('/').at(-1)}`);
}
await browser.close();
