// Behind `connect()` the server half is in another process. As far as it goes: what the script forgets is disposed of by
// its own `dispose()`, as the client half has it, and what is held stays.
import { type Browser, chromium, type JSHandle, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { attach, type PlaywrightAttachment, withReleases } from '../../src/clients/playwright/index.ts';
import type { ChannelOwner } from '../../src/clients/playwright/structure.ts';
import { collectUntil } from '../support/collect-until.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { PlaywrightCensus, playwrightLaunchOptions } from '../support/playwright.ts';

const server = await chromium.launchServer(await playwrightLaunchOptions());
afterAll(() => server.close());

let browser: Browser;
let page: Page;
let releases: PlaywrightAttachment;
beforeAll(async () => {
  browser = await chromium.connect(server.wsEndpoint());
  return () => browser.close();
});
beforeEach(async () => {
  page = await browser.newPage();
  releases = attach(browser);
  return async () => {
    releases.detach();
    await page.close();
  };
});

const make = (value: number): Promise<JSHandle<{ value: number }>> =>
  page.evaluateHandle((given) => Object.assign(globalThis.mk?.() ?? {}, { value: given }), value);

async function forget(count: number): Promise<void> {
  for (let value = 0; value < count; value++) await make(value);
}

it('disposes of what is forgotten, and of nothing that is held', async () => {
  const census = await PlaywrightCensus.open(page);
  await census.begin('forgotten');
  await forget(20);
  await census.begin('kept');
  const kept = await make(7);
  await collectUntil(() => releases.stats().collected >= 20);
  expect(await releases.flush()).toMatchObject({ complete: true });
  expect(await census.alive()).toEqual({ kept: 1 });
  expect(await kept.evaluate(({ value }) => value)).toBe(7);
  expect(releases.stats()).toMatchObject({ minted: 21, live: 1, released: 20, failed: 0, timedOut: 0 });
});

it('counts what the script disposes of, and what ends with its page', async () => {
  const handle = await make(1);
  await handle.dispose();
  await expect(handle.evaluate(() => 1)).rejects.toThrow();
  await forget(3);
  await page.close();
  await expect.poll(() => releases.stats()).toMatchObject({ live: 0 });
  await releases.flush();
  expect(releases.stats()).toMatchObject({ minted: 4, released: 4, queued: 0, inFlight: 0 });
});

it('leaves the arguments of console messages, which can be had again', async () => {
  await page.evaluate(() => console.log({ value: 8 }));
  const first = async (): Promise<number | undefined> => {
    const [message] = await page.consoleMessages();
    const argument = message?.args()[0] as JSHandle<{ value: number }> | undefined;
    return argument?.evaluate(({ value }) => value);
  };
  expect(await first()).toBe(8);
  let isCollected = false;
  const registry = keptRegistry(() => {
    isCollected = true;
  });
  (() => registry.register({}, undefined))();
  await collectUntil(() => isCollected || registry === undefined);
  await releases.flush();
  expect(await first()).toBe(8);
});

it('leaves the connection as it was found, with the handles that live', async () => {
  const { _connection: connection } = browser as unknown as ChannelOwner;
  const kept = await make(3);
  expect(connection._objects.constructor).not.toBe(Map);
  releases.detach();
  expect(connection._objects.constructor).toBe(Map);
  expect(Reflect.ownKeys(connection)).not.toContain('sendMessageToServer');
  expect(connection._objects.get((kept as unknown as ChannelOwner)._guid)).toBe(kept);
  expect(await kept.evaluate(({ value }) => value)).toBe(3);
});

it('is attached by withReleases, and ends with its connection', async () => {
  const connected = await withReleases(chromium).connect(server.wsEndpoint());
  const own = attach(connected);
  expect(own.detached).toBe(false);
  await connected.close();
  await expect.poll(() => own.detached).toBe(true);
});
