// A scope ends what was minted in it, and nothing else: in an async context, or on one page as a block.
import type { Browser, ElementHandle, JSHandle, Page } from 'playwright-core';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import type { PlaywrightAttachment } from '../../src/clients/playwright/index.ts';
import { launchByPlaywright, openAttached, openPage } from '../support/playwright.ts';

let browser: Browser;
let page: Page;
let releases: PlaywrightAttachment;
beforeAll(async () => {
  browser = await launchByPlaywright();
});
beforeEach(async () => {
  ({ page, releases } = await openAttached(browser));
});

const make = (on: Page): Promise<JSHandle<{ value: number }>> => on.evaluateHandle(() => ({ value: 1 }));
const read = (handle: JSHandle<{ value: number }>): Promise<number> => handle.evaluate(({ value }) => value);

it('scope() ends what its body was given, but for what escapes, and leaves what others were given', async () => {
  const before = await make(page);
  let meanwhile: Promise<JSHandle<{ value: number }>> | undefined;
  const outside = (): void => {
    meanwhile = make(page);
  };
  let call: () => void = () => {};
  const waiting = new Promise<void>((resolve) => {
    call = resolve;
  }).then(outside);
  const { ended, escaped, elements } = await releases.scope(async () => {
    const ended = await make(page);
    const escaped = releases.escape(await make(page));
    const elements = await page.$$('b');
    call();
    await waiting;
    return { ended, escaped, elements };
  });
  expect(await releases.flush()).toMatchObject({ complete: true });
  await expect(read(ended)).rejects.toThrow(/was created inside a scope that has ended/);
  await expect((elements[0] as ElementHandle).textContent()).rejects.toThrow(/scope that has ended/);
  expect(await read(escaped)).toBe(1);
  expect(await read(before)).toBe(1);
  expect(await read((await meanwhile) as JSHandle<{ value: number }>)).toBe(1);
});

it('openScope() ends what is given on its page while it is open, and nothing of another', async () => {
  const other = await openPage(browser);
  const scope = releases.openScope(page);
  const [ended, elsewhere] = [await make(page), await make(other)];
  scope[Symbol.dispose]();
  const after = await make(page);
  await releases.flush();
  await expect(read(ended)).rejects.toThrow(/scope that has ended/);
  expect(await read(elsewhere)).toBe(1);
  expect(await read(after)).toBe(1);
});

it('a page works in a scope and after it, for what Playwright keeps for itself is spared', async () => {
  await releases.scope(async () => {
    await page.locator('b').first().click();
    await page.evaluate(() => 1);
  });
  await releases.flush();
  await page.locator('b').last().click();
  expect(await page.locator('b').last().textContent()).toBe('2');
});

it('refuses what no scope can be over, and what is no handle', () => {
  expect(() => releases.openScope(browser as never)).toThrow(
    /expected Playwright's Page, got an object of Pl/,
  );
  expect(() => releases.escape(7 as never)).toThrow(TypeError);
  expect(() => releases.escape({})).toThrow(/expected a handle or a RemoteObject/);
});
