/**
 * How the browsers of an unchanged script are attached. There is one Playwright in a process, which all of its packages
 * share (`playwright`, `playwright-core`, `@playwright/test`): so the methods of its browser types are shadowed, on these
 * objects alone, and whoever calls them has browsers that come attached.
 */
import { registration } from '../puppeteer/registration.ts';
import { shadow } from '../session-hook.ts';
import { attachIfChromium } from './attach.ts';
import { isBrowser, isBrowserContext, type Subject } from './structure.ts';
import { BROWSER_GIVERS, isBrowserType } from './with-releases.ts';

/** Browser types that are seen to. */
const registered = new WeakSet<object>();
let hasComplained = false;

/** @param exports what `playwright-core` exports; anything else is left alone. */
export function registerPlaywright(exports: unknown): void {
  if (typeof exports !== 'object' || exports === null) return;
  for (const name of ['chromium', 'firefox', 'webkit']) {
    const type: unknown = Reflect.get(exports, name);
    if (!isBrowserType(type) || registered.has(type)) continue;
    registered.add(type);
    for (const method of BROWSER_GIVERS) {
      const original = type[method] as ((...args: unknown[]) => Promise<unknown>) | undefined;
      if (typeof original !== 'function') continue;
      shadow(type, method, async (...args: unknown[]) => {
        const given = await original.apply(type, args);
        if (isBrowser(given) || isBrowserContext(given)) attachRegistered(given);
        return given;
      });
    }
  }
}

/** The script gets its browser, whatever comes of it. */
function attachRegistered(subject: Subject): void {
  try {
    const { options, onAttached } = registration();
    const attachment = attachIfChromium(subject, options);
    if (attachment !== undefined) onAttached(attachment, subject);
  } catch (error) {
    if (hasComplained) return;
    hasComplained = true;
    process.stderr.write(`cdp-release-batcher: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
