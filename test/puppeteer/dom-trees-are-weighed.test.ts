// Handles of elements that are forgotten, each the root of a large tree: Blink's heap holds these, and V8's next to nothing of them.
import { expect, it, onTestFinished } from 'vitest';
import { attached } from '../support/attached.ts';
import { launchChromium } from '../support/chromium.ts';

const ROOTS = 700;

it('has them collected before all that were made are alive, without anybody calling for it', async () => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const releases = attached(browser);
  const makeRoot = (): HTMLElement => {
    const table = document.createElement('table');
    table.innerHTML = '<tr><td>x</td><td>y</td></tr>'.repeat(500);
    return table;
  };
  let mostAlive = 0;
  for (let made = 0; made < ROOTS; made++) {
    await page.evaluateHandle(makeRoot);
    mostAlive = Math.max(mostAlive, releases.stats().live);
  }
  expect(mostAlive).toBeLessThan(ROOTS / 2);
  expect(releases.stats().pageBytesPerHandle).toBeGreaterThan(100_000);
});
