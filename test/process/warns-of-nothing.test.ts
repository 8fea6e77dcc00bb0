// Fifteen of everything, where Node warns from eleven listeners on, and not a word on stderr: no MaxListenersExceededWarning, nor any other.
import { expect, it } from 'vitest';
import { runScript } from '../support/script.ts';

/** One after another over the same pages: what one left behind, the next would add to. */
const WAYS: Readonly<Record<string, string>> = {
  'one attachment to a browser of 15 pages': 'return [attach(browser, { signal })];',
  '15 attachments to a page each': 'return pages.map((page) => attach(page, { signal }));',
  '15 attachments to sessions, all with one signal and detached again': `
    for (const page of pages) attach(await page.createCDPSession(), { signal, track: true }).detach();
    return [];`,
  'attaching and detaching 15 times': `
    for (const _ of pages) attach(browser, { signal }).detach();
    return [];`,
};

it('no warning comes of many attachments, listeners and batchers', async () => {
  const ways = Object.entries(WAYS).map(([name, way]) => `${JSON.stringify(name)}: async () => {${way}}`);
  const run = await runScript(
    `import puppeteer from 'puppeteer-core';
    import { attach } from 'cdp-release-batcher/puppeteer';
    import { ReleaseBatcher } from 'cdp-release-batcher';
    let now;
    process.on('warning', () => console.error('That came of ' + now));
    const browser = await puppeteer.launch(launchOptions);
    const pages = await Promise.all(Array.from({ length: 15 }, () => browser.newPage()));
    const { signal } = new AbortController();
    const ways = {${ways.join()}};
    for (now in ways) {
      const attachments = await ways[now]();
      const batchers = pages.map(() => new ReleaseBatcher({ signal }));
      await Promise.all(pages.map((page) => page.evaluateHandle(() => ({}))));
      for (const page of pages) (await page.evaluateHandle(() => ({}))).dispose();
      await Promise.all(batchers.map((batcher) => batcher.close()));
      for (const releases of attachments) releases.detach();
    }
    await browser.close();`,
    { execArgv: ['--trace-warnings'], timeoutMs: 220_000 },
  );
  expect(run).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
}, 240_000);
