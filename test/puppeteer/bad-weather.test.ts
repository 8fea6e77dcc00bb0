// Pages that navigate, crash and close, and browsers that are killed, while releases are on their way. Vitest itself
// fails on an unhandled rejection; the law of conservation is asserted by the harness.
import type { Browser, Page } from 'puppeteer-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { attached, expectAtRest, sessionOf } from '../support/attached.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { runScript } from '../support/script.ts';

const MANY = 2_000;

/** Mints many handles at once, and lets go of all but the first. */
async function dropMany(page: Page): Promise<void> {
  const list = await page.evaluateHandle((length) => Array.from({ length }, () => ({})), MANY);
  const handles = [...(await list.getProperties()).values()];
  void Promise.all(handles.slice(1).map((handle) => handle.dispose()));
}

/** The whole process group: what was launched may be a script that waits for the browser. */
function kill(browser: Browser): void {
  const pid = browser.process()?.pid;
  if (pid === undefined) throw new Error('this browser was not launched here');
  process.kill(-pid, 'SIGKILL');
}

/** Nothing lives that the browser no longer has, nothing waits. */
async function expectAllEnded(releases: PuppeteerAttachment): Promise<void> {
  await expect.poll(() => releases.stats().live).toBe(0);
  expect(await releases.flush({ timeoutMs: 20_000 })).toMatchObject({ complete: true });
  expectAtRest(releases.stats());
}

// With groups a burst is one command; without, it is thousands, and the end comes in the middle of them.
describe.each(
  PUPPETEERS.flatMap(({ name, puppeteer }) => [
    { name, puppeteer, options: {} },
    { name: `${name}, id by id`, puppeteer, options: { groups: false } },
  ]),
)('$name, with releases on their way', ({ puppeteer, options }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium({}, puppeteer);
  });

  it('loses nothing when the page navigates', async () => {
    const page = await browser.newPage();
    await page.goto('data:text/html,<p>first');
    const releases = attached(page, options);
    for (const next of ['second', 'third']) {
      await dropMany(page);
      await page.goto(`data:text/html,<p>${next}`);
    }
    await expectAllEnded(releases);
    expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
    expect(await page.evaluate('6 * 7')).toBe(42);
    await page.close();
  });

  it('loses nothing when the page closes', async () => {
    const page = await browser.newPage();
    const releases = attached(page, options);
    await dropMany(page);
    await page.close();
    await expectAllEnded(releases);
    expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
  });

  it('loses nothing when the page crashes', async () => {
    const page = await browser.newPage();
    const releases = attached(page, options);
    const crashed = new Promise((resolve) => page.once('error', resolve));
    await dropMany(page);
    sessionOf(page)
      .send('Page.crash')
      .catch(() => {});
    await crashed; // What was sent before is not answered until the page is loaded anew.
    await expectAllEnded(releases);
    expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
    await page.close();
  });

  it('is not held up by a page that hangs', async () => {
    const [page, other] = [await browser.newPage(), await browser.newPage()];
    const releases = attached(browser, { ...options, releaseTimeoutMs: 500 });
    const handles = await Promise.all([page, other].map((each) => each.evaluateHandle(() => ({}))));
    const hung = page.evaluate('for (const end = Date.now() + 3000; Date.now() < end; );');
    await Promise.all(handles.map((handle) => handle.dispose()));
    await expect.poll(() => releases.stats().released).toBeGreaterThanOrEqual(1);
    expect((await releases.flush({ timeoutMs: 200 })).complete).toBe(false);
    await hung;
    await page.close();
    await other.close();
  });

  it('loses nothing when the browser is closed', async () => {
    const mortal = await launchChromium({}, puppeteer);
    const page = await mortal.newPage();
    const releases = attached(mortal, options);
    await dropMany(page);
    await mortal.close();
    await expectAllEnded(releases);
  });

  it('loses nothing when the browser is killed', async () => {
    const mortal = await launchChromium({}, puppeteer);
    const page = await mortal.newPage();
    const releases = attached(mortal, options);
    const disconnected = new Promise((resolve) => mortal.once('disconnected', resolve));
    await dropMany(page);
    kill(mortal);
    await disconnected;
    await expectAllEnded(releases);
  });

  it('loses nothing when it detaches', async () => {
    const page = await browser.newPage();
    const releases = attached(page, options);
    await dropMany(page);
    releases.detach();
    expect(await releases.flush()).toMatchObject({ complete: true });
    expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
    await page.close();
  });
});

describe('a process', () => {
  it.each([
    ['closed', 'await browser.close();'],
    ['killed', 'process.kill(-browser.process().pid, "SIGKILL");'],
    [
      'disconnected',
      'const child = browser.process(); await browser.disconnect(); process.kill(-child.pid, "SIGKILL");',
    ],
  ])('can exit after its browser was %s in mid-batch', async (_how, end) => {
    const { stdout, ...rest } = await runScript(`
      import puppeteer from 'puppeteer-core';
      import { attach } from 'cdp-release-batcher/puppeteer';
      const browser = await puppeteer.launch(launchOptions);
      const page = await browser.newPage();
      const releases = attach(browser, { groups: false });
      const list = await page.evaluateHandle(() => Array.from({ length: 2000 }, () => ({})));
      const handles = [...(await list.getProperties()).values()];
      for (const handle of handles) void handle.dispose();
      await new Promise(setImmediate);
      ${end}
      process.on('exit', () => console.log(JSON.stringify(releases.stats())));
    `);
    expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
    expectAtRest(JSON.parse(stdout));
  });
});
