// Fifteen of everything, where Node warns from eleven listeners on, and not a word on stderr: no MaxListenersExceededWarning, nor any other.
import { describe, expect, it } from 'vitest';
import { runScript } from '../support/script.ts';

describe('no warning comes of', () => {
  it.each([
    ['one attachment to a browser of 15 pages', 'attach(browser, { signal });'],
    ['15 attachments to a page each', 'for (const page of pages) attach(page, { signal });'],
    [
      '15 attachments to sessions, all with one signal and detached again',
      'for (const page of pages) attach(await page.createCDPSession(), { signal, track: true }).detach();',
    ],
    ['attaching and detaching 15 times', 'for (const _ of pages) attach(browser, { signal }).detach();'],
  ])(
    '%s',
    async (_, attach) => {
      const run = await runScript(
        `import puppeteer from 'puppeteer-core';
      import { attach } from 'cdp-release-batcher/puppeteer';
      import { ReleaseBatcher } from 'cdp-release-batcher';
      const browser = await puppeteer.launch(launchOptions);
      const { signal } = new AbortController();
      const url = 'data:text/html,<p>';
      const pages = await Promise.all(Array.from({ length: 15 }, () => browser.newPage()));
      ${attach}
      const batchers = pages.map(() => new ReleaseBatcher({ signal }));
      await Promise.all(pages.map((page) => page.evaluateHandle(() => ({}))));
      for (const page of pages) (await page.evaluateHandle(() => ({}))).dispose();
      await Promise.all(batchers.map((batcher) => batcher.close()));
      await browser.close();`,
        { execArgv: ['--trace-warnings'], timeoutMs: 220_000 },
      );
      expect(run).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
    },
    240_000,
  );
});
