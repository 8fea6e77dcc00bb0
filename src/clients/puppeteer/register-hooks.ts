/**
 * Module hooks that put a wrapper before `puppeteer` and `puppeteer-core` for whoever imports them by these
 * names. Written so that they serve both as synchronous hooks and, where Node has none, on a loader's thread;
 * therefore nothing is imported here.
 */

interface Resolved {
  readonly url: string;
  readonly format?: string | null | undefined;
  readonly shortCircuit?: boolean;
  readonly source?: string;
}
type MaybePromise<T> = T | Promise<T>;
interface ResolveContext {
  readonly conditions: readonly string[];
  readonly parentURL?: string | undefined;
}
type NextResolve = (specifier: string, context: ResolveContext) => MaybePromise<Resolved>;
type NextLoad = (url: string, context: unknown) => MaybePromise<unknown>;

const SCHEME = 'cdp-release-batcher:';
const PUPPETEER_SCHEME = `${SCHEME}puppeteer:`;
const PLAYWRIGHT_SCHEME = `${SCHEME}playwright:`;

export function isPuppeteer(specifier: string): boolean {
  return specifier === 'puppeteer' || specifier === 'puppeteer-core';
}

/** The one that all packages of Playwright's are built on. */
export function isPlaywright(specifier: string): boolean {
  return specifier === 'playwright-core';
}

/** `puppeteer` is built on `puppeteer-core`: what these two import of each other stays as it is. */
export function isInsidePuppeteer(file: string | null | undefined): boolean {
  return /[\\/]node_modules[\\/]puppeteer(-core)?[\\/]/.test(file ?? '');
}

export function resolve(
  specifier: string,
  context: ResolveContext,
  next: NextResolve,
): MaybePromise<Resolved> {
  const resolved = next(specifier, context);
  if (!context.conditions.includes('import')) return resolved;
  const isPuppeteers = isPuppeteer(specifier) && !isInsidePuppeteer(context.parentURL);
  if (!isPuppeteers && !isPlaywright(specifier)) return resolved;
  const scheme = isPuppeteers ? PUPPETEER_SCHEME : PLAYWRIGHT_SCHEME;
  const wrap = ({ url }: Resolved): Resolved =>
    url.startsWith(SCHEME) ? { url } : { url: scheme + url, format: 'module', shortCircuit: true };
  return resolved instanceof Promise ? resolved.then(wrap) : wrap(resolved);
}

export function load(url: string, context: unknown, next: NextLoad): MaybePromise<unknown> {
  if (!url.startsWith(SCHEME)) return next(url, context);
  const source = url.startsWith(PUPPETEER_SCHEME)
    ? attachedPuppeteer(url.slice(PUPPETEER_SCHEME.length))
    : attachedPlaywright(url.slice(PLAYWRIGHT_SCHEME.length));
  return { format: 'module', source, shortCircuit: true };
}

/** Its own exports, but for those that launch or connect. */
function attachedPuppeteer(url: string): string {
  const original = JSON.stringify(url);
  const registration = JSON.stringify(new URL('./registration.js', import.meta.url).href);
  return `
    import * as original from ${original};
    import { registered } from ${registration};
    export * from ${original};
    const attached = registered(original.default ?? original);
    export default attached;
    export const { launch, connect } = attached;
  `;
}

/** Its own exports: what they share is seen to. */
function attachedPlaywright(url: string): string {
  const original = JSON.stringify(url);
  const registration = JSON.stringify(new URL('../playwright/registration.js', import.meta.url).href);
  return `
    import * as original from ${original};
    import { registerPlaywright } from ${registration};
    export * from ${original};
    registerPlaywright(original.default ?? original);
    export default original.default;
  `;
}
