/**
 * Puppeteer itself, with the difference that the browsers it launches or connects to come attached: for the
 * places that take a Puppeteer rather than a browser (crawlee's `launcher`, puppeteer-cluster's `puppeteer`,
 * puppeteer-extra's `addExtra`).
 */
import { type AttachOptions, resolveAttachOptions } from '../../handles/attach-options.ts';
import { delegateTo } from '../delegate.ts';
import { describeGiven } from '../given.ts';
import { attach, isAttachable } from './attach.ts';
import { type BrowserLike, isBrowser } from './structure.ts';

/** What is needed of a Puppeteer: either method will do. */
export interface PuppeteerLike {
  launch?(...args: never[]): Promise<unknown>;
  connect?(...args: never[]): Promise<unknown>;
}

/**
 * A delegate of `puppeteer`, which itself is left as it is. `attach(browser)` gives the attachment of a
 * browser that came from it.
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
  resolveAttachOptions(options); // Now, rather than with the first browser.
  return delegateOf(puppeteer, (browser) => void attach(browser, options));
}

/** The same with something else to do to each browser. */
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
    // What `await import('puppeteer')` gives has Puppeteer once more, by that name.
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
