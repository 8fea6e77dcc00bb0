/**
 * Attaches to the browsers of an unchanged script. A process has one Playwright, which all of its packages share (`playwright`,
 * `playwright-core`, `@playwright/test`). So the methods of its browser types are shadowed, on these objects only, and every
 * browser that they give is attached.
 */
import { attachSeen, registration, type SeenClient } from '../puppeteer/registration.ts';
import { below, shadow } from '../session-hook.ts';
import { attachIfChromium } from './attach.ts';
import { isBrowser, isBrowserContext } from './structure.ts';
import { BROWSER_GIVERS, isBrowserType } from './with-releases.ts';

/** Browser types whose methods are shadowed. */
const registered = new WeakSet<object>();

/**
 * @param exports the exports of `playwright-core`; other objects are left alone.
 * @returns whether they are Playwright's.
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
