// A browser that is closed or killed, and a socket that breaks off, end all that was on its way through them; what is
// connected next is served from the start, and the process can exit.
import { setImmediate as macrotask } from 'node:timers/promises';
import puppeteer25, { type Browser } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { expectAtRest } from '../support/conservation.ts';
import { FaultProxy, releases as isRelease } from '../support/fault-proxy/fault-proxy.ts';
import { runScript } from '../support/script.ts';
import {
  dropAll,
  dropMany,
  EVERY_PUPPETEER,
  expectAllEnded,
  killBrowser,
  mintMany,
  WAYS,
} from './in-mid-batch.ts';

describe.each(EVERY_PUPPETEER)('$name, with releases on their way', ({ puppeteer, options }) => {
  it('a browser that is closed', async () => {
    const browser = await launchChromium({}, puppeteer);
    const page = await browser.newPage();
    const releases = attached(browser, options);
    await dropMany(page);
    await browser.close();
    await expectAllEnded(releases);
  });

  it('a browser that is killed', async () => {
    const browser = await launchChromium({}, puppeteer);
    const page = await browser.newPage();
    const releases = attached(browser, options);
    const disconnected = new Promise((resolve) => browser.once('disconnected', resolve));
    await dropMany(page);
    killBrowser(browser);
    await disconnected;
    await expectAllEnded(releases);
  });
});

describe.each(WAYS)('$name, a socket that breaks off', ({ options }) => {
  it.each(['sever', 'closeInMidFrame'] as const)(
    '(%s) ends what was on its way, and the next connection to the page starts anew',
    async (how) => {
      const behind = await launchChromium();
      const observed = await behind.newPage();
      await observed.goto('data:text/html,<title>observed</title>');
      const census = await Census.open(observed);
      await using proxy = await FaultProxy.open(behind.wsEndpoint());
      const connect = async (): Promise<Browser> =>
        puppeteer25.connect({ browserWSEndpoint: proxy.endpoint, defaultViewport: null });
      const pageOf = async (browser: Browser) => {
        for (const page of await browser.pages()) if ((await page.title()) === 'observed') return page;
        throw new Error('the page is not there');
      };

      const first = await connect();
      const before = attached(first, options);
      const handles = await mintMany(await pageOf(first), 1_000);
      const disconnected = new Promise((resolve) => first.once('disconnected', resolve));
      const hold = proxy.toClient.hold(isRelease());
      dropAll(handles.slice(1));
      await before.flush({ timeoutMs: 1 });
      await macrotask();
      proxy[how]();
      await disconnected;
      await expectAllEnded(before);
      hold[Symbol.dispose]();
      await expect.poll(() => census.alive(), { timeout: 60_000 }).toBe(0);

      const second = await connect();
      const after = attached(second, options);
      const kept = await mintMany(await pageOf(second), 100);
      await Promise.all(kept.slice(1).map((handle) => handle.dispose()));
      expect(await after.flush()).toMatchObject({ complete: true });
      expect(await census.alive()).toBe(1);
      expect(await kept[0]?.evaluate((object) => typeof object)).toBe('object');
      await kept[0]?.dispose();
      await after.flush();
      expect(await census.alive()).toBe(0);
      after.detach();
      await second.disconnect();
      await behind.close();
    },
  );
});

describe('a process', () => {
  it.each([
    ['closed', 'await browser.close();'],
    ['killed', 'process.kill(-browser.process().pid, "SIGKILL");'],
    [
      'disconnected',
      'const child = browser.process(); await browser.disconnect(); process.kill(-child.pid, "SIGKILL");',
    ],
  ])('can exit after its browser was %s in mid-batch', async (_how, end) => {
    const { stdout, ...rest } = await runScript(`
      import puppeteer from 'puppeteer-core';
      import { attach } from 'cdp-release-batcher/puppeteer';
      const browser = await puppeteer.launch(launchOptions);
      const page = await browser.newPage();
      const releases = attach(browser, { groups: false });
      const list = await page.evaluateHandle(() => Array.from({ length: 2000 }, () => ({})));
      const handles = [...(await list.getProperties()).values()];
      for (const handle of handles) void handle.dispose();
      await new Promise(setImmediate);
      ${end}
      process.on('exit', () => console.log(JSON.stringify(releases.stats())));
    `);
    expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
    expectAtRest(JSON.parse(stdout));
  });
});
