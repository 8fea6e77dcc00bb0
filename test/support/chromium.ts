/**
 * A real Chromium for tests, the one that `findBrowser` finds; set CHROME_PATH to test with another.
 * Whatever a test file launches here is closed when the file is done, also after a failure.
 */
import { access, constants, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import puppeteer25, { type Browser, type LaunchOptions, type Page, type PuppeteerNode } from 'puppeteer-core';
import { onTestFinished } from 'vitest';
import {
  type LaunchOptions as BrowserLaunchOptions,
  type FoundBrowser,
  findBrowser,
  launchOptions,
} from '../../src/cli/browser-finder.ts';
import { launched } from './launched.ts';
import { sized } from './sized.ts';

interface NamedPuppeteer {
  readonly name: string;
  readonly puppeteer: PuppeteerNode;
}

const NEWEST: NamedPuppeteer = { name: 'puppeteer-core 25', puppeteer: puppeteer25 };
/** The one before the newest. To load it takes each file a sixth of a second, so it is loaded for those that want it. */
const before = await sized<() => readonly NamedPuppeteer[] | Promise<readonly NamedPuppeteer[]>>(
  () => [],
  async () => {
    const { default: puppeteer24 } = await import('puppeteer-core-24');
    // Its classes have private members, so TypeScript takes them for others; the members used here are the same.
    return [{ name: 'puppeteer-core 24', puppeteer: puppeteer24 as unknown as PuppeteerNode }];
  },
)();

/**
 * For `describe.each(PUPPETEERS)('$name', ({ puppeteer }) => …)`. What must hold with every Puppeteer is tested in
 * `npm test` by test/versions; each feature with the one before the newest, too, in the long tests.
 */
export const PUPPETEERS: readonly NamedPuppeteer[] = sized([NEWEST], before);

/** For what has a whole size: that is run with both. */
export const PUPPETEERS_BY_SIZE: readonly NamedPuppeteer[] = sized([NEWEST], [NEWEST, ...before]);

/**
 * Launches a Chromium. It is closed when the test file is done; a test may close or kill it earlier.
 *
 * @param puppeteer - what to launch it with: `puppeteer-core` 25 by default.
 */
export async function launchChromium(
  options: LaunchOptions = {},
  puppeteer: Pick<PuppeteerNode, 'launch'> = puppeteer25,
): Promise<Browser> {
  return launch(await chromiumLaunchOptions(), options, puppeteer);
}

/**
 * Launches a whole Chromium, for what a headless shell has not: the one that CHROME_PATH names, or else what is
 * installed. `undefined` where that is a headless shell, or there is none.
 */
export async function launchWholeChromium(options: LaunchOptions = {}): Promise<Browser | undefined> {
  const isExecutableFile = (path: string): Promise<boolean> =>
    access(path, constants.X_OK).then(
      () => !/headless[-_]shell/.test(path),
      () => false,
    );
  // A shell that CHROME_PATH names is refused there, as any file is that cannot be launched.
  const found = await findBrowser({ isExecutableFile, inflateBundled: async () => undefined }).catch(
    () => undefined,
  );
  if (found === undefined) return undefined;
  const browser = await launch(launchOptions(found), options, puppeteer25);
  if (!(await browser.version()).startsWith('Headless')) return browser;
  await browser.close(); // A shell by another name.
  return undefined;
}

async function launch(
  base: BrowserLaunchOptions,
  options: LaunchOptions,
  puppeteer: Pick<PuppeteerNode, 'launch'>,
): Promise<Browser> {
  const browser = await puppeteer.launch({
    ...base,
    timeout: 100_000, // On a busy machine the 30 seconds of Puppeteer's pass.
    ...options,
    args: [...base.args, ...(options.args ?? [])],
  });
  launched.add(browser);
  browser.once('disconnected', () => launched.delete(browser));
  return browser;
}

/** A page that is closed when the running test is over. */
export async function openPage(browser: Browser): Promise<Page> {
  const page = await browser.newPage();
  onTestFinished(async () => {
    if (!page.isClosed()) await page.close();
  });
  return page;
}

/** How it is launched, for a process of its own that launches one. */
export async function chromiumLaunchOptions(): Promise<BrowserLaunchOptions> {
  return launchOptions(await chromium());
}

/** Puts the unpacked Chromium into a temporary folder that a process is to have, lest that unpacks its own. */
export async function lendChromium(temporaryFolder: string): Promise<void> {
  const { executablePath, source } = await chromium();
  if (source !== '@sparticuz/chromium') return;
  const folder = dirname(executablePath);
  await symlink(folder, join(temporaryFolder, basename(folder)));
}

let found: Promise<FoundBrowser> | undefined;

function chromium(): Promise<FoundBrowser> {
  found ??= findBrowser();
  return found;
}
