// What a network, or a browser gone wrong, does to messages: late, lost, doubled, out of order among sessions,
// garbled, refused. The books balance under each, and what the script still uses is there.
import puppeteer, { type Browser, type JSHandle, type Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { attach, type PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { attached, sessionOf } from '../support/attached.ts';
import { Census } from '../support/census.ts';
import { launchChromium } from '../support/chromium.ts';
import { expectConserved } from '../support/conservation.ts';
import { FaultProxy, releases as isRelease } from '../support/fault-proxy/fault-proxy.ts';
import { type Matcher, REFUSALS } from '../support/fault-proxy/wire.ts';
import { sized } from '../support/sized.ts';
import { dropAll, expectSettled, mintMany, WAYS } from './in-mid-batch.ts';

const COUNT = 300;

/** Refusals are told from one another in the same place for both ways: in `npm test` one stands for all by the second. */
const rowsFor = <Row>(way: string, rows: readonly Row[]): readonly Row[] =>
  sized(way === WAYS[0]?.name ? rows : rows.slice(0, 1), rows);
const GARBAGE: readonly (readonly [string, (text: string) => string])[] = [
  ['an answer without a result', (text) => text.replace(/"result":\{\}/, '"outcome":{}')],
  ['an answer with a result of another kind', (text) => text.replace(/"result":\{\}/, '"result":[1]')],
  ['a refusal in no words that are known', (text) => text.replace(/"result":\{\}/, '"error":{}')],
  ['a refusal that is a number', (text) => text.replace(/"result":\{\}/, '"error":{"message":7}')],
];
const tellsOfAnEnd = ({ message }: (typeof REFUSALS)[number]): boolean =>
  /[Ss]ession|Target closed|context|crashed|navigated/.test(message);

describe.each(WAYS)('$name', ({ name: way, options }) => {
  let behind: Browser;
  beforeAll(async () => {
    behind = await launchChromium();
  });
  afterAll(() => behind.close());

  interface World {
    readonly proxy: FaultProxy;
    readonly page: Page;
    readonly census: Census;
    readonly releases: PuppeteerAttachment;
    readonly isAnswer: Matcher;
    readonly isCommand: Matcher;
    readonly kept: JSHandle;
    readonly handles: readonly JSHandle[];
  }

  /** A page behind a proxy, with many handles of which one is kept. */
  async function open(more: { readonly releaseTimeoutMs?: number } = {}): Promise<World> {
    const proxy = await FaultProxy.open(behind.wsEndpoint());
    const browser = await puppeteer.connect({ browserWSEndpoint: proxy.endpoint, defaultViewport: null });
    onTestFinished(async () => {
      await browser.disconnect();
      await proxy[Symbol.asyncDispose]();
    });
    const page = await browser.newPage();
    const census = await Census.open(page);
    const releases = attached(page, { ...options, ...more });
    const [kept, ...handles] = await mintMany(page, COUNT);
    if (kept === undefined) throw new Error('nothing was minted');
    await releases.flush(); // Of the list that they came in, before any fault.
    const ofPage = isRelease(sessionOf(page).id());
    const isAnswer: Matcher = (message) => ofPage(message) && message.kind === 'answer';
    const isCommand: Matcher = (message) => ofPage(message) && message.kind === 'command';
    return { proxy, page, census, releases, isAnswer, isCommand, kept, handles };
  }

  /** The page is well: what was kept can be used, and once it is dropped as well nothing is left. */
  async function expectWell({ page, census, releases, kept }: World): Promise<void> {
    expectConserved(releases.stats());
    expect(await kept.evaluate((object) => typeof object)).toBe('object');
    expect(await census.alive()).toBe(1);
    dropAll([kept]);
    await releases.flush();
    expect(await census.alive()).toBe(0);
    await page.close();
  }

  /** Nothing was released, and all is in the books; what was kept can be used, and what comes later is served. */
  async function expectLeft({ page, census, releases, kept }: World): Promise<void> {
    expectConserved(releases.stats());
    expect(await kept.evaluate((object) => typeof object)).toBe('object');
    expect(await census.alive()).toBe(COUNT);
    await census.reset();
    dropAll(await mintMany(page, 50));
    await releases.flush();
    expect(await census.alive()).toBe(0);
    await page.close();
  }

  it.each(['commands', 'answers'] as const)('releases that are late: %s', async (which) => {
    const world = await open();
    const { proxy, releases, isAnswer, isCommand, handles } = world;
    using _ = which === 'commands' ? proxy.toBrowser.delay(isCommand, 5) : proxy.toClient.delay(isAnswer, 5);
    dropAll(handles);
    await expectSettled(releases);
    _[Symbol.dispose]();
    await expectWell(world);
  });

  it.each(['commands', 'answers'] as const)(
    'releases that are held, and then come all at once: %s',
    async (which) => {
      const world = await open();
      const { proxy, releases, isAnswer, isCommand, handles } = world;
      const hold = which === 'commands' ? proxy.toBrowser.hold(isCommand) : proxy.toClient.hold(isAnswer);
      dropAll(handles);
      const flush = releases.flush({ timeoutMs: 60_000 });
      await hold.reached(1);
      expectConserved(releases.stats());
      hold[Symbol.dispose]();
      expect(await flush).toMatchObject({ complete: true });
      await expectSettled(releases);
      await expectWell(world);
    },
  );

  it('answers to releases that are lost: counted as timed out, though the browser has done them', async () => {
    const world = await open({ releaseTimeoutMs: 200 });
    const { proxy, releases, isAnswer, handles, kept } = world;
    const fault = proxy.toClient.drop(isAnswer);
    dropAll(handles);
    await releases.flush({ timeoutMs: 60_000 });
    fault[Symbol.dispose]();
    expect(releases.stats().timedOut).toBeGreaterThanOrEqual(COUNT - 1);
    expect(await kept.evaluate(() => 1)).toBe(1);
    await expectWell(world);
  });

  it('releases that are lost: counted as timed out, and left in the page', async () => {
    const world = await open({ releaseTimeoutMs: 200 });
    const { proxy, releases, isCommand, handles } = world;
    const fault = proxy.toBrowser.drop(isCommand);
    dropAll(handles);
    await releases.flush({ timeoutMs: 60_000 });
    fault[Symbol.dispose]();
    expect(releases.stats().timedOut).toBeGreaterThanOrEqual(COUNT - 1);
    await expectLeft(world);
  });

  it('answers that come twice', async () => {
    const world = await open();
    const { proxy, releases, isAnswer, handles } = world;
    using _ = proxy.toClient.duplicate(isAnswer);
    dropAll(handles);
    await expectSettled(releases);
    await expectWell(world);
  });

  it('releases that come twice: the browser may refuse one of the two, and has done the other', async () => {
    const world = await open();
    const { proxy, releases, isCommand, handles } = world;
    const fault = proxy.toBrowser.duplicate(isCommand);
    dropAll(handles);
    expect(await releases.flush({ timeoutMs: 60_000 })).toMatchObject({ complete: true });
    fault[Symbol.dispose]();
    const { released, failed, gone } = releases.stats();
    expect(released + failed + gone).toBeGreaterThanOrEqual(COUNT - 1);
    await expectWell(world);
  });

  it('sessions that overtake one another, in both directions', async () => {
    const world = await open();
    const { proxy, page, releases, handles } = world;
    let seed = 1;
    const byLot = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % 4;
    };
    const faults = [proxy.toBrowser, proxy.toClient].map((passage) => passage.shuffle(() => true, byLot));
    const others = await Promise.all([1, 2].map(() => page.browser().newPage()));
    const ofOthers = await Promise.all(others.map((other) => mintMany(other, 50)));
    dropAll([...handles, ...ofOthers.flat()]);
    await expectSettled(releases);
    for (const fault of faults) fault[Symbol.dispose]();
    await Promise.all(others.map((other) => other.close()));
    await expectWell(world);
  });

  it.each(rowsFor(way, GARBAGE))('releases that are answered with garbage: %s', async (_what, change) => {
    const world = await open();
    const { proxy, releases, isAnswer, handles } = world;
    const fault = proxy.toClient.corrupt(isAnswer, change);
    dropAll(handles);
    expect(await releases.flush({ timeoutMs: 60_000 })).toMatchObject({ complete: true });
    fault[Symbol.dispose]();
    const { released, failed } = releases.stats();
    expect(released + failed).toBeGreaterThanOrEqual(COUNT - 1);
    await expectWell(world);
  });

  it('releases cut off in the middle: the browser cannot read them, and they are counted as timed out', async () => {
    const world = await open({ releaseTimeoutMs: 200 });
    const { proxy, releases, isCommand, handles } = world;
    const fault = proxy.toBrowser.truncate(isCommand);
    dropAll(handles);
    await releases.flush({ timeoutMs: 60_000 });
    fault[Symbol.dispose]();
    expect(releases.stats().timedOut).toBeGreaterThanOrEqual(COUNT - 1);
    await expectLeft(world);
  });

  const ofOne = rowsFor(
    way,
    REFUSALS.filter((refusal) => !tellsOfAnEnd(refusal)),
  );
  it.each(ofOne)('releases that are refused with "$message"', async (refusal) => {
    const world = await open();
    const { proxy, releases, isCommand, handles } = world;
    const fault = proxy.refuse(isCommand, refusal);
    dropAll(handles);
    expect(await releases.flush({ timeoutMs: 60_000 })).toMatchObject({ complete: true });
    fault[Symbol.dispose]();
    expect(releases.stats()[refusal.outcome]).toBeGreaterThanOrEqual(COUNT - 1);
    await expectLeft(world);
  });

  it.each(rowsFor(way, REFUSALS.filter(tellsOfAnEnd)))(
    'one release that is refused with "$message": all that it speaks for has ended',
    async (refusal) => {
      const { proxy, page, releases, isCommand, handles } = await open();
      using _ = proxy.refuse(isCommand, refusal);
      dropAll(handles);
      expect(await releases.flush({ timeoutMs: 60_000 })).toMatchObject({ complete: true });
      const { gone, elided, failed } = releases.stats();
      expect(gone).toBeGreaterThan(0);
      expect(gone + elided).toBeGreaterThanOrEqual(COUNT - 1);
      expect(failed).toBe(0);
      expectConserved(releases.stats());
      await page.close().catch(() => {}); // Puppeteer itself may take the session for closed.
    },
  );

  it('a session that goes silent holds up no other, and is done when it speaks again', async () => {
    const world = await open();
    const { proxy, page, releases, handles } = world;
    const other = await page.browser().newPage();
    const ofOtherPage = attach(other, options);
    const silence = proxy.silence(sessionOf(page).id());
    dropAll(handles);
    const ofOther = await mintMany(other, 50);
    dropAll(ofOther);
    await expectSettled(ofOtherPage);
    ofOtherPage.detach();
    expect(await releases.flush({ timeoutMs: 50 })).toMatchObject({ complete: false });
    silence[Symbol.dispose]();
    await expectSettled(releases);
    await other.close();
    await expectWell(world);
  });
});
