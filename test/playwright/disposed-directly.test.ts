// `dispose()` goes the shortest way where Playwright would show the usual one to nobody, and a handle looks as before.
import type { Browser, JSHandle, Page } from 'playwright-core';
import { beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { DirectDispose } from '../../src/clients/playwright/direct-dispose.ts';
import type { PlaywrightAttachment } from '../../src/clients/playwright/index.ts';
import type { ChannelOwner } from '../../src/clients/playwright/structure.ts';
import { launchByPlaywright, openAttached, openPage } from '../support/playwright.ts';

let browser: Browser;
let page: Page;
let releases: PlaywrightAttachment;
beforeAll(async () => {
  browser = await launchByPlaywright();
});
beforeEach(async () => {
  ({ page, releases } = await openAttached(browser));
  await (await make()).dispose(); // From now on it is known how Playwright sends it.
});

const make = (on = page): Promise<JSHandle<{ value: number }>> => on.evaluateHandle(() => ({ value: 1 }));
const errorOf = (handle: JSHandle<{ value: number }>): Promise<unknown> =>
  handle.evaluate(({ value }) => value).catch((error: Error) => error.message.split('\n')[0]);
/** What Playwright's own way goes through. */
const usualWay = (handle: JSHandle): ReturnType<typeof vi.fn> =>
  vi.spyOn(handle as unknown as { _wrapApiCall(): unknown }, '_wrapApiCall');

it('goes past the note of the stack, and the handle is disposed of', async () => {
  const [handle, element] = [await make(), await page.$('body')];
  const { disposed } = releases.stats();
  const ways = [usualWay(handle), usualWay(element as JSHandle)];
  expect(await handle.dispose()).toBe(undefined);
  expect(await element?.dispose()).toBe(undefined);
  for (const way of ways) expect(way).not.toHaveBeenCalled();
  expect(releases.stats().disposed).toBe(disposed + 2);
  await handle.dispose();
  expect(ways[0]).toHaveBeenCalledOnce();
});

it('leaves a handle as plain Playwright has it: its keys, and what it says when it is used later', async () => {
  const plainPage = await openPage(await launchByPlaywright());
  const [plain, attached] = [await make(plainPage), await make()];
  expect(Object.keys(attached)).toEqual(Object.keys(plain));
  await Promise.all([plain.dispose(), attached.dispose()]);
  expect(await errorOf(attached)).toBe(await errorOf(plain));
  expect(Reflect.ownKeys(attached)).toEqual(Reflect.ownKeys(plain));
});

it("calls what stands in the place of the class's method meanwhile", async () => {
  const handle = await make();
  const spy = vi.spyOn(Object.getPrototypeOf(handle), 'dispose');
  try {
    await handle.dispose();
    expect(spy.mock.contexts).toEqual([handle]);
  } finally {
    spy.mockRestore();
  }
  expect(await errorOf(handle)).toMatch(/has been closed/); // What Playwright says of a handle that is disposed of.
});

it('leaves nothing of its own on a handle after detach()', async () => {
  const handle = await make();
  expect(Object.hasOwn(handle, 'dispose')).toBe(true);
  releases.detach();
  expect(Object.hasOwn(handle, 'dispose')).toBe(false);
  const way = usualWay(handle);
  await handle.dispose();
  expect(way).toHaveBeenCalledOnce();
});

it('goes the usual way in versions where Playwright shows the call, or does not say', () => {
  class Handle {
    dispose(): void {}
  }
  const given = (...options: unknown[]): boolean => {
    const direct = new DirectDispose(() => undefined);
    const owner = new Handle() as unknown as ChannelOwner;
    for (const each of options) direct.note(owner, each);
    direct.give(owner);
    return Object.hasOwn(owner, 'dispose');
  };
  expect(given()).toBe(false);
  expect(given('jsHandle.dispose', [])).toBe(false);
  expect(given({ internal: false }, { internal: true })).toBe(false);
  expect(given({ internal: true }, { apiName: 'jsHandle.dispose' })).toBe(false);
  expect(given({ internal: true })).toBe(true);
});
