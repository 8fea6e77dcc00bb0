// What the tests of faults share: many handles let go of at once, processes killed, and what must hold afterwards.
import type { Browser, Frame, JSHandle, Page, PuppeteerNode, WebWorker } from 'puppeteer-core';
import { expect } from 'vitest';
import type { AttachOptions, PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { PUPPETEERS_BY_SIZE } from '../support/chromium.ts';
import { expectAtRest, expectConserved } from '../support/conservation.ts';

const MANY = 2_000;

interface Way {
  readonly name: string;
  readonly options: AttachOptions;
}

/** With groups a burst is one command; without, it is thousands, and the end comes in the middle of them. */
export const WAYS: readonly Way[] = [
  { name: 'by groups', options: {} },
  { name: 'id by id', options: { groups: false } },
];

/** Each Puppeteer in each way. */
export const EVERY_PUPPETEER: readonly (Way & { readonly puppeteer: PuppeteerNode })[] =
  PUPPETEERS_BY_SIZE.flatMap(({ name, puppeteer }) =>
    WAYS.map((way) => ({ name: `${name}, ${way.name}`, puppeteer, options: way.options })),
  );

export type Realm = Pick<Page | Frame | WebWorker, 'evaluateHandle'>;

/** Handles of objects that a census counts, where the realm has one. */
export async function mintMany(realm: Realm, count: number = MANY): Promise<JSHandle[]> {
  const list = await realm.evaluateHandle(
    (length) => Array.from({ length }, () => globalThis.mk?.() ?? {}),
    count,
  );
  const handles = [...(await list.getProperties()).values()].slice(0, count);
  await list.dispose();
  return handles;
}

/** Lets go of them all, without waiting. */
export function dropAll(handles: readonly JSHandle[]): void {
  void Promise.allSettled(handles.map((handle) => handle.dispose()));
}

export async function dropMany(realm: Realm, count?: number): Promise<void> {
  dropAll(await mintMany(realm, count));
}

/** The whole process group: what was launched may be a script that waits for the browser. */
export function killBrowser(browser: Browser): void {
  const pid = browser.process()?.pid;
  if (pid === undefined) throw new Error('this browser was not launched here');
  process.kill(-pid, 'SIGKILL');
}

/** Every renderer of the browser, as the system would when it runs out of memory. */
export async function killRenderers(browser: Browser): Promise<void> {
  const session = await browser.target().createCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  for (const { type, id } of processInfo) if (type === 'renderer') process.kill(id, 'SIGKILL');
  await session.detach();
}

/** Nothing lives that the browser no longer has, nothing waits, and nothing was given up without reason. */
export async function expectAllEnded(releases: PuppeteerAttachment): Promise<void> {
  await expect.poll(() => releases.stats().live).toBe(0);
  await expectSettled(releases);
}

/** Nothing waits, and nothing was given up without reason. */
export async function expectSettled(releases: PuppeteerAttachment): Promise<void> {
  expectConserved(releases.stats());
  const deadline = performance.now() + 60_000;
  do {
    expect(await releases.flush({ timeoutMs: 60_000 })).toMatchObject({ complete: true });
    // A collection may come in between, and drop some more.
  } while (releases.stats().queued + releases.stats().inFlight > 0 && performance.now() < deadline);
  expectAtRest(releases.stats());
  expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
}
