/**
 * The line of the program that is calling now, through all awaits of its libraries: the innermost frame that lies neither
 * in `node_modules` nor in this package. The place is that in the source as it was written, not in the code that runs. Each
 * place is looked up in its source map once. Never throws.
 */

import { findSourceMap } from '../builtins.ts';
import { MOST_FILES } from '../policy.ts';
import { callSites } from './call-sites.ts';
import { isBundle, isOwnFile } from './own-code.ts';
import { printable } from './printable.ts';

/** Reported where no frame is the program's own. */
export const UNKNOWN_LINE = 'unknown';

/** Reported where the program is in one file with its libraries, and no source map tells them apart. */
const BUNDLED_LINE = 'unknown: bundled, and without a source map or --enable-source-maps';

/** The caller of the client. */
export interface Caller {
  /** `file:line:column` of the program's innermost frame; if there is none, of the library that calls. */
  readonly line: string;
  /** Whether the program, or one of its libraries, is the caller. If not, the client itself is, in reaction to an event. */
  readonly isProgram: boolean;
  /** Whether the calling frame is known not to be the client's. */
  readonly isDirect: boolean;
}

/** `file:line:column` of the calling line. */
export function callingLine(): string {
  return callerOf().line;
}

/**
 * The caller of a client: the client itself, as far as its files are known, or another. Frames of libraries behind the
 * client's own do not count, such as those of the socket that brought an event.
 */
export function callerOf(): Caller {
  const formatter = Error.prepareStackTrace;
  let nearest: NodeJS.CallSite | undefined;
  let isBundled = false;
  for (const site of callSites()) {
    const file = site.getFileName();
    if (typeof file !== 'string') {
      if (site.isEval()) nearest ??= site;
      continue;
    }
    if (file.startsWith('node:') || isOwnFile(file)) continue;
    if (isBundle(file) && !isMapped(site, file, formatter)) {
      isBundled = true;
      continue;
    }
    nearest ??= site;
    const place = placeOf(site, file, formatter);
    if (place !== undefined) return { line: place, isProgram: true, isDirect: isDirect(nearest) };
  }
  if (isBundled) return { line: BUNDLED_LINE, isProgram: true, isDirect: false };
  if (nearest === undefined) return { line: UNKNOWN_LINE, isProgram: true, isDirect: false };
  const isProgram = isOthersFile(nearest.getFileName());
  return {
    line: isProgram ? nameless(nearest, formatter) : UNKNOWN_LINE,
    isProgram,
    isDirect: isDirect(nearest),
  };
}

/** Whether the place in the written source is known, by Node or by a formatter of stacks. */
function isMapped(site: NodeJS.CallSite, file: string, formatter: Formatter): boolean {
  if (findSourceMap(file) !== undefined) return true;
  const [line, column] = [site.getLineNumber() ?? 0, site.getColumnNumber() ?? 1];
  return !writtenPlace(site, formatter, file, line, column).endsWith(`:${line}:${column}`);
}

/** Where the client's files are not known, as in a bundle, it cannot be told. */
function isDirect(nearest: NodeJS.CallSite): boolean {
  return clientRoots.size > 0 && isOthersFile(nearest.getFileName());
}

/** Whether a file is not the client's, and not in part our own, as in a bundle. */
function isOthersFile(file: string | null | undefined): boolean {
  return !isClientFile(file) && !isBundle(file ?? '');
}

/** The beginnings of the paths and URLs of the client's files. */
const clientRoots = new Set<string>();

/**
 * Finds the client's folder by a call: `call` has the client call back, and the frames between here and there are the
 * client's. A client that is bundled with the program has no folder.
 */
export function learnClientFiles(call: (back: () => void) => void): void {
  call(() => {
    for (const site of callSites()) {
      const file = site.getFileName();
      if (typeof file !== 'string' || isOwnFile(file)) continue;
      const root = PACKAGE_OF_CLIENT.exec(file)?.[0];
      if (root !== undefined) clientRoots.add(root);
      return;
    }
  });
}

/** The path up to the package's own folder: that in the last `node_modules`, or the one that has Puppeteer's `lib`. */
const PACKAGE_OF_CLIENT =
  /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+[\\/]|^.*[\\/]lib[\\/](?:esm[\\/]|cjs[\\/])?puppeteer[\\/]/;
/** Clients that were not asked, and files that a bundler has put among the program's, by the source map. */
const CLIENT_BY_NAME =
  /[\\/]node_modules[\\/](?:@cloudflare[\\/]puppeteer|(?:rebrowser-)?puppeteer(?:-core)?|patchright(?:-core)?|playwright(?:-\w+)?)[\\/]/;

function isClientFile(file: string | null | undefined): boolean {
  if (typeof file !== 'string') return false;
  for (const root of clientRoots) if (file.startsWith(root)) return true;
  return CLIENT_BY_NAME.test(file);
}

type Formatter = typeof Error.prepareStackTrace;

/** By file, then by place in it; `undefined` for a place that is not the program's. */
const knownPlaces = new Map<string, Map<number, string | undefined>>();
const LONGEST_LINE = 1e7;

/** The place in a file of the program; `undefined` for another file. */
function placeOf(site: NodeJS.CallSite, file: string, formatter: Formatter): string | undefined {
  const line = site.getLineNumber();
  if (line === null) return undefined;
  const column = site.getColumnNumber() ?? 1;
  let places = knownPlaces.get(file);
  if (places === undefined) {
    if (knownPlaces.size >= MOST_FILES) knownPlaces.clear();
    places = new Map();
    knownPlaces.set(file, places);
  }
  const key = line * LONGEST_LINE + column;
  if (!places.has(key)) {
    const place = isClientFile(file) ? undefined : writtenPlace(site, formatter, file, line, column);
    places.set(key, place === undefined || isForeign(place) ? undefined : place);
  }
  return places.get(key);
}

/** By the formatter of stacks, as tools that compile on the fly have one; else by Node's source map. */
function writtenPlace(
  site: NodeJS.CallSite,
  formatter: Formatter,
  file: string,
  line: number,
  column: number,
): string {
  const running = `${shortened(file)}:${line}:${column}`;
  try {
    if (formatter !== undefined) {
      const place = FRAME_OF_A_FILE.exec(String(formatter(new Error(), [site])).trimEnd())?.[1];
      if (place !== undefined && place !== `${file}:${line}:${column}`) return shortened(place);
    }
    const entry = findSourceMap(file)?.findEntry(line - 1, column - 1);
    if (entry !== undefined && 'originalSource' in entry) {
      const { originalSource, originalLine, originalColumn } = entry;
      return `${originalSource}:${originalLine + 1}:${originalColumn + 1}`;
    }
  } catch {
    // A formatter or a map that fails: the place in the running code is better than none.
  }
  return running;
}

/** The place of a frame outside the program's files: in a library, or in code that was made of text. */
function nameless(site: NodeJS.CallSite, formatter: Formatter): string {
  const file = site.getFileName() ?? site.getScriptNameOrSourceURL() ?? '<anonymous>';
  const line = site.getLineNumber() ?? 0;
  return writtenPlace(site, formatter, file, line, site.getColumnNumber() ?? 0);
}

/** A module may be a `data:` URL with its whole text, and code that is run from text may have any name. */
function shortened(file: string): string {
  if (file.startsWith('data:')) return printable(`${file.slice(0, LONGEST_DATA)}…`);
  return printable(file.slice(-LONGEST_NAME));
}

const LONGEST_DATA = 60;
const LONGEST_NAME = 1_000;

/** `at name (file:///scrape.mjs:3:5)`, `at async /scrape.cjs:3:5`; not `at node:internal/…`. */
const FRAME_OF_A_FILE = /(?:\(|at (?:async )?)((?:\w+:\/\/|\/|[A-Za-z]:\\)[^\n]*:\d+:\d+)\)?$/;

/**
 * Whether a place is in a library. The folder of the program itself is none, even where that is in `node_modules` (npx).
 */
function isForeign(place: string): boolean {
  const root = programRoot();
  const path = place.startsWith('file://') ? place.slice('file://'.length) : place;
  const inside = root !== undefined && path.startsWith(root) ? path.slice(root.length) : path;
  return IN_A_PACKAGE.test(inside) || isOwnFile(place);
}

const IN_A_PACKAGE = /(?:^|[\\/])node_modules[\\/]/;

/** The package of the program's first file, if that lies below `node_modules`; looked up once for each file. */
function programRoot(): string | undefined {
  const script = globalThis.process?.argv?.[1];
  if (script !== firstFile?.script) {
    firstFile = { script, root: PACKAGE_OF_PROGRAM.exec(realPathOf(script ?? ''))?.[0] };
  }
  return firstFile?.root;
}

let firstFile: { readonly script: string | undefined; readonly root: string | undefined } | undefined;
const PACKAGE_OF_PROGRAM = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+[\\/]/;

/** The file that a link in `node_modules/.bin` leads to. */
function realPathOf(path: string): string {
  try {
    return process.getBuiltinModule('node:fs').realpathSync(path);
  } catch {
    return path; // Not a file, or a runtime without files.
  }
}
