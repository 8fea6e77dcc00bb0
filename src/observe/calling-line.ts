/**
 * Which line of the program is calling now, through however many awaits of its libraries: the innermost
 * frame that lies neither in `node_modules` nor in this package, at its place in the source that was written
 * rather than the one that runs. Each place is looked up in its source map once; never throws.
 */

import { findSourceMap } from '../builtins.ts';
import { MOST_FILES } from '../policy.ts';
import { callSites } from './call-sites.ts';
import { isBundle, isOwnFile } from './own-code.ts';
import { printable } from './printable.ts';

/** What is said where no frame is the program's own. */
export const UNKNOWN_LINE = 'unknown';

/** What is said where the program is in one file with its libraries, and no source map tells them apart. */
const BUNDLED_LINE = 'unknown: bundled, and without a source map or --enable-source-maps';

/** Who has called into the client. */
export interface Caller {
  /** `file:line:column` of the program's innermost frame; where it has none, of the library that calls for it. */
  readonly line: string;
  /** Whether it is the program, or a library of it, that calls; if not, the client itself does, answering an event. */
  readonly isProgram: boolean;
  /** Whether the frame that calls is known not to be the client's. */
  readonly isDirect: boolean;
}

/** `file:line:column` of the calling line. */
export function callingLine(): string {
  return callerOf().line;
}

/**
 * Whoever calls into a client: the client itself, as far as its files are known, or somebody else. A library's frames
 * behind the client's own do not count: a socket's, say, by which an event came.
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

/** Whether the place that was written is known, by Node or by whoever formats stacks here. */
function isMapped(site: NodeJS.CallSite, file: string, formatter: Formatter): boolean {
  if (findSourceMap(file) !== undefined) return true;
  const [line, column] = [site.getLineNumber() ?? 0, site.getColumnNumber() ?? 1];
  return !writtenPlace(site, formatter, file, line, column).endsWith(`:${line}:${column}`);
}

/** Where the client's files are not known, as in a bundle, nobody can tell. */
function isDirect(nearest: NodeJS.CallSite): boolean {
  return clientRoots.size > 0 && isOthersFile(nearest.getFileName());
}

/** Whether a file is neither the client's nor, as a bundle may be, in part our own. */
function isOthersFile(file: string | null | undefined): boolean {
  return !isClientFile(file) && !isBundle(file ?? '');
}

/** What the client's own files begin with: paths and URLs. */
const clientRoots = new Set<string>();

/**
 * Learns where the client lies from a call of its: `call` has it call back, and what is on the stack between here and
 * there is its own. Bundled with the program into one file it lies nowhere.
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

/** Up to the package's own folder: that in the last `node_modules`, or the one with Puppeteer's `lib` in it. */
const PACKAGE_OF_CLIENT =
  /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+[\\/]|^.*[\\/]lib[\\/](?:esm[\\/]|cjs[\\/])?puppeteer[\\/]/;
/** Of clients that were not asked; and where a source map names files that a bundler has put among the program's. */
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

/** The program's place in a file; `undefined` where it is none of the program's. */
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

/** By whoever formats stacks here (tools that compile on the fly do), else by the source map that Node has. */
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
    // A formatter, or a map, that cannot cope: the place that runs is better than none.
  }
  return running;
}

/** The place of a frame that is no file of the program's: a library's, or code that was made of text. */
function nameless(site: NodeJS.CallSite, formatter: Formatter): string {
  const file = site.getFileName() ?? site.getScriptNameOrSourceURL() ?? '<anonymous>';
  const line = site.getLineNumber() ?? 0;
  return writtenPlace(site, formatter, file, line, site.getColumnNumber() ?? 0);
}

/** A module may be a `data:` URL, its whole text; and code that is run from text may go by any name. */
function shortened(file: string): string {
  if (file.startsWith('data:')) return printable(`${file.slice(0, LONGEST_DATA)}…`);
  return printable(file.slice(-LONGEST_NAME));
}

const LONGEST_DATA = 60;
const LONGEST_NAME = 1_000;

/** `at name (file:///scrape.mjs:3:5)`, `at async /scrape.cjs:3:5`; not `at node:internal/…`. */
const FRAME_OF_A_FILE = /(?:\(|at (?:async )?)((?:\w+:\/\/|\/|[A-Za-z]:\\)[^\n]*:\d+:\d+)\)?$/;

/** Whether a place is a library's. What the program itself lies in, where that is `node_modules` (npx), is none. */
function isForeign(place: string): boolean {
  const root = programRoot();
  const path = place.startsWith('file://') ? place.slice('file://'.length) : place;
  const inside = root !== undefined && path.startsWith(root) ? path.slice(root.length) : path;
  return IN_A_PACKAGE.test(inside) || isOwnFile(place);
}

const IN_A_PACKAGE = /(?:^|[\\/])node_modules[\\/]/;

/** The package that the program's first file lies in, if it lies below `node_modules`; looked up once a file. */
function programRoot(): string | undefined {
  const script = globalThis.process?.argv?.[1];
  if (script !== firstFile?.script) {
    firstFile = { script, root: PACKAGE_OF_PROGRAM.exec(realPathOf(script ?? ''))?.[0] };
  }
  return firstFile?.root;
}

let firstFile: { readonly script: string | undefined; readonly root: string | undefined } | undefined;
const PACKAGE_OF_PROGRAM = /^.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+[\\/]/;

/** What a link in `node_modules/.bin` stands for. */
function realPathOf(path: string): string {
  try {
    return process.getBuiltinModule('node:fs').realpathSync(path);
  } catch {
    return path; // No file, or a runtime that has none.
  }
}
