// Workers by the dozen that start, mint, and are terminated in the midst of it: what they held ends with them, and
// the page that started them is left with nothing.
import type { Browser, WebWorker } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { openSite, type Site } from '../support/site.ts';
import { sized } from '../support/sized.ts';
import { dropMany, EVERY_PUPPETEER, expectSettled, mintMany } from './in-mid-batch.ts';

const STORMS = sized(2, 4);
const WORKERS = 10;

describe.each(EVERY_PUPPETEER)('$name', ({ puppeteer, options }) => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
    site = await openSite({ '/worker.js': '' });
  });
  afterAll(() => site[Symbol.asyncDispose]());

  it('a storm of workers', async () => {
    const page = await browser.newPage();
    await page.goto(`${site.here}/`);
    const census = await Census.open(page);
    const releases = attached(page, options);
    for (let storm = 0; storm < STORMS; storm++) {
      const workers: WebWorker[] = [];
      const destroyed: WebWorker[] = [];
      const onCreated = (worker: WebWorker): void => void workers.push(worker);
      const onDestroyed = (worker: WebWorker): void => void destroyed.push(worker);
      page.on('workercreated', onCreated);
      page.on('workerdestroyed', onDestroyed);
      await page.evaluate(
        (count) =>
          void Object.assign(globalThis, {
            storm: Array.from({ length: count }, () => new Worker('/worker.js')),
          }),
        WORKERS,
      );
      await expect.poll(() => workers.length, { timeout: 60_000 }).toBe(WORKERS);
      const works = workers.map(async (worker) => {
        await mintMany(worker, 20);
        for (let round = 0; round < 5; round++) await dropMany(worker, 50);
      });
      // Half of them are terminated in mid-work; their commands are refused, whichever those are.
      await Promise.race(works);
      await page.evaluate('storm.forEach((worker, index) => index % 2 && worker.terminate())');
      await Promise.allSettled(works);
      await page.evaluate('storm.forEach((worker) => worker.terminate())');
      await expect.poll(() => destroyed.length, { timeout: 60_000 }).toBe(WORKERS);
      page.off('workercreated', onCreated);
      page.off('workerdestroyed', onDestroyed);
    }
    await expectSettled(releases);
    await collectUntil(async () => (await releases.flush()).complete && (await census.alive()) === 0);
    await page.close();
    await expect.poll(() => releases.stats().live).toBe(0);
  });
});
