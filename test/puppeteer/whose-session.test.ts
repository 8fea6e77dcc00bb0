// Every way in which a session comes to be, and whose it is. Only what Puppeteer's auto-attach made is attached to with the
// browser; of every other session the script may keep bare ids, and whatever it minted there stays.
import type { Browser, CDPSession, Connection, Page, PuppeteerNode } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { attach } from '../../src/clients/puppeteer/index.ts';
import { sessionOf } from '../support/attached.ts';
import { launchChromium } from '../support/chromium.ts';
import { openSite, type Site } from '../support/site.ts';
import { sized } from '../support/sized.ts';
import { until } from '../support/turns.ts';

interface World {
  readonly puppeteer: PuppeteerNode;
  readonly browser: Browser;
  readonly site: Site;
  /** A page that was there before the attachment, and sessions with it from then. */
  readonly before: Page;
  readonly askedBefore: CDPSession;
  readonly attachedBefore: CDPSession;
}

/** A new page of the site, with a worker and a frame of another site. */
async function openHost({ browser, site }: Pick<World, 'browser' | 'site'>): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${site.here}/host`);
  await until(() => page.workers().length === 1 && clientOf(page.frames()[1]) !== ownSessionOf(page));
  return page;
}

function openPage({ browser }: Pick<World, 'browser'>): Promise<Page> {
  return browser.newPage();
}

const clientOf = (realm: unknown): CDPSession => (realm as { client: CDPSession }).client;
const ownSessionOf = (page: Page): CDPSession => sessionOf(page) as CDPSession;
const connectionOf = (page: Page): Connection => ownSessionOf(page).connection() as Connection;

async function targetIdOf(page: Page): Promise<string> {
  const { targetInfo } = await ownSessionOf(page).send('Target.getTargetInfo');
  return targetInfo.targetId;
}

/** `Target.attachToTarget`, sent by a session or by the connection. */
async function attachedBy(way: Pick<CDPSession, 'send'>, page: Page): Promise<CDPSession> {
  const { sessionId } = await way.send('Target.attachToTarget', {
    targetId: await targetIdOf(page),
    flatten: true,
  });
  return connectionOf(page).session(sessionId) as CDPSession;
}

async function twoAtOnce(page: Page): Promise<[CDPSession, CDPSession]> {
  return Promise.all([page.createCDPSession(), page.createCDPSession()]);
}

/** What a session of the script's own attaches to by itself. */
async function childOf(session: CDPSession): Promise<CDPSession> {
  const heard = new Promise<CDPSession>((resolve) => session.once('sessionattached', resolve));
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: true,
  });
  return heard;
}

async function sharedWorkerOf(
  browser: Browser,
  type: 'shared_worker' | 'service_worker',
): Promise<CDPSession> {
  const target = await browser.waitForTarget((candidate) => candidate.type() === type);
  return clientOf(await target.worker());
}

const PUPPETEERS_OWN: [string, (world: World) => Promise<CDPSession>][] = [
  ['the page that was there before', async ({ before }) => ownSessionOf(before)],
  ['a frame of another site, there before', async ({ before }) => clientOf(before.frames()[1])],
  ['a worker, there before', async ({ before }) => clientOf(before.workers()[0])],
  ['a new page', async (world) => ownSessionOf(await openPage(world))],
  ['a frame of another site', async (world) => clientOf((await openHost(world)).frames()[1])],
  ['a worker', async (world) => clientOf((await openHost(world)).workers()[0])],
  [
    'a popup',
    async (world) => {
      const page = await openPage(world);
      const popup = new Promise<Page | null>((resolve) => page.once('popup', resolve));
      await page.evaluate(() => void open('about:blank'));
      return ownSessionOf((await popup) as Page);
    },
  ],
  [
    'a shared worker that the script asked for',
    async (world) => {
      const page = await openHost(world);
      await page.evaluate(() => void new SharedWorker('/shared.js'));
      return sharedWorkerOf(world.browser, 'shared_worker');
    },
  ],
  [
    'a service worker that the script asked for',
    async (world) => {
      const page = await openHost(world);
      await page.evaluate(() => void navigator.serviceWorker.register('/service.js'));
      return sharedWorkerOf(world.browser, 'service_worker');
    },
  ],
];

const THE_SCRIPTS: [string, (world: World) => Promise<CDPSession>][] = [
  ['page.createCDPSession()', async (world) => (await openPage(world)).createCDPSession()],
  ['target.createCDPSession()', async (world) => (await openPage(world)).target().createCDPSession()],
  ['createCDPSession() of a worker', async ({ before }) => workerTargetSession(before)],
  [
    'the first of two createCDPSession() at once',
    async (world) => (await twoAtOnce(await openPage(world)))[0],
  ],
  ['the second of two at once', async (world) => (await twoAtOnce(await openPage(world)))[1]],
  [
    'the second of two at once, when the two before were detached',
    async (world) => {
      const page = await openPage(world);
      for (const session of await twoAtOnce(page)) await session.detach();
      return (await twoAtOnce(page))[1];
    },
  ],
  [
    'connection.createSession()',
    async (world) => {
      const page = await openPage(world);
      const { targetInfo } = await ownSessionOf(page).send('Target.getTargetInfo');
      return connectionOf(page).createSession(targetInfo);
    },
  ],
  [
    'Target.attachToTarget by the connection',
    async (world) => {
      const page = await openPage(world);
      return attachedBy(connectionOf(page), page);
    },
  ],
  [
    "Target.attachToTarget by the page's own session",
    async (world) => {
      const page = await openPage(world);
      return attachedBy(ownSessionOf(page), page);
    },
  ],
  [
    'Target.attachToTarget by a session of the browser',
    async (world) => attachedBy(await world.browser.target().createCDPSession(), await openPage(world)),
  ],
  [
    'Target.attachToTarget by another session of the script',
    async (world) => {
      const page = await openPage(world);
      return attachedBy(await page.createCDPSession(), page);
    },
  ],
  [
    'what a session of the script attaches to by itself',
    async (world) => childOf(await (await openHost(world)).createCDPSession()),
  ],
  ['createCDPSession() from before', async ({ askedBefore }) => askedBefore],
  ['Target.attachToTarget from before', async ({ attachedBefore }) => attachedBefore],
  [
    "another connection's own",
    async (world) => {
      const other = await world.puppeteer.connect({ browserWSEndpoint: world.browser.wsEndpoint() });
      const page = (await other.pages()).at(-1) as Page;
      return ownSessionOf(page);
    },
  ],
];

async function workerTargetSession(page: Page): Promise<CDPSession> {
  const connection = connectionOf(page);
  const { targetInfo } = await clientOf(page.workers()[0]).send('Target.getTargetInfo');
  const session = await connection.createSession(targetInfo).catch(() => undefined);
  // The browser may not allow for a second session with a worker: then there is none to be taken for ours.
  return session ?? page.createCDPSession();
}

/** The oldest and the newest; between these in the long tests. */
const VERSIONS = sized(['puppeteer-core-22', 'puppeteer-core'], ['puppeteer-core-23', 'puppeteer-core-24']);

describe.each(VERSIONS)('attached to a browser of %s', (name) => {
  let world: World;
  let releases: PuppeteerAttachment;

  beforeAll(async () => {
    const { default: puppeteer } = (await import(name)) as { default: PuppeteerNode };
    const site = await openSite({
      '/host': `<script>
          new Worker('/worker.js');
          const frame = document.createElement('iframe');
          frame.src = 'http://127.0.0.1:' + location.port + '/frame';
          addEventListener('load', () => document.body.append(frame));
        </script>`,
      '/frame': '<p>elsewhere',
      '/worker.js': '',
      '/shared.js': '',
      '/service.js': '',
    });
    const browser = await launchChromium({ args: ['--site-per-process'] }, puppeteer);
    const before = await openHost({ browser, site });
    const askedBefore = await before.createCDPSession();
    const attachedBefore = await attachedBy(connectionOf(before), before);
    world = { puppeteer, browser, site, before, askedBefore, attachedBefore };
    releases = attach(browser);
  });
  afterAll(() => world.site[Symbol.asyncDispose]());

  it.each(PUPPETEERS_OWN)('it has the session of %s', async (_, open) => {
    expect(releases.covers(await open(world))).toBe(true);
  });

  it.each(THE_SCRIPTS)('it leaves alone a session by way of %s', async (_, open) => {
    const session = await open(world);
    expect(releases.covers(session)).toBe(false);
    expect(Object.hasOwn(session, 'send')).toBe(false);
  });
});
