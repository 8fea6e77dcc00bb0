// What an attachment covers, from when on, until when; and that it leaves behind what it found.
import type { Browser, CDPSession, Frame, Page, Target, WebWorker } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { attach, type PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { attached, connectionOf, sessionOf } from '../support/attached.ts';
import { Census, type CensusSession } from '../support/census.ts';
import { launchChromium, PUPPETEERS } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { expectAtRest } from '../support/conservation.ts';
import { givenBack } from '../support/given-back.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { openSite, type Site } from '../support/site.ts';
import { turns } from '../support/turns.ts';

const MANY = 20;

/** Something with a global scope: a page, a frame or a worker. */
type Realm = Pick<Page | Frame | WebWorker, 'evaluateHandle'>;

async function forget(realm: Realm): Promise<void> {
  for (let count = 0; count < MANY; count++) await realm.evaluateHandle(() => mk());
}

/** Forgets handles in the realm, and expects the library to have noticed that, or not. */
async function expectCovered(releases: PuppeteerAttachment, realm: Realm, census: Census): Promise<void> {
  const { live } = releases.stats();
  await forget(realm);
  await collectUntil(async () => {
    await releases.flush();
    return releases.stats().live <= live && (await census.alive()) === 0;
  });
}

async function expectLeftAlone(releases: PuppeteerAttachment, realm: Realm, census: Census): Promise<void> {
  const before = releases.stats();
  await forget(realm);
  expect(releases.stats()).toEqual(before);
  expect(await census.alive()).toBe(MANY);
}

/** A session of Puppeteer's own, which is not public everywhere. */
const clientOf = (realm: unknown): CensusSession => (realm as { client: CensusSession }).client;

const PAGES = {
  '/frame': '<p>frame</p>',
  '/host': '<p>host</p>',
  '/worker.js': '',
  '/shared.js': '',
  '/service.js': '',
};

describe.each(PUPPETEERS)('an attachment to $name', ({ puppeteer }) => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
    site = await openSite(PAGES);
  });
  afterAll(() => site[Symbol.asyncDispose]());

  async function openPage(from: { newPage(): Promise<Page> } = browser): Promise<Page> {
    const page = await from.newPage();
    await page.goto(`${site.here}/host`);
    return page;
  }

  describe('covers', () => {
    it('the pages of a browser, those open already and those to come', async () => {
      const before = await openPage();
      const releases = attached(browser);
      await expectCovered(releases, before, await Census.open(before));
      const after = await openPage();
      await expectCovered(releases, after, await Census.open(after));
      await Promise.all([before.close(), after.close()]);
    });

    it('the pages to come of a browser that has none yet, by one attachment', async () => {
      const empty = await launchChromium({}, puppeteer);
      const before = empty.defaultBrowserContext();
      await Promise.all((await empty.pages()).map((page) => page.close()));
      await expect.poll(() => empty.targets().filter((target) => target.type() === 'page')).toEqual([]);
      const releases = attach(empty);
      const page = await empty.newPage();
      await expectCovered(releases, page, await Census.open(page));
      for (const part of [empty, before, page]) expect(givenBack(attach(part))).toBe(releases);
      releases.detach();
      await empty.close();
    });

    it('nothing, and quietly, where the connection ends before there is a session', async () => {
      const empty = await launchChromium({}, puppeteer);
      const connected = await puppeteer.connect({ browserWSEndpoint: empty.wsEndpoint() });
      await Promise.all((await connected.pages()).map((page) => page.close()));
      await expect.poll(() => connected.targets().filter((target) => target.type() === 'page')).toEqual([]);
      const unhandled = vi.fn();
      process.on('unhandledRejection', unhandled);
      onTestFinished(() => void process.off('unhandledRejection', unhandled));
      const releases = attach(connected);
      await connected.disconnect();
      await turns();
      expect(unhandled).not.toHaveBeenCalled();
      expect(releases.stats()).toMatchObject({ minted: 0 });
      releases.detach();
    });

    it('the pages of a context, and no other context', async () => {
      const context = await browser.createBrowserContext();
      const [before, foreign] = [await openPage(context), await openPage()];
      const releases = attached(context);
      const after = await openPage(context);
      for (const page of [before, after]) await expectCovered(releases, page, await Census.open(page));
      const foreignAfter = await openPage();
      for (const page of [foreign, foreignAfter]) {
        await expectLeftAlone(releases, page, await Census.open(page));
        await page.close();
      }
      await context.close();
    });

    it('the default context, and no other', async () => {
      const context = await browser.createBrowserContext();
      const releases = attached(browser.defaultBrowserContext());
      const page = await openPage();
      await expectCovered(releases, page, await Census.open(page));
      const foreign = await openPage(context);
      await expectLeftAlone(releases, foreign, await Census.open(foreign));
      await page.close();
      await context.close();
    });

    it('a page, and no other', async () => {
      const page = await openPage();
      const foreign = await openPage();
      const releases = attached(page);
      await expectCovered(releases, page, await Census.open(page));
      await expectLeftAlone(releases, foreign, await Census.open(foreign));
      await Promise.all([page.close(), foreign.close()]);
    });

    it('a popup', async () => {
      const page = await openPage();
      const releases = attached(browser);
      const opened = new Promise<Page | null>((resolve) => page.once('popup', resolve));
      await page.evaluate(`void open('/host')`);
      const popup = (await opened) as Page;
      await popup.waitForSelector('p');
      await expectCovered(releases, popup, await Census.open(popup));
      await Promise.all([page.close(), popup.close()]);
    });

    it.each(['browser', 'page'] as const)(
      'a frame in a process of its own, of a %s attached before and after it came',
      async (subject) => {
        const page = await openPage();
        const addFrame = async (): Promise<Frame> => {
          const attachedFrame = new Promise<Frame>((resolve) => page.once('frameattached', resolve));
          await page.evaluate(`
            document.body.append(Object.assign(document.createElement('iframe'), { src: '${site.elsewhere}/frame' }));
          `);
          const frame = await attachedFrame;
          await frame.waitForSelector('p');
          expect(clientOf(frame)).not.toBe(sessionOf(page));
          return frame;
        };
        const before = await addFrame();
        const releases = attached(subject === 'page' ? page : browser);
        for (const frame of [before, await addFrame()]) {
          await expectCovered(releases, frame, await Census.openOn(clientOf(frame)));
        }
        await page.close();
      },
    );

    it('a page that navigates to another site', async () => {
      const page = await openPage();
      const releases = attached(page);
      const census = await Census.open(page);
      await forget(page);
      await page.goto(`${site.elsewhere}/host`);
      await expectCovered(releases, page, census);
      await page.goBack();
      await expectCovered(releases, page, census);
      await page.close();
    });

    it.each(['browser', 'page'] as const)(
      'a dedicated worker of a %s, there before and after',
      async (subject) => {
        const page = await openPage();
        const addWorker = async (): Promise<WebWorker> => {
          const created = new Promise<WebWorker>((resolve) => page.once('workercreated', resolve));
          await page.evaluate('void new Worker("/worker.js")');
          return created;
        };
        const before = await addWorker();
        await before.evaluate('1');
        const releases = attached(subject === 'page' ? page : browser);
        for (const worker of [before, await addWorker()]) {
          await expectCovered(releases, worker, await Census.openOn(clientOf(worker)));
        }
        await page.close();
      },
    );

    it.each([
      ['shared_worker', 'void new SharedWorker("/shared.js")'],
      ['service_worker', 'navigator.serviceWorker.register("/service.js").then(() => {})'],
    ])('a %s', async (type, start) => {
      const page = await openPage();
      const releases = attached(browser);
      const [target] = await Promise.all([
        browser.waitForTarget((candidate) => candidate.type() === type),
        page.evaluate(start),
      ]);
      const worker = (await (target as Target).worker()) as WebWorker;
      await expectCovered(releases, worker, await Census.openOn(clientOf(worker)));
      expect(await target.worker()).toBe(worker);
      await page.evaluate(
        'navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister()))).then(() => {})',
      );
      await page.close();
    });
  });

  describe('leaves alone', () => {
    it('a session that the script made itself', async () => {
      const page = await openPage();
      const releases = attached(browser);
      const session = await page.createCDPSession();
      expect(Object.hasOwn(session, 'send')).toBe(false);
      const before = releases.stats();
      const ids = await mintById(session);
      await collectTwice();
      expect(releases.stats()).toEqual(before);
      for (const objectId of ids) await session.send('Runtime.getProperties', { objectId });
      await page.close();
    });

    it('what such a session mints when it is attached without track', async () => {
      const page = await openPage();
      const session = await page.createCDPSession();
      const releases = attached(session);
      const ids = await mintById(session);
      await collectTwice();
      expect(releases.stats()).toMatchObject({ minted: 0 });
      for (const objectId of ids) await session.send('Runtime.getProperties', { objectId });
      for (const objectId of ids) await session.send('Runtime.releaseObject', { objectId });
      expect(await releases.flush()).toMatchObject({ complete: true, released: ids.length });
      await page.close();
    });

    it('but not when it is attached with track', async () => {
      const page = await openPage();
      const session = await page.createCDPSession();
      const releases = attached(session, { track: true });
      await mintById(session);
      expect(releases.stats().minted).toBe(MANY);
      await collectUntil(() => releases.stats().live === 0);
      expect(await releases.flush()).toMatchObject({ complete: true });
      expect(releases.stats().released).toBe(MANY);
      await page.close();
    });
  });

  describe('is the same', () => {
    it('when attached twice, to the whole or to a part', async () => {
      const page = await openPage();
      const releases = attached(browser);
      expect(givenBack(attach(browser))).toBe(releases);
      expect(givenBack(attach(page))).toBe(releases);
      expect(givenBack(attach(page.browserContext()))).toBe(releases);
      releases.detach();
      const anew = attached(browser);
      expect(anew).not.toBe(releases);
      await expectCovered(anew, page, await Census.open(page));
      await page.close();
    });

    it('for one page attached twice', async () => {
      const page = await openPage();
      const releases = attached(page);
      expect(givenBack(attach(page))).toBe(releases);
      await page.close();
    });
  });

  describe('of a page, when its browser is attached later and it is detached first', () => {
    it("leaves the page to the browser's, with the frames and workers that came to it", async () => {
      const page = await openPage();
      const ofPage = attached(page);
      const ofBrowser = attach(browser);
      expect(ofBrowser).not.toBe(ofPage);
      const census = await Census.open(page);
      await expectCovered(ofPage, page, census);
      const created = new Promise<WebWorker>((resolve) => page.once('workercreated', resolve));
      await page.evaluate('void new Worker("/worker.js")');
      const worker = await created;
      await worker.evaluate('1');
      expect(ofBrowser.stats()).toMatchObject({ minted: 0 });
      ofPage.detach();
      await expectCovered(ofBrowser, page, census);
      await expectCovered(ofBrowser, worker, await Census.openOn(clientOf(worker)));
      expect(ofBrowser.stats().minted).toBeGreaterThanOrEqual(2 * MANY);
      ofBrowser.detach();
      expect(Reflect.ownKeys(sessionOf(page))).not.toContain('send');
      await page.close();
    });

    it('leaves nothing to one that is detached by then', async () => {
      const page = await openPage();
      const ofPage = attached(page);
      const ofBrowser = attach(browser);
      ofBrowser.detach();
      ofPage.detach();
      expect(Reflect.ownKeys(sessionOf(page))).not.toContain('send');
      await page.close();
    });
  });

  describe('ends', () => {
    it('with its block, and leaves handles usable', async () => {
      const page = await openPage();
      const handle = await (async () => {
        using releases = attach(browser);
        const minted = await page.evaluateHandle(() => ({ answer: 42 }));
        expect(Object.hasOwn(sessionOf(page), 'send')).toBe(true);
        expect(releases.detached).toBe(false);
        return minted;
      })();
      expect(Reflect.ownKeys(sessionOf(page))).not.toContain('send');
      expect(Reflect.ownKeys(sessionOf(page))).not.toContain('emit');
      expect(await handle.evaluate((object) => object.answer)).toBe(42);
      await handle.dispose();
      await page.close();
    });

    it('once, however often it is detached', async () => {
      const releases = attached(browser);
      releases.detach();
      releases.detach();
      expect(releases.detached).toBe(true);
      expect(await releases.flush()).toMatchObject({ complete: true });
    });

    it('with what was dropped released, for it was acknowledged', async () => {
      const page = await openPage();
      const census = await Census.open(page);
      const releases = attached(browser);
      const handles = await Promise.all(Array.from({ length: MANY }, () => page.evaluateHandle(() => mk())));
      await Promise.all(handles.slice(1).map((handle) => handle.dispose()));
      releases.detach();
      await releases.flush();
      expect(await census.alive()).toBe(1);
      expect(await handles[0]?.evaluate((object) => object.big.length)).toBe(1000);
      await page.close();
    });

    it('when its signal fires, or has fired', async () => {
      const aborting = new AbortController();
      const releases = attached(browser, { signal: aborting.signal });
      aborting.abort();
      expect(releases.detached).toBe(true);
      expect(attached(browser, { signal: AbortSignal.abort() }).detached).toBe(true);
    });

    it('for a page with that page, of which nothing is left on the connection', async () => {
      const bystander = await openPage();
      const connection = connectionOf(bystander) as unknown as { listenerCount(event: string): number };
      const listeners = (): number[] => [
        connection.listenerCount('Target.attachedToTarget'),
        connection.listenerCount('sessiondetached'),
        browser.listenerCount('targetcreated'),
        browser.listenerCount('targetdestroyed'),
      ];
      const before = listeners();
      for (let visit = 0; visit < 3; visit++) {
        const page = await openPage();
        const releases = attach(page);
        await page.evaluateHandle('({})');
        await page.goto(`${site.elsewhere}/host`);
        expect(releases.detached).toBe(false);
        await page.close();
        await expect.poll(() => releases.detached).toBe(true);
        expect(await releases.flush()).toMatchObject({ complete: true });
        expectAtRest(releases.stats());
        expect(releases.stats().live).toBe(0);
      }
      expect(listeners()).toEqual(before);
      await bystander.close();
    });

    it('for a session with that session, all that it held being gone', async () => {
      const page = await openPage();
      const releases = attached(browser);
      const handle = await page.evaluateHandle(() => ({}));
      await page.close();
      await expect.poll(() => releases.stats().live).toBe(0);
      expect(releases.stats().elided).toBeGreaterThan(0);
      await handle.dispose();
    });
  });

  describe('refuses', () => {
    it.each([undefined, null, 5, 'browser', {}, [], () => {}])('%o, which is no client', (subject) => {
      expect(() => attach(subject as unknown as Browser)).toThrow(TypeError);
      expect(() => attach(subject as unknown as Browser)).toThrow(
        /expected a Puppeteer Browser, BrowserContext, Page or CDPSession, got/,
      );
    });

    it('what is closed', async () => {
      const page = await openPage();
      const session = await page.createCDPSession();
      await session.detach();
      expect(() => attach(session)).toThrow('this CDPSession is closed');
      await page.close();
      expect(() => attach(page)).toThrow('this Page is closed');
      const context = await browser.createBrowserContext();
      await context.close();
      expect(() => attach(context)).toThrow('this BrowserContext is closed');
      const short = await launchChromium({}, puppeteer);
      await short.close();
      expect(() => attach(short)).toThrow('this Browser is closed');
    });

    it.each([
      [{ maxBatchSize: 0 }, RangeError, /maxBatchSize .* got 0/],
      [{ maxBatchSize: 1.5 }, RangeError, /maxBatchSize .* got 1\.5/],
      [{ maxBatchSize: '64' }, TypeError, /maxBatchSize .* got '64'/],
      [{ maxInFlightBatches: -1 }, RangeError, /maxInFlightBatches .* got -1/],
      [{ releaseTimeoutMs: Number.NaN }, RangeError, /releaseTimeoutMs .* got NaN/],
      [{ maxQueueSize: 0 }, RangeError, /maxQueueSize .* got 0/],
      [{ track: 'yes' }, TypeError, /track .* got 'yes'/],
      [{ groups: 1 }, TypeError, /groups .* got 1/],
      [{ moveSurvivors: null }, TypeError, /moveSurvivors .* got null/],
      [{ pressure: true }, TypeError, /pressure .* got true/],
      [{ pressure: -1 }, RangeError, /pressure .* got -1/],
      [{ consoleEntries: 'drop' }, RangeError, /consoleEntries .* got 'drop'/],
      [{ traceLeaks: {} }, TypeError, /traceLeaks .* got an object/],
      [{ signal: 'now' }, TypeError, /signal .* got 'now'/],
      [null, TypeError, /options .* got null/],
    ])('the options %o', (options, error, message) => {
      expect(() => attach(browser, options as object)).toThrow(error);
      expect(() => attach(browser, options as object)).toThrow(message);
    });
  });
});

async function mintById(session: CDPSession): Promise<string[]> {
  const ids: string[] = [];
  for (let count = 0; count < MANY; count++) {
    const { result } = await session.send('Runtime.evaluate', { expression: '({})' });
    if (result.objectId !== undefined) ids.push(result.objectId);
  }
  expect(ids).toHaveLength(MANY);
  return ids;
}

/** A registry in the same process would have been served: whatever was collected is noticed. */
async function collectTwice(): Promise<void> {
  let noticed = 0;
  const registry = keptRegistry(() => noticed++);
  for (const round of [1, 2]) {
    registry.register({}, undefined);
    await collectUntil(() => noticed === round);
  }
}
