/**
 * A plugin for puppeteer-extra: browsers that it launches or connects to come attached. It is described by the few members that
 * puppeteer-extra uses of a plugin, and derived from none of its classes, so that no version of it is needed.
 */
import { type AttachOptions, resolveAttachOptions } from '../handles/attach-options.ts';
import { attach, isAttachable } from './puppeteer/attach.ts';
import { isBrowser } from './puppeteer/structure.ts';

/** What puppeteer-extra asks of a plugin. */
export interface ReleasesPlugin {
  readonly name: string;
  readonly requirements: Set<string>;
  readonly dependencies: Set<string>;
  readonly data: readonly never[];
}

/**
 * Attaches whatever puppeteer-extra launches or connects to. `attach(browser)` gives the attachment of such a browser.
 *
 * @example
 * ```ts
 * import puppeteer from 'puppeteer-extra';
 * puppeteer.use(releases());
 * ```
 * @param options those of `attach`.
 * @throws TypeError or RangeError for a bad option.
 */
export function releases<Plugin = ReleasesPlugin>(options: AttachOptions = {}): Plugin {
  resolveAttachOptions(options); // Now, rather than with the first browser.
  // Puppeteer-extra takes its own class alone, which has private members: the caller's type stands for it.
  return new Plugged(options) as Plugin;
}

class Plugged implements ReleasesPlugin {
  /** By this puppeteer-extra knows a plugin. */
  readonly _isPuppeteerExtraPlugin = true;
  readonly name = 'cdp-release-batcher';
  readonly requirements = new Set<string>();
  readonly dependencies = new Set<string>();
  readonly data: readonly never[] = [];
  readonly #options: AttachOptions;

  constructor(options: AttachOptions) {
    this.#options = options;
  }

  _register(): void {}

  _getMissingDependencies(): Set<string> {
    return new Set();
  }

  /** What is called first with each browser, launched or connected to. */
  async _bindBrowserEvents(browser: unknown): Promise<void> {
    if (isBrowser(browser) && isAttachable(browser)) attach(browser, this.#options);
  }
}

export type { AttachOptions } from '../handles/attach-options.ts';
