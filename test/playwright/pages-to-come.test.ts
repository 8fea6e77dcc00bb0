// Whatever a browser opens after it was attached to is covered: popups, frames of other sites, workers; and pages of
// browsers that came by another way than `launch`. What a script forgets there is found, and nothing else is touched.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Browser,
  type BrowserContext,
  chromium,
  type Frame,
  type JSHandle,
  type Page,
  type Worker,
} from 'playwright-core';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { attach, type PlaywrightAttachment } from '../../src/clients/playwright/index.ts';
import { launchChromium } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import {
  attachedPlaywright,
  launchByPlaywright,
  openPage,
  playwrightLaunchOptions,
} from '../support/playwright.ts';
import { openSite } from '../support/site.ts';
import { sized } from '../support/sized.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchByPlaywright({ args: ['--site-per-process'] });
});

/** Where handles come from: each has `evaluateHandle`. */
type Realm = Pick<Page, 'evaluateHandle'> | Pick<Frame, 'evaluateHandle'> | Pick<Worker, 'evaluateHandle'>;

const make = (realm: Realm): Promise<JSHandle<{ value: number }>> =>
  (realm as Page).evaluateHandle(() => ({ value: 1 }));

async function forget(realm: Realm): Promise<void> {
  for (let count = 0; count < 5; count++) await make(realm);
}

async function expectCovered(releases: PlaywrightAttachment, realm: Realm): Promise<void> {
  const kept = await make(realm);
  const before = releases.stats().collected;
  await forget(realm);
  await collectUntil(() => releases.stats().collected >= before + 5);
  await releases.flush();
  expect(releases.stats()).toMatchObject({ failed: 0, gone: 0, timedOut: 0 });
  expect(await kept.evaluate(({ value }) => value)).toBe(1);
}

async function openPopup(page: Page): Promise<Page> {
  const [popup] = await Promise.all([
    page.waitForEvent('popup'),
    page.evaluate(() => {
      window.open('about:blank');
    }),
  ]);
  return popup;
}

async function startWorker(page: Page): Promise<Worker> {
  const [worker] = await Promise.all([
    page.waitForEvent('worker'),
    page.evaluate(() => {
      const source = new Blob(['0'], { type: 'text/javascript' });
      Object.assign(globalThis, { worker: new Worker(URL.createObjectURL(source)) });
    }),
  ]);
  return worker;
}

const ways: readonly (readonly [string, (page: Page) => Browser | BrowserContext | Page])[] = [
  ['itself', (page) => page],
  ['its browser', (page) => page.context().browser() as Browser],
  ['its context', (page) => page.context()],
];
it.each(sized(ways.slice(0, 2), ways))(
  'covers the popups, workers and frames of a page, attached to by %s',
  async (_, subjectOf) => {
    const site = await openSite();
    onTestFinished(() => site[Symbol.asyncDispose]());
    const page = await openPage(browser);
    const releases = attachedPlaywright(subjectOf(page), browser);
    await page.goto(site.here);
    await page.setContent(`<iframe src="${site.elsewhere}"></iframe>`);
    await expect.poll(() => page.frames().length).toBe(2);
    await expectCovered(releases, page);
    await expectCovered(releases, page.frames()[1] as Frame);
    await expectCovered(releases, await startWorker(page));
    const popup = await openPopup(page);
    await expectCovered(releases, popup);
    await expectCovered(releases, await openPopup(popup));
  },
);

it('leaves alone what it was not attached to, and hands on what another attachment has', async () => {
  const [page, other] = [await openPage(browser), await openPage(browser)];
  const releases = attachedPlaywright(page, browser);
  await forget(other);
  expect(releases.stats().minted).toBe(0);
  await expectCovered(releases, page);

  const all = attach(browser);
  expect(all).not.toBe(releases);
  await expectCovered(releases, page);
  await expectCovered(all, other);
  releases.detach();
  await expectCovered(all, page);
  all.detach();
});

it('covers pages and workers that are there already', async () => {
  const page = await openPage(browser);
  const worker = await startWorker(page);
  const releases = attachedPlaywright(browser, browser);
  await expectCovered(releases, page);
  await expectCovered(releases, worker);
});

it('covers a browser that is reached by connectOverCDP', async () => {
  const launched = await launchChromium();
  const connected = await chromium.connectOverCDP(launched.wsEndpoint());
  onTestFinished(() => connected.close());
  const [context] = connected.contexts();
  const page = (await context?.newPage()) as Page;
  const releases = attachedPlaywright(connected, connected);
  await expectCovered(releases, page);
  await expectCovered(releases, (await context?.newPage()) as Page);
});

it('covers a persistent context, and ends with it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'playwright-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const context = await chromium.launchPersistentContext(folder, await playwrightLaunchOptions());
  const releases = attach(context);
  await expectCovered(releases, context.pages()[0] as Page);
  await expectCovered(releases, await context.newPage());
  expect(attach(context.pages()[0] as Page), 'its parts are covered').toBe(releases);
  await context.close();
  await expect.poll(() => releases.detached).toBe(true);
});

it('ends with its page, and with its browser', async () => {
  const own = await chromium.launch(await playwrightLaunchOptions());
  const page = await own.newPage();
  const ofPage = attach(page);
  const ofBrowser = attach(own);
  await page.close();
  await expect.poll(() => ofPage.detached).toBe(true);
  expect(ofBrowser.detached).toBe(false);
  await own.close();
  await expect.poll(() => ofBrowser.detached).toBe(true);
});
