// A scope over a page is over all that the page is by the scope's end: its frames of other sites and its workers, those
// included that come while it runs. And a scope owns what a script evaluates, however long that is.
import type { Browser, JSHandle } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { openSite, type Site } from '../support/site.ts';
import { until } from '../support/turns.ts';

/** How many of these can still be used. */
async function usable(handles: readonly JSHandle[]): Promise<number> {
  const uses = handles.map((handle) => handle.evaluate(() => 1));
  return (await Promise.allSettled(uses)).filter(({ status }) => status === 'fulfilled').length;
}

const FEW = 10;

describe.each(PUPPETEERS)('$name', ({ puppeteer }) => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
    site = await openSite({ '/frame': '<p>frame', '/host': '<p>host', '/worker.js': 'self.x = {}' });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  it.each(['before', 'while'] as const)('with a frame and a worker that came %s it runs', async (when) => {
    const page = await browser.newPage();
    const other = await browser.newPage();
    const releases = attached(browser);
    const open = async (): Promise<void> => {
      await page.goto(`${site.here}/host`);
      await page.evaluate((src) => {
        const frame = document.createElement('iframe');
        frame.src = src;
        document.body.append(frame);
        new Worker('/worker.js');
      }, `${site.elsewhere}/frame`);
      await until(() => page.frames()[1]?.url().endsWith('/frame') === true && page.workers().length === 1);
      await page.frames()[1]?.waitForSelector('p');
    };
    if (when === 'before') await open();
    const inside: JSHandle[] = [];
    const outside: JSHandle[] = [];
    {
      using _ = releases.openScope(page);
      if (when === 'while') await open();
      for (let count = 0; count < FEW; count++) {
        for (const realm of [page, page.frames()[1], page.workers()[0]]) {
          if (realm !== undefined) inside.push(await realm.evaluateHandle(() => ({})));
        }
        outside.push(await other.evaluateHandle(() => ({})));
      }
    }
    expect(inside).toHaveLength(3 * FEW);
    await releases.flush();
    expect(await usable(inside)).toBe(0);
    expect(await usable(outside)).toBe(FEW);
    // What Puppeteer keeps for itself it keeps.
    expect(await page.frames()[1]?.$$('p')).toHaveLength(1);
    await Promise.all([page.close(), other.close()]);
  });

  it.each([
    ['an expression of 30,000 characters', `({}) /*${'x'.repeat(30_000)}*/`],
    [
      'one that is said to come from elsewhere',
      `({}) /*${'x'.repeat(3_000)}*/\n//# sourceURL=${'y'.repeat(3_000)}`,
    ],
    ['a short one that is said to come from elsewhere', '({})\n//# sourceURL=elsewhere.js'],
    ['one that ends as utilities do, but is short', '(() => ({}))()'],
  ])('%s is owned by the scope that it is evaluated in', async (_, expression) => {
    const page = await browser.newPage();
    const releases = attached(browser);
    const inside: JSHandle[] = [];
    await releases.scope(async () => {
      await page.$('body'); // Puppeteer brings its utilities.
      for (let count = 0; count < FEW; count++) inside.push(await page.evaluateHandle(expression));
    });
    await releases.flush();
    expect(await usable(inside)).toBe(0);
    expect(await page.$$('body')).toHaveLength(1);
    await page.close();
  });
});
