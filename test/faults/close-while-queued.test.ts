// `close()` and an abort while many releases wait: what can be sent in time is, the rest is dropped and counted, and
// nothing is taken afterwards.
import type { Browser, CDPSession } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { ReleaseBatcher } from '../../src/index.ts';
import { attached, sessionOf } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { sized } from '../support/sized.ts';
import { mintMany } from './in-mid-batch.ts';

/** More than can be sent in the 20 ms that one of the tests gives. */
const QUEUED = sized(10_000, 100_000);
/** For a browser that is busy with other things, too, to answer them all. */
const LONG_ENOUGH = { releaseTimeoutMs: 200_000 };

describe(`with ${QUEUED} queued`, { timeout: 240_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium();
  });

  async function openQueued(batcher: ReleaseBatcher): Promise<{ session: CDPSession; census: Census }> {
    const page = await browser.newPage();
    const census = await Census.open(page);
    await page.evaluate(`globalThis.all = Array.from({ length: ${QUEUED} }, () => ({ small: 1 }))`);
    const session = await page.createCDPSession();
    const evaluate = async (expression: string): Promise<string> => {
      const { result } = await session.send('Runtime.evaluate', { expression });
      return result.objectId as string;
    };
    const list = await session.send('Runtime.getProperties', {
      objectId: await evaluate('all'),
      ownProperties: true,
    });
    const marked = await evaluate('mk()');
    expect(await census.alive()).toBe(1);
    for (const { value } of list.result) {
      if (value?.objectId !== undefined) expect(batcher.release(session, value.objectId)).toBe(true);
    }
    expect(batcher.release(session, marked)).toBe(true);
    expect(batcher.stats().queued).toBeGreaterThan(QUEUED);
    return { session, census };
  }

  it('close sends them all, and takes nothing more', async () => {
    const batcher = new ReleaseBatcher(LONG_ENOUGH);
    const { session, census } = await openQueued(batcher);
    const closing = batcher.close();
    expect(batcher.release(session, 'late')).toBe(false);
    await closing;
    const { minted, released, gone, dropped, queued, inFlight } = batcher.stats();
    expect({ queued, inFlight }).toEqual({ queued: 0, inFlight: 0 });
    expect(released + gone + dropped).toBe(minted);
    expect(dropped).toBe(1);
    expect(await census.alive()).toBe(0);
  });

  it('close of one that runs out of time counts what it had to drop', async () => {
    const batcher = new ReleaseBatcher({ releaseTimeoutMs: 20 });
    await openQueued(batcher);
    await batcher.close();
    await expect.poll(() => batcher.stats().inFlight).toBe(0);
    const { minted, released, gone, timedOut, dropped, queued } = batcher.stats();
    expect(queued).toBe(0);
    expect(released + gone + timedOut + dropped).toBe(minted);
    expect(dropped).toBeGreaterThan(0);
  });

  it('an abort drops what waits, at once', async () => {
    const aborting = new AbortController();
    const batcher = new ReleaseBatcher({ signal: aborting.signal });
    await openQueued(batcher);
    aborting.abort();
    const { minted, dropped, queued } = batcher.stats();
    expect({ queued, dropped }).toEqual({ queued: 0, dropped: minted });
  });

  it('an attachment that is detached releases them all', async () => {
    const page = await browser.newPage();
    const releases = attached(page, { groups: false, ...LONG_ENOUGH });
    const handles = await mintMany(page, QUEUED);
    const session = sessionOf(page);
    for (const handle of handles) {
      void session.send('Runtime.releaseObject', { objectId: handle.remoteObject().objectId });
    }
    expect(releases.stats().queued).toBeGreaterThanOrEqual(QUEUED - 1);
    releases.detach();
    expect(await releases.flush()).toMatchObject({ complete: true });
    expect(releases.stats()).toMatchObject({ queued: 0, inFlight: 0, failed: 0, dropped: 0 });
    await page.close();
  });
});
