// A shared or service worker that was asked for before anything was attached is covered from the attaching on: what it gives
// is told, and released; and no worker is attached to that nobody has asked for.
import type { Browser, WebWorker } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { expectNoLeaks } from '../../src/testing/index.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { openSite } from '../support/site.ts';

const START = {
  service_worker: "navigator.serviceWorker.register('/worker.js').then(() => 1)",
  shared_worker: "void (globalThis.worker = new SharedWorker('/worker.js'))",
} as const;

describe.each(PUPPETEERS)('with $name', ({ puppeteer }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });

  async function startWorker(type: keyof typeof START, address: string) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    await page.goto(address);
    await page.evaluate(START[type]);
    const target = await context.waitForTarget((each) => each.type() === type);
    return { context, target };
  }

  it.each(Object.keys(START) as (keyof typeof START)[])('%s', async (type) => {
    await using site = await openSite({ '/worker.js': 'self.x = 1' });
    const { context, target } = await startWorker(type, site.here);
    const worker = (await target.worker()) as WebWorker;
    const held: unknown[] = [];
    const leak = async () => void held.push(await worker.evaluateHandle(() => new Map()));
    for (const subject of [browser, context]) {
      await expect(expectNoLeaks(subject, leak)).rejects.toMatchObject({
        actual: 1,
        leaks: [{ kind: 'map', count: 1 }],
      });
      await expectNoLeaks(subject, async () => (await worker.evaluateHandle(() => new Map())).dispose());
    }
    const elsewhere = await browser.createBrowserContext();
    await expectNoLeaks(elsewhere, leak); // In a worker of another context.

    using releases = attach(browser);
    const { minted } = releases.stats();
    await (await worker.evaluateHandle(() => ({}))).dispose();
    expect(releases.stats()).toMatchObject({ minted: minted + 1 });
    await elsewhere.close();
    await context.close();
  });

  it('attaches to no worker that nobody has asked for', async () => {
    await using site = await openSite({ '/worker.js': 'self.x = 1' });
    const { context, target } = await startWorker('service_worker', site.here);
    const session = await browser.target().createCDPSession();
    const isAttached = async () => {
      const { targetInfos } = await session.send('Target.getTargets');
      return targetInfos.find(({ url }) => url === target.url())?.attached;
    };
    expect(await isAttached()).toBe(false);
    await expectNoLeaks(context, () => {});
    expect(await isAttached()).toBe(false);
    expect(await (await target.worker())?.evaluate('x')).toBe(1); // It can still be asked for.
    await context.close();
  });
});
