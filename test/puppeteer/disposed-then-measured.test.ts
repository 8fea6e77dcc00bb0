// A script that disposes of handles and then measures sees what it would see without us, by whichever session it measures.
import type { Browser, CDPSession, JSHandle, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { attached } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';

declare const row: () => object;
declare const refs: WeakRef<object>[];

describe.each(PUPPETEERS)('with $name', ({ puppeteer }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium({ args: ['--js-flags=--expose-gc'] }, puppeteer);
  });

  async function disposeOfAllBut(held: number, page: Page): Promise<void> {
    await page.evaluate(`globalThis.refs = [];
      globalThis.row = () => { const made = {}; refs.push(new WeakRef(made)); return made; };`);
    const handles: JSHandle[] = [];
    for (let made = 0; made < 20; made++) handles.push(await page.evaluateHandle(() => row()));
    for (const handle of handles.slice(held)) await handle.dispose();
  }

  const measures: [how: string, measure: (page: Page, session: CDPSession) => Promise<unknown>][] = [
    ['by a session of its own', (_, session) => session.send('HeapProfiler.collectGarbage')],
    ['by page.metrics()', (page) => page.metrics()],
    ['by Runtime.getHeapUsage', (_, session) => session.send('Runtime.getHeapUsage')],
  ];

  it.each(measures)('%s', async (_, measure) => {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const session = await page.createCDPSession();
    attached(browser);
    for (const held of [0, 1]) {
      await disposeOfAllBut(held, page);
      await measure(page, session);
      await page.evaluate('gc()');
      expect(await page.evaluate(() => refs.filter((ref) => ref.deref()).length)).toBe(held);
    }
  });
});
