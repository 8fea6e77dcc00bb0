// Two copies of this package, attached to one browser of Playwright's: the second gets what the first has made.
import { chromium } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { attach } from '../../src/clients/playwright/index.ts';
import { fromAnotherCopy } from '../support/another-copy.ts';
import { chromiumLaunchOptions } from '../support/chromium.ts';

it('the second copy is given the attachment of the first, for the browser and for its parts', async () => {
  const another = await fromAnotherCopy(() => import('../../src/clients/playwright/index.ts'));
  const { executablePath, args } = await chromiumLaunchOptions();
  const browser = await chromium.launch({ executablePath, args: [...args] });
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const releases = attach(browser);
  expect(another.attach).not.toBe(attach);
  for (const part of [browser, page.context(), page]) expect(another.attach(part)).toBe(releases);
  for (let holder = 0; holder < 4; holder++) releases.detach();
  expect(releases.detached).toBe(true);
  const later = another.attach(browser);
  expect(attach(browser)).toBe(later);
  for (let holder = 0; holder < 2; holder++) later.detach();
});
