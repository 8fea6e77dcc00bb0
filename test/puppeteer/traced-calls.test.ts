// While leaks are traced, Puppeteer's methods are wrapped. Nobody may notice, and what is told must be true.
import type { Browser, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import type { Leak } from '../../src/observe/leak-report.ts';
import { attached } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';

function sum(leaks: readonly Leak[], field: 'minted' | 'disposed' | 'collected'): number {
  return leaks.reduce((total, leak) => total + leak[field], 0);
}

describe.each(PUPPETEERS)('traced calls through $name', ({ puppeteer }) => {
  let browser: Browser;
  let page: Page;
  let releases: PuppeteerAttachment;
  const trace = async (): Promise<void> => {
    releases = attached(browser, { traceLeaks: true });
    page = await browser.newPage();
    await page.setContent('<ul><li>a<li>b<li>c</ul>');
  };
  const of = (source: Leak['source']): Leak[] =>
    (releases.leakReport?.all() ?? []).filter((leak) => leak.source === source);
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });

  it('what a call gives is the script’s, what it leaves behind is not', async () => {
    await trace();
    await page.$$eval('li', (items) => items.length);
    await page.click('li');
    expect(of('script')).toEqual([]);
    const found = await page.$('::-p-aria([role="listitem"])'); // Half of its work is done on an event.
    expect(found).not.toBeNull();
    await found?.dispose();
    expect(sum(of('script'), 'minted')).toBe(sum(of('script'), 'disposed'));
    const items = await page.$$('li');
    expect(of('script')).toContainEqual(expect.objectContaining({ kind: 'node', minted: 3, live: 3 }));
    await Promise.all(items.map((item) => item.dispose()));
    expect(of('script')).toContainEqual(
      expect.objectContaining({ kind: 'node', minted: 3, disposed: 3, live: 0 }),
    );
    expect(releases.leaks().filter(({ source }) => source === 'script')).toEqual([]);
    expect(sum(of('client'), 'minted')).toBeGreaterThan(3);
  });

  it.each<[string, string, (page: Page) => Promise<unknown>]>([
    ['evaluateHandle', 'object', (page) => page.evaluateHandle(() => ({}))],
    ['$', 'node', (page) => page.$('li')],
    ['$ in an element', 'node', async (page) => (await page.mainFrame().$('ul'))?.$('li')],
    ['waitForSelector', 'node', (page) => page.waitForSelector('li')],
    ['waitForFunction', 'array', (page) => page.waitForFunction(() => [])],
    ['a locator', 'node', (page) => page.locator('li').waitHandle()],
    [
      'a mapped locator',
      'object',
      (page) =>
        page
          .locator('li')
          .map(() => ({}))
          .waitHandle(),
    ],
    ['a callback', 'node', (page) => new Promise((resolve) => page.$('li').then(resolve))],
    [
      'getProperty',
      'function',
      async (page) => (await page.evaluateHandle(() => ({ f() {} }))).getProperty('f'),
    ],
  ])('%s is known by its line, though nothing is left of it on the stack', async (_name, kind, operation) => {
    await trace();
    await operation(page);
    const found = of('script').find((leak) => leak.kind === kind);
    expect(found?.line).toMatch(/traced-calls\.test\.ts:\d+:\d+$/);
    await collectUntil(() => sum(of('script'), 'collected') === sum(of('script'), 'minted'));
  });

  it('an error thrown in the page is one, a wait in vain is none', async () => {
    await trace();
    const thrown = page.evaluate(() => {
      throw new TypeError('on purpose');
    });
    await expect(thrown).rejects.toThrow('on purpose');
    await expect(page.waitForSelector('nothing', { timeout: 10 })).rejects.toThrow('nothing');
    await expect(page.waitForFunction(() => false, { timeout: 10 })).rejects.toThrow('10');
    expect(of('thrown')).toMatchObject([{ kind: 'error', minted: 1 }]);
  });

  it('the page is told the same line as without', async () => {
    const logged = async (): Promise<string | undefined> => {
      const message = new Promise<string | undefined>((resolve) => {
        page.once('console', (event) => resolve(event.stackTrace()[0]?.url));
      });
      await page.evaluate(() => console.log('here'));
      return message;
    };
    page = await browser.newPage();
    const plain = await logged();
    expect(plain).toContain('traced-calls.test.ts');
    await trace();
    expect(await logged()).toBe(plain);
  });

  it('an error tells of the program’s own line, and nobody else has caught it', async () => {
    await trace();
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    const before = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', note);
    try {
      const failing = async (): Promise<void> => {
        await page.goto('no address');
      };
      await expect(failing()).rejects.toMatchObject({ stack: expect.stringContaining('failing') });
      void page.goto('no address');
      await expect.poll(() => unhandled.length).toBe(1);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of before) process.on('unhandledRejection', listener);
    }
  });

  it('the classes are as they were when the last has stopped tracing', async () => {
    page = await browser.newPage();
    const prototypes: object[] = [];
    for (let object: object = page; object !== Object.prototype; ) {
      object = Object.getPrototypeOf(object) as object;
      prototypes.push(object);
    }
    const members = () => prototypes.map((prototype) => Object.getOwnPropertyDescriptors(prototype));
    const before = members();
    const releases = attached(page, { traceLeaks: true });
    await page.$('li');
    expect(members()).not.toEqual(before);
    releases.detach();
    expect(members()).toEqual(before);
    expect(Object.keys(Error)).not.toContain('prepareStackTrace');
  });

  it('however fast it comes, each handle is counted, by its line', async () => {
    await trace();
    const before = releases.leakReport?.cost.stacks ?? 0;
    await Promise.all(
      Array.from({ length: 3_000 }, (_, index) =>
        index % 16 === 0 ? page.evaluateHandle(() => []) : page.evaluate(() => 1),
      ),
    );
    expect((releases.leakReport?.cost.stacks ?? 0) - before).toBeGreaterThanOrEqual(3_000);
    expect(of('script')).toMatchObject([{ kind: 'array', minted: 188 }]);
  });
});
