/**
 * A plugin for puppeteer-extra: browsers that it launches or connects to are attached. The plugin has the few members that
 * puppeteer-extra uses, and inherits from none of its classes, so it fits any version.
 */
import { type AttachOptions, resolveAttachOptions } from '../handles/attach-options.ts';
import { attach, isAttachable } from './puppeteer/attach.ts';
import { isBrowser } from './puppeteer/structure.ts';

/** The members that puppeteer-extra expects of a plugin. */
export interface ReleasesPlugin {
  readonly name: string;
  readonly requirements: Set<string>;
  readonly dependencies: Set<string>;
  readonly data: readonly never[];
}

/**
 * Attaches to each browser that puppeteer-extra launches or connects to. `attach(browser)` gives its attachment.
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
  resolveAttachOptions(options); // Now, and not with the first browser.
  // Puppeteer-extra's type accepts only its own class, which has private members. The caller's type stands for it.
  return new Plugged(options) as Plugin;
}

class Plugged implements ReleasesPlugin {
  /** puppeteer-extra recognises a plugin by this. */
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

  /** Called first with each browser, launched or connected to. */
  async _bindBrowserEvents(browser: unknown): Promise<void> {
    if (isBrowser(browser) && isAttachable(browser)) attach(browser, this.#options);
  }
}

export type { AttachOptions } from '../handles/attach-options.ts';
