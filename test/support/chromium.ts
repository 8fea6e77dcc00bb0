/**
 * A real Chromium for tests, the one that `findBrowser` finds; set CHROME_PATH to test with another.
 * Whatever a test file launches here is closed when the file is done, also after a failure.
 */
import puppeteer25, { type Browser, type LaunchOptions, type PuppeteerNode } from 'puppeteer-core';
import puppeteer24 from 'puppeteer-core-24';
import { afterAll } from 'vitest';
import {
  type LaunchOptions as BrowserLaunchOptions,
  type FoundBrowser,
  findBrowser,
  launchOptions,
} from '../../src/cli/browser-finder.ts';

/** For `describe.each(PUPPETEERS)('$name', ({ puppeteer }) => …)`. */
export const PUPPETEERS: readonly { readonly name: string; readonly puppeteer: PuppeteerNode }[] = [
  { name: 'puppeteer-core 25', puppeteer: puppeteer25 },
  // Its classes have private members, so TypeScript takes them for others; the members used here are the same.
  { name: 'puppeteer-core 24', puppeteer: puppeteer24 as unknown as PuppeteerNode },
];

const launched = new Set<Browser>();

/**
 * Launches a Chromium. It is closed when the test file is done; a test may close or kill it earlier.
 *
 * @param puppeteer - what to launch it with: `puppeteer-core` 25 by default.
 */
export async function launchChromium(
  options: LaunchOptions = {},
  puppeteer: Pick<PuppeteerNode, 'launch'> = puppeteer25,
): Promise<Browser> {
  const base = await chromiumLaunchOptions();
  const browser = await puppeteer.launch({
    ...base,
    ...options,
    args: [...base.args, ...(options.args ?? [])],
  });
  launched.add(browser);
  browser.once('disconnected', () => launched.delete(browser));
  return browser;
}

/** How it is launched, for a process of its own that launches one. */
export async function chromiumLaunchOptions(): Promise<BrowserLaunchOptions> {
  return launchOptions(await chromium());
}

afterAll(async () => {
  await Promise.all([...launched].map((browser) => browser.close()));
});

let found: Promise<FoundBrowser> | undefined;

function chromium(): Promise<FoundBrowser> {
  found ??= findBrowser().then((browser) => {
    process.stderr.write(`Chromium: ${browser.executablePath} (${browser.source})\n`);
    return browser;
  });
  return found;
}
