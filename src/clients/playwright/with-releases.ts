/**
 * A delegate of Playwright, or of one of its browser types, whose browsers are attached. Firefox and WebKit stay as they are.
 */

import { type AttachOptions, resolveAttachOptions } from '../../handles/attach-options.ts';
import { show } from '../../runtime/option-checks.ts';
import { delegateTo } from '../delegate.ts';
import { attachIfChromium } from './attach.ts';
import { isBrowser, isBrowserContext, type Subject } from './structure.ts';

/** The members of a browser type that are used; one of them is enough. */
export interface BrowserTypeLike {
  launch?(...args: never[]): Promise<unknown>;
  launchPersistentContext?(...args: never[]): Promise<unknown>;
  connect?(...args: never[]): Promise<unknown>;
  connectOverCDP?(...args: never[]): Promise<unknown>;
}

/** The part of `playwright`'s exports that is used. */
export interface PlaywrightLike {
  readonly chromium: BrowserTypeLike;
}

/** The methods of a browser type that give a browser, or the context of one. */
export const BROWSER_GIVERS = ['launch', 'launchPersistentContext', 'connect', 'connectOverCDP'] as const;

/**
 * Returns a delegate of `chromium`, or of the whole of `playwright`, which itself is not changed. `attach(browser)` gives the
 * attachment of a browser that came from it.
 *
 * @example
 * ```ts
 * const browser = await withReleases(chromium).launch();
 * ```
 * @throws TypeError if it launches nothing; TypeError or RangeError for a bad option.
 */
export function withReleases<Playwright extends BrowserTypeLike | PlaywrightLike>(
  playwright: Playwright,
  options: AttachOptions = {},
): Playwright {
  resolveAttachOptions(options); // Now, rather than with the first browser.
  const attach = (given: unknown): void => {
    if (isBrowser(given) || isBrowserContext(given)) attachIfChromium(given as Subject, options);
  };
  if (isPlaywright(playwright)) {
    return delegateTo(playwright, {
      chromium: (type: BrowserTypeLike) => delegateOf(type, attach),
    });
  }
  if (isBrowserType(playwright)) return delegateOf(playwright, attach);
  throw new TypeError(
    `withReleases: expected Playwright, or a browser type of it with launch(), got ${show(playwright)}`,
  );
}

function delegateOf<BrowserType extends BrowserTypeLike>(
  type: BrowserType,
  onGiven: (given: unknown) => void,
): BrowserType {
  const giving =
    (original: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<unknown> => {
      const given = await original.apply(type, args);
      onGiven(given);
      return given;
    };
  return delegateTo(type, Object.fromEntries(BROWSER_GIVERS.map((name) => [name, giving])));
}

function isPlaywright(playwright: unknown): playwright is PlaywrightLike {
  return isObject(playwright) && isBrowserType(Reflect.get(playwright, 'chromium'));
}

export function isBrowserType(type: unknown): type is BrowserTypeLike & object {
  return isObject(type) && BROWSER_GIVERS.some((name) => typeof Reflect.get(type, name) === 'function');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
