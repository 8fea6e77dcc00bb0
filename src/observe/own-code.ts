/**
 * Which files are this package's own, so that none of them is taken for the program's on a stack. A bundler may have put
 * this package into one file with the program: then that file is nobody's alone.
 *
 * The file that runs is asked for by a stack: `import.meta.url` is not there in CommonJS, and names in some bundles a file
 * of the machine where the bundle was made.
 */
import { callSites } from './call-sites.ts';

interface OwnCode {
  /** What the paths of its files begin with; `undefined` where it is bundled. */
  readonly root: string | undefined;
  /** The path of the file that this code runs in. */
  readonly file: string | undefined;
}

/** As published (both module systems), as built module by module, as written. */
const LAYOUT =
  /^(.*[\\/](?:dist[\\/](?:cjs[\\/])?rooms[\\/]handles|(?:build|src)[\\/]observe[\\/]own-code)\.[jt]s)$/;

let found: OwnCode | undefined;

/** @param file a path or a URL, with or without a place behind it. */
export function isOwnFile(file: string): boolean {
  const { root } = ownCode();
  return root !== undefined && pathOf(file).startsWith(root);
}

/** Whether the file has this package in it beside other code. */
export function isBundle(file: string): boolean {
  const own = ownCode();
  return own.root === undefined && own.file !== undefined && pathOf(file) === own.file;
}

function ownCode(): OwnCode {
  found ??= lookUp();
  return found;
}

function lookUp(): OwnCode {
  const name = callSites()[0]?.getFileName();
  if (typeof name !== 'string') return { root: undefined, file: undefined };
  const file = pathOf(name);
  return { root: LAYOUT.test(file) ? rootOf(file) : undefined, file };
}

/** `dist`, whichever of its halves runs, `build` or `src`. */
function rootOf(file: string): string {
  return file.replace(/(?:(?:cjs[\\/])?rooms[\\/]handles|observe[\\/]own-code)\.[jt]s$/, '');
}

/** A file's path as URLs have it, so that ES modules and CommonJS compare. */
function pathOf(file: string): string {
  return file.startsWith('file://') ? file.slice('file://'.length) : file;
}
