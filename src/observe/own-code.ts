/**
 * Which files are this package's own, so that none of them is taken for the program's on a stack. Where a bundler has
 * made CommonJS of it, where a file lies is not known at run time: then none is.
 */

/** `src` in a checkout, `dist` as published. */
const OWN_ROOT = rootOf(import.meta.url);

/** @param file a path or a URL, with or without a place behind it. */
export function isOwnFile(file: string): boolean {
  return OWN_ROOT !== undefined && (file.startsWith(OWN_ROOT.href) || file.startsWith(OWN_ROOT.pathname));
}

function rootOf(url: string | undefined): URL | undefined {
  return url === undefined ? undefined : new URL('..', url);
}
