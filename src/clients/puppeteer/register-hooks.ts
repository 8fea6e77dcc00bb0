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

export function isPuppeteer(specifier: string): boolean {
  return specifier === 'puppeteer' || specifier === 'puppeteer-core';
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
  const isMeant =
    isPuppeteer(specifier) && context.conditions.includes('import') && !isInsidePuppeteer(context.parentURL);
  if (!isMeant) return resolved;
  const wrap = ({ url }: Resolved): Resolved => ({ url: SCHEME + url, format: 'module', shortCircuit: true });
  return resolved instanceof Promise ? resolved.then(wrap) : wrap(resolved);
}

export function load(url: string, context: unknown, next: NextLoad): MaybePromise<unknown> {
  if (!url.startsWith(SCHEME)) return next(url, context);
  const original = JSON.stringify(url.slice(SCHEME.length));
  const registration = JSON.stringify(new URL('./registration.js', import.meta.url).href);
  const source = `
    import * as original from ${original};
    import { registered } from ${registration};
    export * from ${original};
    const attached = registered(original.default ?? original);
    export default attached;
    export const { launch, connect } = attached;
  `;
  return { format: 'module', source, shortCircuit: true };
}
