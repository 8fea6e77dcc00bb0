/**
 * Finds the browser behind a Proxy, such as crawlee passes to its hooks. Puppeteer's methods read private members, which
 * throw when `this` is a Proxy. So all code here works on the browser itself.
 */
import { type BrowserLike, isBrowser } from './structure.ts';

/**
 * @returns the browser itself; `browser` if it is no Proxy, or if the browser behind it cannot be found.
 * @throws Puppeteer's own error if not even `on` is bound: no event of such a Proxy could be followed.
 */
export function browserBehind(browser: BrowserLike): BrowserLike {
  if (answers(browser)) return browser;
  // A Proxy that is of any use has bound `on` to the browser, and in every version `on` returns `this`.
  const behind = browser.on(PROBE, ignore);
  if (!isBrowser(behind)) return browser;
  behind.off(PROBE, ignore);
  return behind;
}

function answers(browser: BrowserLike): boolean {
  try {
    browser.browserContexts();
    return true;
  } catch {
    return false;
  }
}

/** No event of Puppeteer's has this name, so the listener is never called. */
const PROBE = 'cdp-release-batcher:probe';
const ignore = (): void => {};
