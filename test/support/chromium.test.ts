import type { Page, WebWorker } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { Census } from './census.ts';
import { launchChromium, PUPPETEERS } from './chromium.ts';
import { collectUntil } from './collect-until.ts';
import { keptRegistry } from './kept-registry.ts';

describe.each(PUPPETEERS)('a census through $name', ({ puppeteer }) => {
  let page: Page;
  let census: Census;
  beforeAll(async () => {
    const browser = await launchChromium({}, puppeteer);
    page = await browser.newPage();
    census = await Census.open(page);
  });

  it('counts what a handle keeps alive, and nothing once it is disposed', async () => {
    const handles = await Promise.all(Array.from({ length: 10 }, () => page.evaluateHandle(() => mk())));
    expect(await census.alive()).toBe(10);
    await Promise.all(handles.map((handle) => handle.dispose()));
    expect(await census.alive()).toBe(0);
  });

  it('starts again at zero after a reset', async () => {
    await page.evaluateHandle(() => mk());
    await census.reset();
    expect(await census.alive()).toBe(0);
  });

  it('counts in the next document too', async () => {
    await page.goto('data:text/html,<p>next');
    await page.evaluateHandle(() => mk());
    expect(await census.alive()).toBe(1);
  });

  it('counts in a worker', async () => {
    const [worker] = await Promise.all([
      new Promise<WebWorker>((resolve) => page.once('workercreated', resolve)),
      page.evaluate("void new Worker('data:text/javascript,')"),
    ]);
    const inWorker = await Census.openOn(worker.client);
    await worker.evaluateHandle(() => mk());
    expect(await inWorker.alive()).toBe(1);
  });
});

describe('collectUntil', () => {
  it('returns once a finalizer has run', async () => {
    let finalized = false;
    const registry = keptRegistry(() => {
      finalized = true;
    });
    registry.register({}, undefined);
    await collectUntil(() => finalized);
  });

  it('says which condition did not come to hold', async () => {
    await expect(collectUntil(() => 1 + 1 === 3, 10)).rejects.toThrow('not within 10 ms: () => 1 + 1 === 3');
  });
});
