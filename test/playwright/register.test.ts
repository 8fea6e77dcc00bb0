// An unchanged script is attached by `--import cdp-release-batcher/register`, and a Playwright by `withReleases`.
import { chromium } from 'playwright-core';
import { expect, it } from 'vitest';
import { attach, withReleases } from '../../src/clients/playwright/index.ts';
import { playwrightLaunchOptions } from '../support/playwright.ts';
import { runScript } from '../support/script.ts';
import { sized } from '../support/sized.ts';

const REGISTERED = ['--expose-gc', '--import', 'cdp-release-batcher/register'];

/** What a script does that knows nothing of this package, but to tell at the end what it did. */
const forget = (attachTo: string) => `
  void (async () => {
    const { executablePath, args, env } = launchOptions;
    const browser = await chromium.launch({ executablePath, args, env });
    const page = await browser.newPage();
    for (let count = 0; count < 20; count++) await page.evaluateHandle(() => ({}));
    const { attach } = await ${attachTo};
    const { minted } = attach(browser).stats();
    await browser.close();
    console.log(minted >= 20 ? 'attached' : 'not attached: ' + minted);
  })();
`;
const ATTACH = `import('cdp-release-batcher/playwright')`;

const all = `import playwright from 'playwright-core'; const { chromium } = playwright;`;
it.each([
  ['an ES module', 'module', `import { chromium } from 'playwright-core';`],
  ['CommonJS', 'commonjs', `const { chromium } = require('playwright-core');`],
  ...sized([], [['an ES module that takes all', 'module', all] as const]),
] as const)('attaches the browsers of %s', async (_, type, imports) => {
  const run = await runScript(imports + forget(ATTACH), { type, execArgv: REGISTERED });
  expect(run).toMatchObject({ stdout: 'attached\n', stderr: '' });
});

it.each([
  ['a browser type', () => withReleases(chromium, { maxBatchSize: 7 })],
  ['the whole of Playwright', () => withReleases({ chromium, name: 'all' }, { maxBatchSize: 7 }).chromium],
])('withReleases attaches what %s launches, and leaves it as it is', async (_, attachedType) => {
  const launch = Object.getOwnPropertyDescriptor(chromium, 'launch');
  const browser = await attachedType().launch(await playwrightLaunchOptions());
  try {
    const releases = attach(browser);
    const page = await browser.newPage();
    expect(attach(page), 'its parts are covered').toBe(releases);
    await page.evaluateHandle(() => ({}));
    expect(releases.stats().minted).toBeGreaterThan(0);
    expect(Object.getOwnPropertyDescriptor(chromium, 'launch')).toBe(launch);
    expect(attachedType().name()).toBe('chromium');
  } finally {
    await browser.close();
  }
});

it('withReleases refuses what launches nothing, and a bad option', () => {
  expect(() => withReleases({} as typeof chromium)).toThrow(/expected Playwright/);
  expect(() => withReleases(chromium, { maxBatchSize: 0 })).toThrow(/maxBatchSize .* got 0/);
});
