// Puppeteer over WebDriver BiDi: what is dropped goes by arrays, and nothing that is used is taken away.
import type { Browser, ElementHandle, JSHandle, Page } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { attachedOverBidi } from '../support/attached-over-bidi.ts';
import { BIDI_BROWSERS, connectionOf, idOf, known } from '../support/bidi.ts';
import { openPage } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { lacking } from '../support/lacking.ts';

describe.each(BIDI_BROWSERS)('$name', ({ launch, missing }) => {
  let browser: Browser;
  let page: Page;
  const test = (name: string, run: () => Promise<void>): void => it(name, lacking(missing), run);

  beforeAll(async () => {
    if (missing === undefined) browser = await launch();
  }, 60_000);
  beforeEach(async () => {
    if (missing === undefined) page = await openPage(browser);
  });

  const mint = (count: number): Promise<JSHandle[]> =>
    Promise.all(Array.from({ length: count }, () => page.evaluateHandle(() => ({ minted: [] }))));
  const mintAndForget = async (count: number): Promise<string[]> => (await mint(count)).map(idOf);

  test('disowns what is disposed of by arrays of 64', async () => {
    const releases = attachedOverBidi(browser);
    const handles = await mint(200);
    const before = releases.stats().commands;
    await Promise.all(handles.map((handle) => handle.dispose()));
    expect(releases.stats()).toMatchObject({ disposed: 200 });
    expect(await releases.flush()).toMatchObject({ complete: true, released: 200 });
    expect(releases.stats().commands - before).toBe(4);
    expect(await known(browser, page, handles.map(idOf))).toEqual([]);
  });

  test('disowns what was forgotten, and nothing that is held', async () => {
    const releases = attachedOverBidi(browser);
    const [held] = await mint(1);
    const forgotten = await mintAndForget(200);
    await collectUntil(() => releases.stats().collected >= 200);
    await releases.flush();
    expect(await known(browser, page, forgotten)).toEqual([]);
    expect(await held?.evaluate((object) => typeof object)).toBe('object');
  });

  test('leaves nothing of an error thrown in evaluateHandle', async () => {
    const releases = attachedOverBidi(browser);
    for (let count = 0; count < 20; count++) {
      await page
        .evaluateHandle(() => {
          throw { thrown: true };
        })
        .catch(() => {});
    }
    expect(releases.stats().minted).toBe(20);
    await collectUntil(() => releases.stats().collected >= 20);
  });

  test('ends a realm with its page: nothing is sent for what went with it', async () => {
    const releases = attachedOverBidi(browser);
    const handles = await mint(10);
    const { commands } = releases.stats();
    await page.goto('data:text/html,<p>elsewhere');
    await expect.poll(() => releases.stats().live).toBe(0);
    expect(releases.stats()).toMatchObject({ elided: 10, commands });
    await Promise.all(handles.map((handle) => handle.dispose()));
    const after = await mint(3);
    expect(await after[0]?.evaluate((object) => typeof object)).toBe('object');
    await page.close();
    await expect.poll(() => releases.stats().live).toBe(0);
  });

  test('releases by itself, and awaits, what follows upon an action', async () => {
    attachedOverBidi(browser);
    await page.setContent('<button onclick="console.log(`clicked`)">press</button>');
    const messages: string[] = [];
    page.on('console', (message) => messages.push(message.text()));
    const button = (await page.$('button')) as ElementHandle;
    await button.click();
    await button.dispose();
    expect(await known(browser, page, [idOf(button)]), 'done, not on its way').toEqual([]);
    await expect.poll(() => messages).toEqual(['clicked']);
  });

  test('is handed nothing to own by the console', async () => {
    const releases = attachedOverBidi(browser);
    let messages = 0;
    page.on('console', () => messages++);
    await page.evaluate(() => console.log({}, [], document.body));
    await expect.poll(() => messages).toBe(1);
    expect(releases.stats()).toMatchObject({ minted: 0 });
  });

  test('keeps an argument for as long as a call is unanswered', async () => {
    const releases = attachedOverBidi(browser);
    const answers: Promise<unknown>[] = [];
    for (let count = 0; count < 50; count++) {
      const handle = await page.evaluateHandle((answer) => ({ answer }), count);
      answers.push(
        page.evaluate(
          ({ answer }) => new Promise((resolve) => setTimeout(resolve, 20, answer)),
          handle as unknown as { answer: number },
        ),
      );
      await handle.dispose();
    }
    expect(await Promise.all(answers)).toEqual(Array.from({ length: 50 }, (_, index) => index));
    await releases.flush();
    expect(releases.stats()).toMatchObject({ failed: 0, live: 0 });
  });

  test('ends a scope with all that was minted in it, but for what escapes', async () => {
    const releases = attachedOverBidi(browser);
    await page.setContent('<p>one<p>two');
    const [kept, ended] = await releases.scope(async () => {
      const list = await page.$$('p');
      const escaped = releases.escape(await page.evaluateHandle(() => ({ kept: true })));
      return [escaped, [...list, ...(await mint(100))]] as const;
    });
    const [used] = ended;
    for (let time = 0; time < 2; time++) {
      await expect(page.evaluate((one) => one, used)).rejects.toMatchObject({
        code: 'ERR_HANDLE_SCOPE_ENDED',
      });
      await expect(page.evaluate(() => 1, used)).rejects.toThrow(
        /inside a scope that has ended, one of scope\(\)/,
      );
      await releases.flush();
    }
    expect(await known(browser, page, ended.map(idOf))).toEqual([]);
    expect(await kept.jsonValue()).toEqual({ kept: true });
    expect(await page.$$eval('p', (nodes) => nodes.length), 'Puppeteer keeps what it needs').toBe(2);

    const other = await openPage(browser);
    const scope = releases.openScope(page);
    const [inside, outside] = [await mint(10), await other.evaluateHandle(() => ({}))];
    scope.end();
    await releases.flush();
    expect(await known(browser, page, inside.map(idOf))).toEqual([]);
    expect(await outside.jsonValue()).toEqual({});
  });

  test('goes through queries, arguments and lists as without it, under forced collections', async () => {
    attachedOverBidi(browser);
    await page.setContent('<ul><li>1<li>2<li>3</ul>');
    for (let round = 0; round < 10; round++) {
      globalThis.gc?.();
      const items = await page.$$('li');
      const texts = await Promise.all(items.map((item) => item.evaluate((node) => node.textContent)));
      expect(texts).toEqual(['1', '2', '3']);
      globalThis.gc?.();
      const list = await page.evaluateHandle((...nodes) => nodes, ...items);
      expect(await list.evaluate((nodes) => nodes.length)).toBe(3);
      expect(
        await page
          .locator('li')
          .map((node) => node.textContent)
          .wait(),
      ).toBe('1');
      expect(await page.$eval('ul', (node, item) => node.contains(item as Node), items[0])).toBe(true);
    }
  });

  test('covers what it is for: a page, a context, a browser', async () => {
    const context = await browser.createBrowserContext();
    try {
      const [mine, other] = [await context.newPage(), page];
      const ofPage = attachedOverBidi(mine);
      const ofContext = attachedOverBidi(browser.defaultBrowserContext());
      const handles = [
        await mine.evaluateHandle(() => ({})),
        await other.evaluateHandle(() => ({})),
        await other.evaluateHandle(() => ({})),
      ];
      expect([ofPage.stats().minted, ofContext.stats().minted]).toEqual([1, 2]);
      ofContext.detach();
      const ofBrowser = attachedOverBidi(browser);
      const more = [await mine.evaluateHandle(() => ({})), await other.evaluateHandle(() => ({}))];
      expect([ofPage.stats().minted, ofBrowser.stats().minted]).toEqual([2, 1]);
      expect(attachedOverBidi(other)).toBe(ofBrowser);
      await Promise.all([...handles, ...more].map((handle) => handle.dispose()));
    } finally {
      await context.close();
    }
  });

  test('names the line that forgets', async () => {
    const releases = attachedOverBidi(browser, { traceLeaks: true });
    await mintAndForget(10);
    expect(releases.leaks()).toMatchObject([{ line: expect.stringContaining('bidi.test.ts'), minted: 10 }]);
  });

  test('is over with the page that it is for, or with the browser', async () => {
    for (const close of [(its: Page) => its.close(), (its: Page) => its.browser().close()]) {
      const own = await launch();
      const ownPage = await own.newPage();
      const releases = attach(ownPage);
      await ownPage.evaluateHandle(() => ({}));
      expect(releases.stats().live).toBe(1);
      await close(ownPage);
      await expect.poll(() => releases.detached).toBe(true);
      await expect.poll(() => releases.stats()).toMatchObject({ live: 0, elided: 1 });
      expect(Object.hasOwn(connectionOf(own), 'send')).toBe(false);
      await own.close();
    }
  });

  test('ends all with the browser', async () => {
    const own = await launch();
    const releases = attachedOverBidi(own);
    const ownPage = await own.newPage();
    await ownPage.evaluateHandle(() => ({}));
    await own.close();
    await expect.poll(() => releases.stats().live).toBe(0);
    expect(connectionOf(own).closed).toBe(true);
  });
});
