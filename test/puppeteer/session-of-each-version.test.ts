// A session that the script asks a page for is that page's, with every Puppeteer: it takes its commands in order, and so
// the few handles that live on may be moved.
import type { PuppeteerNode } from 'puppeteer-core';
import { expect, it } from 'vitest';
import { attached } from '../support/attached.ts';
import { launchChromium } from '../support/chromium.ts';

it.each(['puppeteer-core-22', 'puppeteer-core-23', 'puppeteer-core-24', 'puppeteer-core'])(
  'the survivors of a group are moved in the session of a page, with %s',
  async (name) => {
    const { default: puppeteer } = (await import(name)) as { default: PuppeteerNode };
    const browser = await launchChromium({}, puppeteer);
    const page = await browser.newPage();
    const session = await page.createCDPSession();
    const releases = attached(session, { track: true });
    const minted = await Promise.all(
      Array.from({ length: 40 }, () => session.send('Runtime.evaluate', { expression: '({})' })),
    );
    const [survivor, ...others] = minted.map(({ result }) => result);
    const before = survivor?.objectId;
    for (const { objectId = '' } of others) await session.send('Runtime.releaseObject', { objectId });
    expect(await releases.flush()).toMatchObject({ complete: true, released: 39 });
    expect(releases.stats().moved).toBe(1);
    expect(survivor?.objectId).not.toBe(before);
  },
);
