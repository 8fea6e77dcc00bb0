// Playwright with its own handles: nothing of the script is changed but the one line that attaches. What it forgets is
// released when the garbage collector has found it; what a scope's body was given, when the scope ends.
import { attach } from 'cdp-release-batcher/playwright';
import { chromium } from 'playwright';

const browser = await chromium.launch();
const releases = attach(browser);
const page = await browser.newPage();
await page.setContent(`<table>${'<tr><td class="price">5 €</td></tr>'.repeat(500)}</table>`);

// A generation of handles that ends with the scope, by a few commands.
const prices = await releases.scope(async () => {
  const cells = await page.$$('td.price');
  return Promise.all(cells.map((cell) => cell.textContent()));
});

// One by one: no disposal waits for an answer.
for (let count = 0; count < 500; count++) {
  const handle = await page.evaluateHandle(() => ({ rows: [...document.querySelectorAll('tr')] }));
  await handle.dispose();
}
await releases.flush();

const { minted, live, released, commands } = releases.stats();
console.log(
  `${prices.length} prices read; of ${minted} handles ${released} were released by ${commands} commands, ${live} are left`,
);
await browser.close();
