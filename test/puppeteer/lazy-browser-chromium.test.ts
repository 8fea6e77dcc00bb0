// The lazy browser with real ones: what it gives comes attached, and no process is left behind.
import type { Browser } from 'puppeteer-core';
import puppeteer from 'puppeteer-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { attach, lazyBrowser } from '../../src/clients/puppeteer/index.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { deferred } from '../support/deferred.ts';

describe.each(PUPPETEERS)('$name', ({ puppeteer: version }) => {
  test('jobs that start together share one browser, which comes attached', async () => {
    let launches = 0;
    const getBrowser = lazyBrowser(({ signal }) => {
      launches++;
      return launchChromium({ signal }, version);
    });
    const job = async (): Promise<Browser> => {
      const browser = await getBrowser();
      const page = await browser.newPage();
      for (let i = 0; i < 20; i++) await page.evaluateHandle(() => ({}));
      return browser;
    };
    const browsers = await Promise.all([job(), job(), job(), job()]);
    expect(new Set(browsers).size).toBe(1);
    expect(launches).toBe(1);

    const releases = attach(await getBrowser());
    await collectUntil(() => releases.stats().collected >= 80);
    expect(await releases.flush()).toMatchObject({ complete: true });
  });

  test('a browser that crashed is launched anew at the next call, attached', async () => {
    const getBrowser = lazyBrowser(() => launchChromium({}, version));
    const first = await getBrowser();
    const disconnected = new Promise((resolve) => first.once('disconnected', resolve));
    const session = await first.target().createCDPSession();
    await expect(session.send('Browser.crash')).rejects.toThrow();
    await disconnected;
    const second = await getBrowser();
    expect(second).not.toBe(first);
    const page = await second.newPage();
    await page.evaluateHandle(() => ({}));
    expect(attach(second).stats().minted).toBeGreaterThan(0);
  });
});

test('a browser that is connected to, and let go of, is connected to again', async () => {
  const remote = await launchChromium();
  const getBrowser = lazyBrowser(() => puppeteer.connect({ browserWSEndpoint: remote.wsEndpoint() }));
  const first = await getBrowser();
  await first.disconnect();
  const second = await getBrowser();
  onTestFinished(() => second.disconnect());
  expect(second).not.toBe(first);
  expect(second.connected && remote.connected).toBe(true);
});

test('a launch that hangs past its deadline is replaced, and its Chromium closed', async () => {
  // Both are there before: how long a launch takes here is no matter of the test's.
  const [slow, quick] = [await launchChromium(), await launchChromium()];
  const { promise: arrival, resolve: arrive } = deferred<void>();
  let launches = 0;
  const getBrowser = lazyBrowser(
    async () => {
      if (launches++ > 0) return quick;
      await arrival;
      return slow;
    },
    { deadlineMs: 200 },
  );
  const loser = getBrowser();
  expect(await getBrowser()).toBe(quick);
  const exited = new Promise((resolve) => slow.process()?.once('exit', resolve));
  arrive();
  expect(await loser).toBe(quick);
  await exited;
});
