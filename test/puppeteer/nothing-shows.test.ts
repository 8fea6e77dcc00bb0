// Whoever debugs or profiles a page sees nothing of us: a debugger of the script's own receives the events that it receives
// without us, and coverage lists what it lists without us.
import type { Browser, CDPSession, JSHandle, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { attached, connectionOf } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';

describe.each(PUPPETEERS)('with $name', ({ puppeteer }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });

  /** Work after which some of many live: their survivors would be moved. */
  async function keepSome(page: Page): Promise<JSHandle[]> {
    const kept: JSHandle[] = [];
    for (let made = 0; made < 60; made++) {
      const handle = await page.evaluateHandle(() => ({}));
      if (made % 20 === 0) kept.push(handle);
      else await handle.dispose();
    }
    return kept;
  }

  /** Counts what a debugger receives, by event and by the name of the script. */
  function countEvents(session: CDPSession): Map<string, number> {
    const counts = new Map<string, number>();
    const count = (event: unknown, payload: { url?: string } | undefined): void => {
      if (!String(event).startsWith('Debugger.')) return;
      const name = `${String(event)} ${payload?.url?.replace(/;.*/, '') ?? ''}`;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    };
    session.on('*' as never, count as never);
    return counts;
  }

  /** @param attach what is done before the work, or after the debugger is on. */
  async function seenByDebugger(attach: (page: Page) => (() => Promise<void>) | undefined): Promise<object> {
    const page = await browser.newPage();
    const settle = attach(page);
    const session = await page.createCDPSession();
    const counts = countEvents(session);
    await session.send('Debugger.enable');
    const kept = await keepSome(page);
    await settle?.();
    expect(kept).toHaveLength(3);
    await page.close();
    return Object.fromEntries(counts);
  }

  it('a debugger of its own receives the same events', async () => {
    const plain = await seenByDebugger(() => undefined);
    const seen = await seenByDebugger((page) => {
      const releases = attached(page);
      return async () => {
        await releases.flush();
        expect(releases.stats()).toMatchObject({ live: 3, moved: 0, disposed: 57 });
      };
    });
    expect(seen).toEqual(plain);
    expect(JSON.stringify(seen)).toContain('Debugger.scriptParsed');
  });

  it('coverage lists the same scripts', async () => {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const releases = attached(page);
    await page.coverage.startJSCoverage({ reportAnonymousScripts: true, resetOnNavigation: false });
    await keepSome(page);
    await releases.flush();
    expect(releases.stats()).toMatchObject({ moved: 0 });
    const coverage = await page.coverage.stopJSCoverage();
    expect(coverage.filter(({ url }) => url.startsWith('debugger:'))).toEqual([]);
    await keepSome(page);
    await releases.flush();
    expect(releases.stats().moved, 'once it is over').toBeGreaterThan(0);
  });

  it('the connection has its own _rawSend back after a detach', async () => {
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    attached(browser);
    expect(Object.hasOwn(connectionOf(page), '_rawSend')).toBe(true); // `attached` sees that it goes.
  });
});
