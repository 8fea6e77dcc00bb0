// Firefox and WebKit share the client half's connection with Chromium, and speak no DevTools protocol: they are refused by
// `attach`, passed on by `withReleases`, and their handles go on as ever while a Chromium beside them is attached. There is
// no Firefox or WebKit of Playwright's here: their server halves' objects are faked, on a browser that is a Chromium.
import { chromium } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { attach, withReleases } from '../../src/clients/playwright/index.ts';
import type { ChannelOwner } from '../../src/clients/playwright/structure.ts';
import { attachedPlaywright, launchByPlaywright, playwrightLaunchOptions } from '../support/playwright.ts';

/** A Chromium that its server half takes for another. */
async function launchOther(name: string) {
  const browser = await chromium.launch(await playwrightLaunchOptions());
  onTestFinished(() => browser.close());
  const { _connection: connection } = browser as unknown as ChannelOwner;
  const server = connection.toImpl?.(browser as unknown as ChannelOwner) as { options: object };
  server.options = { ...server.options, name };
  return browser;
}

it.each(['firefox', 'webkit'])('%s is refused by attach, and is passed on by withReleases', async (name) => {
  const browser = await launchOther(name);
  const page = await browser.newPage();
  for (const subject of [browser, page.context(), page]) {
    expect(() => attach(subject)).toThrow(/^attach: expected a Chromium; Firefox and WebKit/);
  }
  const type = { launch: async () => browser };
  expect(await withReleases(type).launch()).toBe(browser);
  const { _connection: connection } = browser as unknown as ChannelOwner;
  expect(Object.getPrototypeOf(connection._objects)).toBe(Map.prototype);
});

it('its handles stay in the maps of Playwright while a Chromium is attached', async () => {
  const [attached, other] = [await launchByPlaywright(), await launchOther('firefox')];
  const releases = attachedPlaywright(attached, attached);
  const { _connection: connection } = other as unknown as ChannelOwner;
  expect((attached as unknown as ChannelOwner)._connection, 'one connection').toBe(connection);
  const page = await other.newPage();
  const handle = await page.evaluateHandle(() => ({ value: 1 }));
  const { _guid: guid, _parent: parent } = handle as unknown as ChannelOwner;
  expect(parent?._objects.get(guid)).toBe(handle);
  expect([...connection._objects.keys()]).toContain(guid);
  expect(await handle.evaluate(({ value }) => value)).toBe(1);
  await handle.dispose();
  expect(connection._objects.has(guid)).toBe(false);
  expect(releases.stats().minted).toBe(0);
});
