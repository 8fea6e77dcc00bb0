// Browsers driven over WebDriver BiDi: a Chromium by way of Puppeteer's mapper, and a Firefox where one is
// installed (FIREFOX_PATH names another). What is launched is closed when the test file is done.
import { existsSync } from 'node:fs';
import puppeteer25, { type Browser, type JSHandle, type Page } from 'puppeteer-core';
import {
  type BidiConnectionLike,
  bidiConnectionOf,
  type ScriptTarget,
} from '../../src/clients/puppeteer/bidi/structure.ts';
import { launchChromium, PUPPETEERS } from './chromium.ts';
import { launched } from './launched.ts';

const FIREFOX = [process.env.FIREFOX_PATH, '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(
  (path) => path !== undefined && existsSync(path),
);

export interface BidiBrowser {
  readonly name: string;
  /** Why it cannot run here. */
  readonly missing?: string;
  /** Whether it is a Chromium, of which the mapper speaks CDP. */
  readonly isChromium: boolean;
  launch(): Promise<Browser>;
}

/** For `describe.each(BIDI_BROWSERS)('$name', …)`. */
export const BIDI_BROWSERS: readonly BidiBrowser[] = [
  ...PUPPETEERS.map(({ name, puppeteer }) => ({
    name: `Chromium, ${name}`,
    isChromium: true,
    launch: () => launchChromium({ protocol: 'webDriverBiDi' }, puppeteer),
  })),
  {
    name: 'Firefox, puppeteer-core 25',
    isChromium: false,
    ...(FIREFOX === undefined ? { missing: 'no Firefox is installed' } : {}),
    launch: async () => {
      const browser = await puppeteer25.launch({ browser: 'firefox', executablePath: FIREFOX ?? '' });
      launched.add(browser);
      return browser;
    },
  },
];

export function connectionOf(browser: Browser): BidiConnectionLike {
  const connection = bidiConnectionOf(browser);
  if (connection === undefined) throw new Error('this browser is not driven over WebDriver BiDi');
  return connection;
}

/** The browsing context of a page, by which Puppeteer names its main realm. */
export function targetOf(page: Page): ScriptTarget & { context: string } {
  return { context: (page.mainFrame() as unknown as { _id: string })._id };
}

/** A handle's id, which its value owns. */
export function idOf(handle: JSHandle): string {
  const { id } = handle as unknown as { id?: string };
  if (id === undefined) throw new Error('this handle owns nothing');
  return id;
}

/** Which of these a page's main realm still knows, asked past whatever is attached. */
export async function known(browser: Browser, page: Page, ids: readonly string[]): Promise<string[]> {
  const connection = connectionOf(browser);
  // Whoever hooked the connection did so on the object itself.
  const { send } = Object.getPrototypeOf(connection) as BidiConnectionLike;
  const answers = ids.map((handle) =>
    send
      .call(connection, 'script.callFunction', {
        functionDeclaration: '() => 1',
        awaitPromise: false,
        target: targetOf(page),
        arguments: [{ handle }],
      })
      .then(
        () => [handle],
        () => [],
      ),
  );
  return (await Promise.all(answers)).flat();
}
