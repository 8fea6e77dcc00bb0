// Detached in the middle of everything, and attached again at once: what was dropped is released all the same, what
// lives works on, and no handle is in two books.
import type { Browser } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { expectAtRest, expectConserved } from '../support/conservation.ts';
import { dropAll, dropMany, EVERY_PUPPETEER, mintMany } from './in-mid-batch.ts';

describe.each(EVERY_PUPPETEER)('$name', ({ puppeteer, options }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });

  it('detach, with releases on their way', async () => {
    const page = await browser.newPage();
    const census = await Census.open(page);
    const releases = attached(page, options);
    await dropMany(page);
    releases.detach();
    expect(await releases.flush()).toMatchObject({ complete: true });
    expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
    await expect.poll(() => census.alive()).toBe(0);
    await page.close();
  });

  it('detach and attach again, over and over, with releases and mints on their way', async () => {
    const page = await browser.newPage();
    const census = await Census.open(page);
    const usable = [];
    for (let round = 0; round < 10; round++) {
      const releases = attach(browser, options);
      const [kept, ...handles] = await mintMany(page, 200);
      if (kept !== undefined) usable.push(kept);
      const minting = page.evaluateHandle(() => mk());
      dropAll(handles);
      releases.detach();
      const last = attach(browser, options);
      usable.push(await minting);
      await releases.flush();
      expectConserved(releases.stats());
      expect(releases.stats()).toMatchObject({ queued: 0, inFlight: 0, failed: 0, dropped: 0 });
      last.detach();
      expectAtRest(last.stats());
    }
    const answers = await Promise.all(usable.map((handle) => handle.evaluate((object) => typeof object)));
    expect(answers).toEqual(usable.map(() => 'object'));
    await expect.poll(() => census.alive()).toBe(usable.length);
    const releases = attached(browser, options);
    dropAll(usable);
    await releases.flush();
    expect(await census.alive()).toBe(0);
    await page.close();
  });

  it('detach while a command is running that names what was dropped: released when it is answered', async () => {
    const page = await browser.newPage();
    const census = await Census.open(page);
    const releases = attached(page, options);
    const [handle] = await mintMany(page, 1);
    if (handle === undefined) throw new Error('nothing was minted');
    const running = handle.evaluate(
      (object) =>
        new Promise((resolve) => Object.assign(globalThis, { finish: () => resolve(typeof object) })),
    );
    const disposed = handle.dispose();
    releases.detach();
    await disposed;
    expect(await census.alive()).toBe(1);
    await page.evaluate('finish(); delete globalThis.finish;');
    expect(await running).toBe('object');
    expect(await releases.flush()).toMatchObject({ complete: true });
    await expect.poll(() => releases.stats().queued + releases.stats().inFlight).toBe(0);
    expect(releases.stats()).toMatchObject({ failed: 0, dropped: 0 });
    await expect.poll(() => census.alive()).toBe(0);
    await page.close();
  });
});
