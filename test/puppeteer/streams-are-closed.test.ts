// A PDF and a trace come as streams, which the browser holds until they are closed.
import type { Browser, Page } from 'puppeteer-core';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { ReleaseBatcher } from '../../src/index.ts';
import { attached } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';

describe.each(PUPPETEERS)('with $name', ({ puppeteer }) => {
  let browser: Browser;
  let page: Page;
  let releases: PuppeteerAttachment;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });
  beforeEach(async () => {
    page = await browser.newPage();
    onTestFinished(() => page.close());
    await page.setContent('<p>text</p>');
    releases = attached(browser);
  });

  it('a PDF that is read whole is as it is without us, and is closed', async () => {
    const before = releases.stats();
    const pdf = Buffer.from(await page.pdf());
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await releases.flush();
    const { minted, released, failed, gone } = releases.stats();
    expect(minted).toBeGreaterThan(before.minted);
    expect(released).toBeGreaterThan(before.released);
    expect({ failed, gone }).toEqual({ failed: 0, gone: 0 });
  });

  it('a trace that is read whole is closed', async () => {
    await page.tracing.start();
    const trace = Buffer.from((await page.tracing.stop()) ?? []);
    expect(trace.toString()).toContain('traceEvents');
    await releases.flush();
    expect(releases.stats()).toMatchObject({ live: 0, failed: 0, gone: 0 });
  });
});

it('a PDF that nobody reads on is closed when the collector has found it', async () => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.setContent('<p>text</p>');
  const releases = attached(browser);
  await (async () => {
    const stream = await page.createPDFStream();
    expect(releases.stats().live).toBeGreaterThan(0);
    expect(stream).toBeInstanceOf(ReadableStream);
  })();
  await collectUntil(() => releases.stats().live === 0);
  await releases.flush();
  expect(releases.stats()).toMatchObject({ failed: 0, gone: 0, timedOut: 0 });
});

it('the end of the session ends what was not closed', async () => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  await page.setContent('<p>text</p>');
  const releases = attached(browser);
  const stream = await page.createPDFStream();
  await page.close();
  await releases.flush();
  expect(releases.stats().live).toBe(0);
  expect(stream.locked).toBe(false);
});

it('the batcher closes streams of any session, in the books as a handle each', async () => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  const session = await page.createCDPSession();
  await using batcher = new ReleaseBatcher();
  const print = async (): Promise<string> => {
    const { stream = '' } = await session.send('Page.printToPDF', { transferMode: 'ReturnAsStream' });
    return stream;
  };
  const first = await print();
  {
    using _ = batcher.guardStream(session, first);
  }
  const second = await print();
  expect(batcher.closeStream(session, second)).toBe(true);
  await batcher.flush();
  for (const handle of [first, second]) await expect(session.send('IO.read', { handle })).rejects.toThrow();
  expect(batcher.closeStream(session, first), 'closed already').toBe(true);
  await batcher.flush();
  using disarmed = batcher.guardStream(session, undefined);
  disarmed.dispose();
  expect(batcher.closeStream(session, '')).toBe(false);
  expect(batcher.stats()).toMatchObject({ minted: 4, released: 2, gone: 1, dropped: 1, failed: 0 });
});
