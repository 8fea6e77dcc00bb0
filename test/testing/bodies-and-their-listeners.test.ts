// What a body's listeners, exposed functions and predicates ask for is the body's, and so is what a body within it leaves;
// a browser and a context stand for all their pages. Puppeteer's emitters are left as they were.
import type { Browser, Page } from 'puppeteer-core';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { expectNoLeaks } from '../../src/testing/index.ts';
import { launchChromium } from '../support/chromium.ts';

let browser: Browser;
let page: Page;
const held: unknown[] = [];
beforeAll(async () => {
  browser = await launchChromium();
});
beforeEach(async () => {
  page = await browser.newPage();
});

const leak = async (): Promise<void> => void held.push(await page.evaluateHandle(() => []));
const oneLeft = { actual: 1, leaks: [{ kind: 'array', count: 1 }] };

it.each(['on', 'once'] as const)('a listener that the body has registered with %s', async (register) => {
  const failed = expectNoLeaks(page, async () => {
    const heard = new Promise<void>((resolve) => {
      page[register]('framenavigated', () => void leak().then(resolve));
    });
    await page.goto('data:text/html,x');
    await heard;
  });
  await expect(failed).rejects.toMatchObject(oneLeft);
});

it('a listener from before is nobody’s', async () => {
  const heard = new Promise<void>((resolve) => {
    page.once('framenavigated', () => void leak().then(resolve));
  });
  await expectNoLeaks(page, async () => {
    await page.goto('data:text/html,x');
    await heard;
  });
});

it('an exposed function, and what it calls later', async () => {
  const failed = expectNoLeaks(page, async () => {
    await page.exposeFunction('leak', leak);
    await page.evaluate('leak()');
  });
  await expect(failed).rejects.toMatchObject(oneLeft);
  await expectNoLeaks(page, () => page.evaluate('1'));
  await page.evaluate('leak()'); // It goes on being called.
});

it('a predicate', async () => {
  const failed = expectNoLeaks(page, async () => {
    const waiting = page.waitForRequest(async () => {
      await leak();
      return true;
    });
    await page.evaluate("fetch('data:text/plain,x').then(() => 1)");
    await waiting;
  });
  await expect(failed).rejects.toMatchObject(oneLeft);
});

it('is taken away by off(), once, and there as itself when the body is over', async () => {
  let calls = 0;
  const listener = (): void => void calls++;
  await expectNoLeaks(page, () => {
    page.on('metrics', listener).on('metrics', listener).off('metrics', listener);
    page.emit('metrics', { title: '', metrics: {} });
  });
  expect(calls).toBe(1);
  expect(page.listenerCount('metrics')).toBe(1);
  page.emit('metrics', { title: '', metrics: {} });
  expect(calls).toBe(2);
  page.off('metrics', listener);
  expect(page.listenerCount('metrics')).toBe(0);
  await expectNoLeaks(page, () => void page.on('metrics', listener).off('metrics'));
  expect(page.listenerCount('metrics')).toBe(0);
});

it('what a body within a body leaves, it leaves in both', async () => {
  const inner: unknown[] = [];
  const outer = expectNoLeaks(page, async () => {
    await leak();
    await expectNoLeaks(page, leak).catch((error) => inner.push(error));
  });
  await expect(outer).rejects.toMatchObject({ actual: 2 });
  expect(inner).toMatchObject([oneLeft]);
});

it('a browser or a context stands for all its pages, those to come included', async () => {
  const context = await browser.createBrowserContext();
  const other = await context.newPage();
  const leakOn = (target: Page) => target.evaluateHandle(() => []).then((handle) => void held.push(handle));
  for (const subject of [browser, context]) {
    await expect(expectNoLeaks(subject, () => leakOn(other))).rejects.toMatchObject(oneLeft);
    const inNew = expectNoLeaks(subject, async () => leakOn(await context.newPage()));
    await expect(inNew).rejects.toMatchObject(oneLeft);
    await expectNoLeaks(subject, async () => (await other.evaluateHandle(() => [])).dispose());
  }
  await expectNoLeaks(context, leak); // On a page of another context.
  await context.close();
});

it('of a page counts what is on that page, also where its whole browser is looked at', async () => {
  const other = await browser.newPage();
  await expectNoLeaks(page, async () => void held.push(await other.$('body')));
  const both = expectNoLeaks(browser, async () => {
    await expectNoLeaks(page, async () => void held.push(await other.$('body')));
  });
  await expect(both).rejects.toMatchObject({ actual: 1 });
});
