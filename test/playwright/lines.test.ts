// The lines of a script that forget handles are named: by `leaks()`, by the doctor, and by `expectNoLeaks`.
import type { Browser, Page } from 'playwright-core';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attach } from '../../src/clients/playwright/index.ts';
import { expectNoLeaks } from '../../src/testing/index.ts';
import { examine, found, known, SCRIPTS } from '../cli/examined.ts';
import { collectUntil } from '../support/collect-until.ts';
import { expectForgottenAndHeldTold } from '../support/leaks-told.ts';
import { attachedPlaywright, launchByPlaywright, openPage } from '../support/playwright.ts';

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launchByPlaywright();
});
beforeEach(async () => {
  page = await openPage(browser);
  await page.setContent('<ul><li>a<li>b</ul>');
});

it('leaks() names the line and the kind of what was forgotten, and of what was thrown', async () => {
  const releases = attachedPlaywright(browser, browser, { traceLeaks: true });
  const forget = async (): Promise<void> => {
    for (let count = 0; count < 4; count++) await page.evaluateHandle(() => []);
    await page.$$('li');
    await page
      .evaluate(() => {
        throw new Error('thrown');
      })
      .catch(() => {});
  };
  await forget();
  await collectUntil(() => releases.stats().collected >= 6);
  const own = releases.leaks().filter(({ source }) => source === 'script');
  expect(own).toMatchObject([
    { line: expect.stringMatching(/lines\.test\.ts:\d+:\d+$/), kind: 'array', minted: 4, collected: 4 },
    { line: expect.stringMatching(/lines\.test\.ts:\d+:\d+$/), kind: 'node', minted: 2, collected: 2 },
  ]);
  const thrown = releases.leaks().filter(({ source }) => source === 'thrown');
  expect(thrown).toMatchObject([{ line: expect.stringContaining('lines.test.ts'), kind: 'error' }]);
});

it('the doctor names the lines of an unchanged script', { timeout: 240_000 }, async () => {
  const { report, exitCode } = await examine(`${SCRIPTS}/playwright.mjs`);
  expect(found(report.leaks)).toEqual(await known('leaks', 'playwright.mjs'));
  expect(found(report.thrown)).toEqual(await known('throws', 'playwright.mjs'));
  expect(report).toMatchObject({ browsers: 1 });
  expect(exitCode).toBe(0);
});

describe('expectNoLeaks', () => {
  it('gives what the body gives, where everything was disposed of', async () => {
    const texts = await expectNoLeaks(page, async () => {
      const items = await page.$$('li');
      const texts = await Promise.all(items.map((item) => item.textContent()));
      for (const item of items) await item.dispose();
      await page.locator('li').first().click();
      await page.locator('li').evaluateAll((nodes) => nodes.length);
      return texts;
    });
    expect(texts).toEqual(['a', 'b']);
  });

  it('fails with the lines that asked for what was not, forgotten or held', async () => {
    await expectForgottenAndHeldTold(page);
  });

  it('lets pass what it is told to, what the body hands on, and what others do elsewhere', async () => {
    const other = await openPage(browser);
    await expectNoLeaks(page, () => page.$('li').then(() => {}), { allow: 1 });
    const [item] = await expectNoLeaks(page, () => page.$$('li'));
    expect(await item?.textContent()).toBe('a');
    await expectNoLeaks(page, () => other.evaluateHandle(() => []).then(() => {}));
    await expectNoLeaks(page.context(), () => other.evaluateHandle(() => []).then(() => {}));
    await expect(expectNoLeaks(browser, () => other.evaluateHandle(() => []).then(() => {}))).rejects.toThrow(
      /^1 handle was not/,
    );
  });

  it('detaches what it had to attach to, and leaves an attachment as it was', async () => {
    await expectNoLeaks(page, async () => {});
    const releases = attach(page);
    expect(releases.stats().minted).toBe(0);
    await expectNoLeaks(page, async () => {});
    expect(releases.detached).toBe(false);
    expect(releases.leakReport).toBeUndefined();
    releases.detach();
    expect(releases.detached).toBe(true);
  });
});
