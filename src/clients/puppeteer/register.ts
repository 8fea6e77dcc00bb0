/**
 * `node --import cdp-release-batcher/register scrape.mjs`: every Puppeteer that the script imports or
 * requires, by the name of `puppeteer` or `puppeteer-core`, launches browsers that come attached; so does
 * Playwright, whichever of its packages is used. The script is not touched, of Puppeteer nothing but what these two
 * names give, and of Playwright nothing but its browser types.
 */
import Module from 'node:module';
import { registerPlaywright } from '../playwright/registration.ts';
import * as hooks from './register-hooks.ts';
import { registered } from './registration.ts';
import type { PuppeteerLike } from './with-releases.ts';

interface Loader {
  _load(request: string, parent: { filename?: string | null } | undefined, isMain: boolean): unknown;
  registerHooks?(synchronousHooks: Pick<typeof hooks, 'resolve' | 'load'>): void;
}
const loader = Module as unknown as Loader;

hookRequire();
hookImport();

/** There is no public seam for `require` in Node 20; this is the one that instrumentations use. */
function hookRequire(): void {
  const { _load: load } = loader;
  const wrapped = new WeakMap<object, object>();
  loader._load = function (this: unknown, request, parent, isMain) {
    const exports = load.call(this, request, parent, isMain);
    if (hooks.isPlaywright(request)) registerPlaywright(exports);
    if (!hooks.isPuppeteer(request) || hooks.isInsidePuppeteer(parent?.filename)) return exports;
    if (typeof exports !== 'object' || exports === null) return exports;
    const replacement = wrapped.get(exports) ?? wrapExports(exports as Exports);
    wrapped.set(exports, replacement);
    return replacement;
  };
}

type Exports = PuppeteerLike & { readonly default?: PuppeteerLike };

/** The same exports, but for those that launch or connect. */
function wrapExports(exports: Exports): object {
  const attached = registered(exports.default ?? exports);
  const overrides: Record<string, unknown> = {
    default: attached,
    launch: attached.launch,
    connect: attached.connect,
  };
  const replacement = {};
  for (const name of Reflect.ownKeys(exports) as (keyof Exports)[]) {
    const get = () => (Object.hasOwn(overrides, name) ? overrides[name] : exports[name]);
    Object.defineProperty(replacement, name, { enumerable: true, configurable: true, get });
  }
  return replacement;
}

function hookImport(): void {
  if (loader.registerHooks !== undefined) loader.registerHooks({ resolve: hooks.resolve, load: hooks.load });
  // On a thread of its own, where this Node has no other way.
  else Module.register(new URL('./register-hooks.js', import.meta.url));
}
