/**
 * Finds Puppeteer and Playwright in the modules that a program loads by their source, not by their names: an alias, a fork,
 * a subpath, a copy within a bundle and `new PuppeteerNode()` are all found by the same few words. A call is put in there,
 * which `registration.ts` answers.
 *
 * Also serves as a module hook, on a loader's thread where Node has no other way. So it imports nothing of this package.
 */
import { readFileSync } from 'node:fs';

type MaybePromise<T> = T | Promise<T>;
interface Loaded {
  readonly source?: string | ArrayBufferView | ArrayBuffer | null;
  readonly format?: string | null | undefined;
}
type NextLoad = (url: string, context: unknown) => MaybePromise<Loaded>;

/** The name of the function that is called: a property of `globalThis`, which modules of any kind can see. */
export const SEEN = 'cdp-release-batcher:seen';

/**
 * In the constructor of Puppeteer's class, from version 16 on: the oldest that can be attached to. Minified copies have it
 * too.
 */
const BINDING = /\bthis\.launch ?= ?this\.launch\.bind\(this\)/g;
/** The same class in earlier versions, which the report can at least name. */
const CLASS = /\bclass PuppeteerNode extends [\w$.]+ \{/g;
/** All packages of Playwright export what this file exports. It has little else in it. */
const PLAYWRIGHT =
  /^module\.exports = require\('\.\/lib\/(?:inprocess'\)|coreBundle'\)\.inprocess\.playwright)/m;
const LONGEST_PLAYWRIGHT = 5_000;
/** Every source that we look for contains one of these texts, and a search for them is quick. */
const HINTS = ['this.launch.bind(this)', 'class PuppeteerNode', "require('./lib/"];

/**
 * @param file its path or URL, for the report.
 * @returns the source with the calls in it; `undefined` for a module that stays as it is.
 */
export function withCalls(source: string, file: string): string | undefined {
  if (!HINTS.some((hint) => source.includes(hint))) return undefined;
  if (source.includes(SEEN)) return undefined; // Another hook has put them in.
  const call = (found: string): string =>
    `globalThis[Symbol.for('${SEEN}')]?.(${found}, ${JSON.stringify(file)})`;
  if (source.length < LONGEST_PLAYWRIGHT && PLAYWRIGHT.test(source)) {
    return `${source}\n;${call('module.exports')};\n`;
  }
  const bound = source.replace(BINDING, `this.launch = (${call('this')}, this.launch.bind(this))`);
  if (bound !== source) return bound;
  const classed = source.replace(CLASS, (head) => `${head} static { ${call('this.prototype')}; }`);
  return classed === source ? undefined : classed;
}

/** The hook: called for each module that is loaded. */
export function load(url: string, context: unknown, next: NextLoad): MaybePromise<Loaded> {
  const loaded = next(url, context);
  return loaded instanceof Promise ? loaded.then((result) => seenIn(result, url)) : seenIn(loaded, url);
}

function seenIn(loaded: Loaded, url: string): Loaded {
  const source = loaded.source ?? sourceUntold(loaded, url);
  if (source === undefined || url.startsWith('node:')) return loaded;
  const text = typeof source === 'string' ? source : textWithHint(source);
  const changed = text === undefined ? undefined : withCalls(text, url);
  return changed === undefined ? loaded : { ...loaded, source: changed };
}

/**
 * CommonJS that is required by CommonJS which a loader compiled, such as tsx with `.cts`: Node 20 reads it by itself, and
 * compiles it where nobody else could see it.
 */
function sourceUntold({ format }: Loaded, url: string): string | undefined {
  if (format !== 'commonjs' || !/^file:.*\/Puppeteer(?:Node)?\.js$/.test(url)) return undefined;
  try {
    return readFileSync(new URL(url), 'utf8');
  } catch {
    return undefined; // The module's own loader says why.
  }
}

function textWithHint(source: ArrayBufferView | ArrayBuffer): string | undefined {
  const bytes =
    source instanceof ArrayBuffer
      ? Buffer.from(source)
      : Buffer.from(source.buffer, source.byteOffset, source.byteLength);
  return HINTS.some((hint) => bytes.includes(hint)) ? bytes.toString('utf8') : undefined;
}
