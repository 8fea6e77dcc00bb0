/**
 * The files of this package, so that none of them is taken for the program's on a stack. A bundler may have put this
 * package into one file with the program: such a file belongs to both.
 *
 * The running file is found by a stack: `import.meta.url` is missing in CommonJS, and in some bundles it names a file of
 * the machine on which the bundle was made.
 */
import { callSites } from './call-sites.ts';

interface OwnCode {
  /** The beginning of the paths of its files; `undefined` where it is bundled. */
  readonly root: string | undefined;
  /** The path of the file that has this code. */
  readonly file: string | undefined;
}

/** As published, as built module by module (`npm run coverage` has that in `dist`, too), and as written. */
const LAYOUT =
  /^.*[\\/](?:dist[\\/](?:cjs[\\/])?(?:rooms[\\/]handles|observe[\\/]own-code)|(?:build|src)[\\/]observe[\\/]own-code)\.[jt]s$/;

let found: OwnCode | undefined;

/** @param file a path or a URL, with or without a place after it. */
export function isOwnFile(file: string): boolean {
  const { root } = ownCode();
  return root !== undefined && pathOf(file).startsWith(root);
}

/** Whether the file has this package in it, besides other code. */
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

/** `dist`, of either module system, `build` or `src`. */
function rootOf(file: string): string {
  return file.replace(/(?:cjs[\\/])?(?:rooms[\\/]handles|observe[\\/]own-code)\.[jt]s$/, '');
}

/** A file's path as in a URL, so that ES modules and CommonJS compare. */
function pathOf(file: string): string {
  return file.startsWith('file://') ? file.slice('file://'.length) : file;
}
