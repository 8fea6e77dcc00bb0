// A page in an endless loop costs its own releases only: those of other pages go on, its own are done when it
// recovers, or counted as timed out when it does not.
import type { Browser, CDPSession, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { expectConserved } from '../support/conservation.ts';
import { dropAll, EVERY_PUPPETEER, expectSettled, mintMany } from './in-mid-batch.ts';

/** Keeps the page busy until told: the command to stop is one of the few that interrupt a script. */
async function hang(page: Page): Promise<() => Promise<void>> {
  const session: CDPSession = await page.createCDPSession();
  const hung = session.send('Runtime.evaluate', { expression: 'for (;;);' }).catch(() => {});
  return async () => {
    await session.send('Runtime.terminateExecution');
    await hung;
  };
}

describe.each(EVERY_PUPPETEER)('$name', ({ puppeteer, options }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });

  it('a page that hangs holds up no other, and has its releases done when it recovers', async () => {
    const [hung, other] = [await browser.newPage(), await browser.newPage()];
    const [hungCensus, otherCensus] = [await Census.open(hung), await Census.open(other)];
    const releases = attached(browser, options);
    const handles = await mintMany(hung, 1_000);
    const recover = await hang(hung);
    dropAll(handles);
    for (let round = 0; round < 3; round++) {
      const before = releases.stats().released;
      const others = await mintMany(other, 500);
      dropAll(others);
      await expect
        .poll(() => releases.stats().released, { timeout: 60_000 })
        .toBeGreaterThanOrEqual(before + 500);
      expect(await otherCensus.alive()).toBe(0);
    }
    expect(await releases.flush({ timeoutMs: 50 })).toMatchObject({ complete: false });
    expectConserved(releases.stats());
    await recover();
    await expectSettled(releases);
    expect(await hungCensus.alive()).toBe(0);
    await hung.close();
    await other.close();
  });

  it('a page that does not recover in time has its releases counted as timed out', async () => {
    const page = await browser.newPage();
    const releases = attached(page, { ...options, releaseTimeoutMs: 100 });
    const handles = await mintMany(page, 500);
    const recover = await hang(page);
    dropAll(handles);
    await expect.poll(() => releases.stats().timedOut, { timeout: 60_000 }).toBeGreaterThan(0);
    expectConserved(releases.stats());
    await expect.poll(() => releases.stats().queued + releases.stats().inFlight, { timeout: 60_000 }).toBe(0);
    expectConserved(releases.stats());
    await recover();
    await page.close();
  });
});
