// What Playwright makes in the page for itself, to click or to fill, costs no command of its own, and no sweep.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Browser, Page } from 'playwright-core';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { IDLE_MS, SENT_AFTER_MS } from '../../src/policy.ts';
import { attachedPlaywright, launchByPlaywright, openPage } from '../support/playwright.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchByPlaywright();
});

async function openButton(): Promise<Page> {
  const page = await openPage(browser);
  await page.setContent('<button>1</button>');
  return page;
}

/** How many sweeps have judged something since. */
function countSweeps(): () => number {
  let sweeps = 0;
  const onSweep = (): void => {
    sweeps++;
  };
  subscribe('cdp-release-batcher:sweep:done', onSweep);
  onTestFinished(() => void unsubscribe('cdp-release-batcher:sweep:done', onSweep));
  return () => sweeps;
}

it('waits for company, where what the script disposed of goes at once', async () => {
  let now = 0;
  const releases = attachedPlaywright(browser, browser, { now: () => now });
  const page = await openButton();
  await page.locator('button').click();
  const { disposed, queued } = releases.stats();
  expect(disposed).toBeGreaterThan(0);
  expect(queued).toBe(disposed);
  now = SENT_AFTER_MS + 5;
  const sweeps = countSweeps();
  await expect.poll(sweeps).toBeGreaterThan(2);
  expect(releases.stats()).toMatchObject({ commands: 0, queued });

  const handle = await page.evaluateHandle(() => ({}));
  await handle.dispose();
  await expect.poll(() => releases.stats().queued, { interval: 5 }).toBe(queued + 1);
  now += SENT_AFTER_MS + 5;
  await expect.poll(() => releases.stats().queued).toBe(0); // What waited goes with it.
});

it('is judged by a timer, and not after each command', async () => {
  const releases = attachedPlaywright(browser, browser, { now: () => 0 });
  const page = await openButton();
  await page.locator('button').click();
  const sweeps = countSweeps();
  await expect.poll(sweeps).toBeGreaterThan(0); // What it left waits from here on.
  const before = sweeps();
  const begun = performance.now();
  for (let count = 0; count < 10; count++) await page.locator('button').click();
  const byTimer = (performance.now() - begun) / (IDLE_MS / 2);
  expect(sweeps() - before).toBeLessThan(20 + byTimer); // A click has some ten commands.
  expect(releases.stats().commands).toBe(0);
});

it('joins a group though the script that made it is older than the attachment', async () => {
  const page = await openButton();
  await page.locator('button').click();
  const releases = attachedPlaywright(browser, browser);
  await page.locator('button').click();
  await releases.flush();
  const { released, groupFreed } = releases.stats();
  expect(released).toBeGreaterThan(0);
  expect(groupFreed).toBe(released);
});
