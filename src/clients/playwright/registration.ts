/**
 * How the browsers of an unchanged script are attached. There is one Playwright in a process, which all of its packages
 * share (`playwright`, `playwright-core`, `@playwright/test`): so the methods of its browser types are shadowed, on these
 * objects alone, and whoever calls them has browsers that come attached.
 */
import { attachSeen, registration, type SeenClient } from '../puppeteer/registration.ts';
import { below, shadow } from '../session-hook.ts';
import { attachIfChromium } from './attach.ts';
import { isBrowser, isBrowserContext } from './structure.ts';
import { BROWSER_GIVERS, isBrowserType } from './with-releases.ts';

/** Browser types that are seen to. */
const registered = new WeakSet<object>();

/**
 * @param exports what `playwright-core` exports; anything else is left alone.
 * @returns whether it is that.
 */
export function registerPlaywright(exports: object, seen: SeenClient): boolean {
  let isPlaywright = false;
  for (const name of ['chromium', 'firefox', 'webkit']) {
    const type: unknown = Reflect.get(exports, name);
    if (!isBrowserType(type)) continue;
    isPlaywright = true;
    if (registered.has(type)) continue;
    registered.add(type);
    for (const method of BROWSER_GIVERS) {
      if (typeof type[method] !== 'function') continue;
      const methodBelow = below(
        type as Record<typeof method, (...args: unknown[]) => Promise<unknown>>,
        method,
      );
      shadow(type, method, async (...args: unknown[]) => {
        const given = await methodBelow().apply(type, args);
        if (isBrowser(given) || isBrowserContext(given)) {
          attachSeen(seen, given, () => attachIfChromium(given, registration().options));
        }
        return given;
      });
    }
  }
  return isPlaywright;
}
