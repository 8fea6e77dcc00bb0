/** The clients that the demo's work is done by, brought to one form: each launches a browser, and attaches to it. */
import { attach as attachToPlaywright } from '../../clients/playwright/index.ts';
import type { BrowserLike as PlaywrightBrowserLike } from '../../clients/playwright/structure.ts';
import { type AttachOptions, attach } from '../../clients/puppeteer/index.ts';
import type { BrowserLike } from '../../clients/puppeteer/structure.ts';
import { type FoundBrowser, launchOptions } from '../browser-finder.ts';
import { CannotRunError } from '../cannot-run-error.ts';
import { firstInstalled, importPackage } from '../load-package.ts';
import { loadPuppeteer } from '../load-puppeteer.ts';

export type ClientName = 'puppeteer' | 'playwright';

export interface DemoBrowser {
  attach(options: AttachOptions | undefined): Pick<ReturnType<typeof attach>, 'flush' | 'stats'>;
  newPage(): Promise<DemoPage>;
  version(): Promise<string>;
  close(): Promise<void>;
}

/** The members that the pages of both clients have. */
export interface DemoPage {
  evaluate(pageFunction: (length: number) => unknown, length: number): Promise<unknown>;
  evaluateHandle(pageFunction: (length: number) => unknown, length: number): Promise<unknown>;
  locator(selector: string): unknown;
  onConsole(listener: () => void): void;
  onCrash(listener: () => void): void;
  createCDPSession(): Promise<DemoSession>;
}

interface DemoSession {
  send(method: string, params?: Record<string, unknown>): Promise<unknown>;
}

type Evaluates = Pick<DemoPage, 'evaluate' | 'evaluateHandle' | 'locator'> & {
  on(event: string, listener: (what: unknown) => void): unknown;
};

interface PuppeteerBrowser extends BrowserLike {
  newPage(): Promise<Evaluates & Pick<DemoPage, 'createCDPSession'>>;
  version(): Promise<string>;
  close(): Promise<void>;
}

interface PlaywrightPage extends Evaluates {
  context(): { newCDPSession(page: PlaywrightPage): Promise<DemoSession> };
}

interface PlaywrightBrowser extends PlaywrightBrowserLike {
  newPage(): Promise<PlaywrightPage>;
  version(): string;
  close(): Promise<void>;
}

interface BrowserType {
  launch(options: object): Promise<PlaywrightBrowser>;
}

/** The Playwright of whoever runs the demo, which is no dependency of ours. `undefined` where none is installed. */
export function installedPlaywright(): ReturnType<typeof firstInstalled> {
  return firstInstalled(['playwright', 'playwright-core']);
}

/** @throws {CannotRunError} when the browser cannot be launched. */
export async function launch(client: ClientName, found: FoundBrowser): Promise<DemoBrowser> {
  const launchBy = client === 'puppeteer' ? launchByPuppeteer : launchByPlaywright;
  try {
    return await launchBy(found);
  } catch (cause) {
    if (cause instanceof CannotRunError) throw cause;
    throw new CannotRunError(
      [
        `${found.executablePath} (${found.source}) could not be launched: ${(cause as Error).message}`,
        'Name another:  CHROME_PATH=/path/to/chrome npx cdp-release-batcher demo',
      ].join('\n'),
      { cause },
    );
  }
}

async function launchByPuppeteer(found: FoundBrowser): Promise<DemoBrowser> {
  const { puppeteer } = await loadPuppeteer<PuppeteerBrowser>();
  // Over a pipe, the browser ends with this process, however this process ends.
  const browser = await puppeteer.launch({ ...launchOptions(found), pipe: true });
  return {
    attach: (options) => attach(browser, options),
    newPage: async () => {
      const page = await browser.newPage();
      return demoPage(page, 'error', () => page.createCDPSession());
    },
    version: () => browser.version(),
    close: () => browser.close(),
  };
}

async function launchByPlaywright(found: FoundBrowser): Promise<DemoBrowser> {
  const { name = 'playwright' } = installedPlaywright() ?? {};
  const { chromium } = await importPackage<{ readonly chromium: BrowserType }>(name);
  const { executablePath, args, env } = launchOptions(found);
  const browser = await chromium.launch({ executablePath, args, env }); // Over a pipe by itself.
  return {
    attach: (options) => attachToPlaywright(browser, options),
    newPage: async () => {
      const page = await browser.newPage();
      return demoPage(page, 'crash', () => page.context().newCDPSession(page));
    },
    version: async () => browser.version(),
    close: () => browser.close(),
  };
}

function demoPage(
  page: Evaluates,
  crashEvent: string,
  createCDPSession: DemoPage['createCDPSession'],
): DemoPage {
  return {
    evaluate: (pageFunction, length) => page.evaluate(pageFunction, length),
    evaluateHandle: (pageFunction, length) => page.evaluateHandle(pageFunction, length),
    locator: (selector) => page.locator(selector),
    onConsole: (listener) => void page.on('console', listener),
    onCrash: (listener) => void page.on(crashEvent, listener),
    createCDPSession,
  };
}
