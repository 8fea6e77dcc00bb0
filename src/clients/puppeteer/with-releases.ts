/**
 * Puppeteer itself, with the difference that the browsers it launches or connects to come attached: for the
 * places that take a Puppeteer rather than a browser (crawlee's `launcher`, puppeteer-cluster's `puppeteer`,
 * puppeteer-extra's `addExtra`).
 */
import { type AttachOptions, resolveAttachOptions } from '../../handles/attach-options.ts';
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

/** The same with something else to do to each browser. @internal */
export function delegateOf<Puppeteer extends PuppeteerLike>(
  puppeteer: Puppeteer,
  onBrowser: (browser: BrowserLike) => void,
): Puppeteer {
  if (!isPuppeteer(puppeteer)) {
    throw new TypeError(
      `withReleases: expected a Puppeteer with launch() or connect(), got ${describeGiven(puppeteer)}`,
    );
  }
  // Neither a Proxy, through which Puppeteer's private members would throw, nor an heir, whose methods
  // Puppeteer has bound to the original in its constructor: a plain object that asks the original each time.
  const delegate = {};
  for (const name of memberNames(puppeteer)) {
    if (name === 'default' && isPuppeteer(Reflect.get(puppeteer, name))) continue;
    Object.defineProperty(delegate, name, {
      enumerable: true,
      configurable: true,
      get: () => memberOf(puppeteer, name),
      set: (value: unknown) => Reflect.set(puppeteer, name, value),
    });
  }
  for (const name of ['launch', 'connect'] as const) {
    const original = puppeteer[name];
    if (typeof original !== 'function') continue;
    const attached = async (...args: unknown[]): Promise<unknown> => {
      const browser = await (original as (...args: unknown[]) => Promise<unknown>).apply(puppeteer, args);
      if (isBrowser(browser) && isAttachable(browser)) onBrowser(browser);
      return browser;
    };
    Object.defineProperty(delegate, name, {
      value: attached,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  // What `await import('puppeteer')` gives has Puppeteer once more, by that name.
  const inner: unknown = Reflect.get(puppeteer, 'default');
  if (isPuppeteer(inner)) {
    const value = inner === puppeteer ? delegate : delegateOf(inner, onBrowser);
    Object.defineProperty(delegate, 'default', {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return delegate as Puppeteer;
}

function isPuppeteer(value: unknown): value is PuppeteerLike {
  const { launch, connect } = (value ?? {}) as PuppeteerLike;
  return typeof launch === 'function' || typeof connect === 'function';
}

function memberOf(puppeteer: PuppeteerLike, name: string | symbol): unknown {
  const member: unknown = Reflect.get(puppeteer, name);
  // Bound, for its private members; a class is none that could be called.
  return typeof member === 'function' && !isClass(member) ? member.bind(puppeteer) : member;
}

function memberNames(object: object): Set<string | symbol> {
  const names = new Set<string | symbol>();
  for (
    let current: object | null = object;
    current !== null && current !== Object.prototype;
    current = Object.getPrototypeOf(current) as object | null
  ) {
    for (const name of Reflect.ownKeys(current)) if (name !== 'constructor') names.add(name);
  }
  return names;
}

function isClass(member: object): boolean {
  return Object.getOwnPropertyDescriptor(member, 'prototype')?.writable === false;
}
