// Two browsers share one batcher, and one of them dies in mid-batch: the other feels nothing of it.
import type { Browser, CDPSession } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { ReleaseBatcher } from '../../src/index.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { killBrowser } from './in-mid-batch.ts';

const COUNT = 5_000;

interface Subject {
  readonly browser: Browser;
  readonly session: CDPSession;
  readonly census: Census;
  readonly ids: readonly string[];
}

async function open(): Promise<Subject> {
  const browser = await launchChromium();
  const page = await browser.newPage();
  const census = await Census.open(page);
  const session = await page.createCDPSession();
  const { result } = await session.send('Runtime.evaluate', {
    expression: `Array.from({ length: ${COUNT} }, () => mk())`,
  });
  const objectId = result.objectId as string;
  const listed = await session.send('Runtime.getProperties', { objectId, ownProperties: true });
  const ids = listed.result.flatMap(({ value }) => value?.objectId ?? []);
  return { browser, session, census, ids: [...ids, objectId] };
}

describe('two browsers on one batcher', () => {
  it.each(['is killed', 'is closed'])(
    'one %s in mid-batch, and the other is served to the end',
    async (how) => {
      const batcher = new ReleaseBatcher();
      const [mortal, other] = [await open(), await open()];
      mortal.ids.forEach((objectId, index) => {
        batcher.release(mortal.session, objectId);
        batcher.release(other.session, other.ids[index] ?? '');
      });
      const disconnected = new Promise((resolve) => mortal.browser.once('disconnected', resolve));
      await expect.poll(() => batcher.stats().inFlight).toBeGreaterThan(0);
      if (how === 'is killed') killBrowser(mortal.browser);
      else await mortal.browser.close();
      await disconnected;
      expect(await batcher.flush({ timeoutMs: 60_000 })).toMatchObject({ complete: true });
      const { minted, released, gone, failed, timedOut, dropped } = batcher.stats();
      expect(released + gone).toBe(minted);
      expect({ failed, timedOut, dropped }).toEqual({ failed: 0, timedOut: 0, dropped: 0 });
      expect(released).toBeGreaterThanOrEqual(other.ids.length);
      expect(await other.census.alive()).toBe(0);
      await batcher.close();
      await other.browser.close();
    },
  );
});
