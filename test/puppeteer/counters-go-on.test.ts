// `consoleEntries: 'discard'` empties the browser's store of console messages, with which the page's counters would begin anew.
import type { Page } from 'puppeteer-core';
import { expect, it, onTestFinished } from 'vitest';
import { attached, sessionOf } from '../support/attached.ts';
import { launchChromium } from '../support/chromium.ts';

/** How often the store was emptied so far. */
function countDiscards(page: Page): () => number {
  const session = sessionOf(page);
  let discards = 0;
  const { _rawSend } = session.connection() as unknown as { _rawSend: (...args: unknown[]) => unknown };
  const connection = session.connection() as unknown as Record<string, unknown>;
  connection._rawSend = function (this: unknown, ...args: unknown[]) {
    if (args[1] === 'Runtime.discardConsoleEntries') discards++;
    return _rawSend.apply(this, args);
  };
  onTestFinished(() => void delete connection._rawSend);
  return () => discards;
}

it('leaves the counters of a page that counts alone, and empties the store when the page has gone elsewhere', async () => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const discards = countDiscards(page);
  const releases = attached(browser, { consoleEntries: 'discard' });
  const texts: string[] = [];
  page.on('console', (message) => texts.push(message.text()));
  for (let visit = 0; visit < 3; visit++) {
    await page.evaluate(() => {
      console.count('visit');
      console.time('here');
      console.timeEnd('here');
    });
    await releases.flush();
  }
  expect(texts.filter((text) => text.startsWith('visit'))).toEqual(['visit: 1', 'visit: 2', 'visit: 3']);
  expect(texts.filter((text) => text.startsWith('here: '))).toHaveLength(3);
  expect(discards()).toBe(0);
  await page.goto('data:text/html,elsewhere');
  await page.evaluate(() => console.log('no counter here'));
  await releases.flush();
  // Twice where the new document came long before its message.
  expect(discards()).toBeGreaterThan(0);
});
