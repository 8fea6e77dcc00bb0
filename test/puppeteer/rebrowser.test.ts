// rebrowser hides from pages that a Puppeteer drives them: it names no call's origin, and never sends `Runtime.enable`.
// What tells a caller's functions from Puppeteer's own is thus missing, and a scope must end well all the same.
import type { Browser, ElementHandle, Page, PuppeteerNode } from 'puppeteer-core';
import rebrowser from 'rebrowser-puppeteer-core';
import { beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import type { PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';

let browser: Browser;
let page: Page;
let census: Census;
let releases: PuppeteerAttachment;
beforeAll(async () => {
  // Its classes have private members, so TypeScript takes them for others.
  browser = await launchChromium({}, rebrowser as unknown as PuppeteerNode);
});
beforeEach(async () => {
  page = await browser.newPage();
  await page.setContent('<div id="outer"><button>push</button><p>one</p><p>two</p></div>');
  census = await Census.open(page);
  onTestFinished(() => page.close());
  releases = attached(browser);
});

it('ends a scope with what was minted inside, but for what escapes', async () => {
  const escaped = await releases.scope(async () => {
    const handles = await Promise.all(Array.from({ length: 50 }, () => page.evaluateHandle(() => mk())));
    return releases.escape(handles[7] as (typeof handles)[number]);
  });
  expect(await releases.flush()).toMatchObject({ complete: true });
  expect(await census.alive()).toBe(1);
  expect(await escaped.evaluate((object) => object.big.length)).toBe(1_000);
  await escaped.dispose();
});

it('leaves alone what Puppeteer minted inside for itself', async () => {
  const outer = releases.escape((await page.waitForSelector('#outer')) as ElementHandle);
  await releases.scope(async () => {
    expect(await outer.$('p')).not.toBeNull();
    expect(await page.$$('p')).toHaveLength(2);
    expect(await outer.$$eval('p', (all) => all.length)).toBe(2);
    await page.locator('button').click();
    await page.$('::-p-aria(push)');
  });
  await releases.flush();
  expect(await outer.$('p')).not.toBeNull();
  expect(await page.$$eval('p', (all) => all.length)).toBe(2);
  await page.locator('button').click();
  expect(await page.$('::-p-aria(push)')).not.toBeNull();
});

it('goes on waiting for what was begun in a scope that has ended', async () => {
  let waiting: Promise<unknown> | undefined;
  await releases.scope(async () => {
    // Its poller is minted when the scope has ended, and asked for its result only then.
    waiting = page.waitForFunction(() => 'arrived' in globalThis && { value: 1 }, { polling: 20 });
  });
  await page.evaluate(() => 1);
  await releases.flush();
  await page.evaluate('globalThis.arrived = true');
  await expect(waiting).resolves.toBeDefined();
});

// Which contexts are pages' own, events tell that rebrowser does not ask for. The frames of a page that is open when
// it is attached to tell it; later a node that a query gives looks like an element's double, which Puppeteer keeps.
const outlives = 'but leaves those in a page opened later to the garbage collector';
it(`ends what a query gave in a scope, in a page open by then, ${outlives}`, async () => {
  const later = await browser.newPage();
  onTestFinished(() => later.close());
  await later.setContent('<p>one</p><p>two</p>');
  /** How many of the nodes can still be used when the scope is over. */
  const queryIn = async (subject: Page): Promise<number> => {
    const nodes = await releases.scope(() => subject.$$('p'));
    await releases.flush();
    const uses = await Promise.allSettled(nodes.map((node) => node.evaluate(() => 1)));
    return uses.filter(({ status }) => status === 'fulfilled').length;
  };
  expect(await queryIn(page)).toBe(0);
  expect(await queryIn(later)).toBe(2);
  await collectUntil(() => releases.stats().collected >= 2);
});
