// The one line. The script below disposes of nothing: not the handles that it forgets, not the errors that it
// catches, and those could not be disposed of anyway.
import { attach } from 'cdp-release-batcher/puppeteer';
import { launch } from './launch.mjs';

const browser = await launch();
const releases = attach(browser, { traceLeaks: true });

const page = await browser.newPage();
for (let i = 0; i < 400; i++) {
  await page.evaluateHandle(() => ({ forgotten: new Array(25_000).fill(0.5) }));
  await page.evaluate(() => Promise.reject({ thrown: new Array(25_000).fill(0.5) })).catch(() => {});
}
await releases.flush();

const { minted, live, collected, commands } = releases.stats();
console.log(`${minted} remote objects, of which ${collected} were forgotten and released, ${live} are left`);
console.log(`${commands} commands released them`);
for (const leak of releases.leaks().slice(0, 2)) {
  console.log(`  ${leak.collected} of kind ${leak.kind} forgotten at ${leak.line.split('/').at(-1)}`);
}

// What is left was minted since the last garbage collection: some tens of megabytes in the page,
// not the 160 MB that were made.
process.exitCode = live < minted / 2 ? 0 : 1;
await browser.close();
