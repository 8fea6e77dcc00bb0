/** The one browser that all subjects of a run speak to: launched here, or somebody else's. */

import { findBrowser, launchOptions } from '../src/cli/browser-finder.ts';
import { CannotRunError } from '../src/cli/cannot-run-error.ts';
import { loadPuppeteer } from '../src/cli/load-puppeteer.ts';
import type { BenchBrowser } from './sampling/puppeteer-structure.ts';

export interface BrowserChoice {
  readonly executablePath?: string | undefined;
  readonly browserUrl?: string | undefined;
  readonly browserWSEndpoint?: string | undefined;
}

export interface BrowserUnderTest {
  readonly browserWSEndpoint: string;
  /** As the browser calls itself, `HeadlessChrome/156.0.1`. */
  readonly version: string;
  /** A file, or an address. */
  readonly where: string;
  readonly puppeteer: string;
  /** Resolves if the browser goes away before `close`. */
  readonly gone: Promise<void>;
  /** Closes what was launched; leaves alone what was not. */
  close(): Promise<void>;
}

/** @throws {CannotRunError} where there is no such browser, or it does not answer. */
export async function openBrowser(choice: BrowserChoice): Promise<BrowserUnderTest> {
  const { name, puppeteer, downloadedBrowser } = await loadPuppeteer<BenchBrowser>();
  const endpoint = choice.browserWSEndpoint ?? (choice.browserUrl && (await endpointOf(choice.browserUrl)));
  if (endpoint) {
    const browser = await connect(puppeteer as unknown as Connectable, endpoint);
    return underTest(browser, name, choice.browserUrl ?? endpoint, () => browser.disconnect());
  }
  const named = choice.executablePath;
  const env = named === undefined ? process.env : { ...process.env, CHROME_PATH: named };
  const found = await findBrowser({ env, downloadedBrowser });
  // Signals are this command's: it writes out what it has before it lets the browser go.
  const handlers = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false };
  const browser = await puppeteer.launch({ ...launchOptions(found), ...handlers }).catch((error: Error) => {
    throw new CannotRunError(`${found.executablePath} cannot be launched: ${error.message}`);
  });
  return underTest(browser, name, found.executablePath, () => browser.close());
}

interface Connectable {
  connect(options: object): Promise<BenchBrowser>;
}

async function underTest(
  browser: BenchBrowser,
  puppeteer: string,
  where: string,
  close: () => Promise<void>,
): Promise<BrowserUnderTest> {
  let isClosing = false;
  const gone = new Promise<void>((resolve) => {
    browser.on('disconnected', () => {
      if (!isClosing) resolve();
    });
  });
  return {
    browserWSEndpoint: browser.wsEndpoint(),
    version: await browser.version(),
    where,
    puppeteer,
    gone,
    close: async () => {
      isClosing = true;
      // Of a browser that is gone, Puppeteer would wait for an answer.
      if (browser.connected) await close().catch(() => {});
    },
  };
}

async function connect(puppeteer: Connectable, browserWSEndpoint: string): Promise<BenchBrowser> {
  try {
    // No target is let in: this connection only watches over the browser.
    return await puppeteer.connect({ browserWSEndpoint, targetFilter: () => false });
  } catch (error) {
    throw new CannotRunError(`No browser answers at ${browserWSEndpoint}: ${reasonOf(error)}`);
  }
}

async function endpointOf(browserUrl: string): Promise<string> {
  let address: URL;
  try {
    address = new URL('/json/version', browserUrl);
  } catch {
    throw new CannotRunError(`--browser-url is no address: "${browserUrl}". Expected http://host:port.`);
  }
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(5_000) });
    const { webSocketDebuggerUrl } = (await response.json()) as { webSocketDebuggerUrl?: string };
    if (webSocketDebuggerUrl === undefined) throw new Error('it names no webSocketDebuggerUrl');
    return webSocketDebuggerUrl;
  } catch (error) {
    throw new CannotRunError(`No browser answers at ${address.href}: ${reasonOf(error)}`);
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause?.code ?? cause?.message ?? (message || String(error));
}
