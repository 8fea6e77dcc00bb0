// An error that a script's evaluation throws in the page is two handles, which Puppeteer reads and drops. They are released without a
// collection here. What the script gets itself, by a command of its own through Puppeteer's session, is the script's.
import type { CDPSession, Page, PuppeteerNode } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { launchChromium } from '../support/chromium.ts';
import { IdCensus } from '../support/id-census.ts';

const ERRORS = 100;

/** Ways to throw in a page, each by an evaluation that Puppeteer makes of the script's. */
const THROWING: readonly [string, (page: Page) => Promise<unknown>][] = [
  ['an error', (page) => page.evaluate(() => new Function('throw new Error("thrown in the page")')())],
  ['an object', (page) => page.evaluate(() => new Function('throw { thrown: "in the page" }')())],
  ['an element', (page) => page.evaluate(() => new Function('throw document.body')())],
  ['a rejection', (page) => page.evaluate(() => Promise.reject(new Error('rejected in the page')))],
  [
    'an error later',
    (page) => page.evaluate('new Promise((_, reject) => setTimeout(reject, 1, new Error("later")))'),
  ],
  [
    'an error in an expression',
    (page) => page.evaluate('(() => { throw new Error("thrown in the page"); })()'),
  ],
  [
    'an error in place of a handle',
    (page) => page.evaluateHandle('(() => { throw new Error("thrown in the page"); })()'),
  ],
  [
    'an error about an element',
    (page) => page.$eval('body', () => new Function('throw new Error("thrown in the page")')()),
  ],
];

describe.each(['puppeteer-core-22', 'puppeteer-core-23', 'puppeteer-core-24', 'puppeteer-core'])(
  'with %s',
  (name) => {
    it('errors thrown in the page are released without a collection', async () => {
      const { default: puppeteer } = (await import(name)) as { default: PuppeteerNode };
      await using browser = await launchChromium({}, puppeteer);
      const page = await browser.newPage();
      await page.$('body'); // Puppeteer's utilities are there by now.
      const census = new IdCensus((page as unknown as { _client(): never })._client());
      const releases = attached(browser);
      for (const [kind, throwOnce] of THROWING) {
        const before = releases.stats();
        const aliveBefore = await census.alive();
        await Promise.allSettled([throwOnce(page)]); // By itself: its handles go one by one.
        for (let thrown = 1; thrown < ERRORS; thrown++) {
          await expect(throwOnce(page), kind).rejects.toBeDefined();
        }
        await releases.flush();
        const after = releases.stats();
        expect(after.minted - before.minted, kind).toBeGreaterThanOrEqual(ERRORS);
        expect(after, kind).toMatchObject({
          live: before.live,
          collected: before.collected,
          queued: 0,
          gone: 0,
        });
        expect(await census.alive(), kind).toBe(aliveBefore);
        expect(after.commands - before.commands, kind).toBeLessThan((after.minted - before.minted) / 2);
      }
    });

    it('an error that a command of the script brought stays', async () => {
      const { default: puppeteer } = (await import(name)) as { default: PuppeteerNode };
      await using browser = await launchChromium({}, puppeteer);
      const page = await browser.newPage();
      const releases = attached(browser);
      const client = (page as unknown as { _client(): CDPSession })._client();
      const { exceptionDetails } = await client.send('Runtime.evaluate', {
        expression: 'throw { thrown: "by the script" }',
        returnByValue: true,
      });
      await releases.flush();
      const objectId = exceptionDetails?.exception?.objectId ?? '';
      const { result } = await client.send('Runtime.callFunctionOn', {
        objectId,
        functionDeclaration: 'function() { return this.thrown; }',
        returnByValue: true,
      });
      expect(result.value).toBe('by the script');
      expect(exceptionDetails?.exception?.objectId).toBe(objectId); // It is the script's as long as the script has its object.
    });
  },
);
