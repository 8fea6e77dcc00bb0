/** Describes an unexpected argument, in words that say what to do about it. */
import { show } from '../runtime/option-checks.ts';

/** Describes a value for an error message. */
export function describeGiven(value: unknown): string {
  if (has(value, 'then')) return 'a Promise; await it first';
  if (has(value, 'launch'))
    return 'what launches browsers; give it to withReleases, or attach to a browser of it';
  if (isPlaywrights(value)) return "an object of Playwright; use attach of 'cdp-release-batcher/playwright'";
  if (isPuppeteers(value)) return "an object of Puppeteer; use attach of 'cdp-release-batcher/puppeteer'";
  if (has(value, 'childFrames')) return 'a Frame; attach to its page, which covers its frames';
  return show(value);
}

/**
 * Whether it is a browser, a context, a page or a session of Playwright. Some of these have the members that Puppeteer's
 * have.
 */
export function isPlaywrights(value: unknown): boolean {
  return (
    has(value, 'newCDPSession') ||
    has(value, 'newBrowserCDPSession') ||
    (has(value, 'context') && has(value, 'mainFrame'))
  );
}

function isPuppeteers(value: unknown): boolean {
  return has(value, 'createCDPSession') || has(value, 'browserContexts') || has(value, 'browser');
}

function has(value: unknown, name: string): boolean {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  try {
    return typeof Reflect.get(value, name) === 'function';
  } catch {
    return false; // A Proxy or a getter that throws.
  }
}
