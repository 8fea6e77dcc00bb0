/**
 * Puppeteer itself, but the browsers that it launches or connects to are attached. For code that takes a Puppeteer rather
 * than a browser: crawlee's `launcher`, puppeteer-cluster's `puppeteer`, puppeteer-extra's `addExtra`.
 */
import { type AttachOptions, resolveAttachOptions } from '../../handles/attach-options.ts';
import { delegateTo } from '../delegate.ts';
import { describeGiven } from '../given.ts';
import { attach, isAttachable } from './attach.ts';
import { type BrowserLike, isBrowser } from './structure.ts';

/** The members of a Puppeteer that are needed: one of the two is enough. */
export interface PuppeteerLike {
  launch?(...args: never[]): Promise<unknown>;
  connect?(...args: never[]): Promise<unknown>;
}

/**
 * Returns a delegate of `puppeteer`, which itself is not changed. `attach(browser)` gives the attachment of a browser that
 * came from it.
 *
 * @example
 * ```ts
 * const puppeteer2 = withReleases(puppeteer);
 * const browser = await puppeteer2.launch();
 * ```
 * @throws TypeError if `puppeteer` has neither `launch` nor `connect`; TypeError or RangeError for a bad option.
 */
export function withReleases<Puppeteer extends PuppeteerLike>(
  puppeteer: Puppeteer,
  options: AttachOptions = {},
): Puppeteer {
  resolveAttachOptions(options); // Now, and not with the first browser.
  return delegateOf(puppeteer, (browser) => void attach(browser, options));
}

/** The same, with another function called for each browser. */
function delegateOf<Puppeteer extends PuppeteerLike>(
  puppeteer: Puppeteer,
  onBrowser: (browser: BrowserLike) => void,
): Puppeteer {
  if (!isPuppeteer(puppeteer)) {
    throw new TypeError(
      `withReleases: expected a Puppeteer with launch() or connect(), got ${describeGiven(puppeteer)}`,
    );
  }
  const attaching =
    (original: (...args: unknown[]) => Promise<unknown>) =>
    async (...args: unknown[]): Promise<unknown> => {
      const browser = await original.apply(puppeteer, args);
      if (isBrowser(browser) && isAttachable(browser)) onBrowser(browser);
      return browser;
    };
  const delegate: Puppeteer = delegateTo(puppeteer, {
    launch: attaching,
    connect: attaching,
    // The namespace that `await import('puppeteer')` gives has Puppeteer a second time, by that name.
    default: (inner: unknown) => {
      if (!isPuppeteer(inner)) return inner;
      return inner === puppeteer ? delegate : delegateOf(inner, onBrowser);
    },
  });
  return delegate;
}

function isPuppeteer(value: unknown): value is PuppeteerLike {
  const { launch, connect } = (value ?? {}) as PuppeteerLike;
  return typeof launch === 'function' || typeof connect === 'function';
}
