/**
 * Which line of the program is calling now, through however many awaits of its libraries: the innermost
 * frame that lies neither in `node_modules` nor in this package, at its place in the source that was written
 * rather than the one that runs. Each place is looked up in its source map once; never throws.
 */
import * as nodeModule from 'node:module'; // Whole: not every runtime has source maps.
import { withStackTraceLimit } from '../batcher/stack-trace-limit.ts';
import { isOwnFile } from './own-code.ts';

/** What is said where no frame is the program's own. */
export const UNKNOWN_LINE = 'unknown';

/** `file:line:column` of the calling line. */
export function callingLine(): string {
  const formatter = Error.prepareStackTrace;
  for (const site of callSites()) {
    const place = placeOf(site, formatter);
    if (place !== undefined) return place;
  }
  return UNKNOWN_LINE;
}

/** Frames beyond these are not looked at: a library that is deeper than that does not call for the program. */
const DEEPEST_FRAME = 40;

/** The stack as V8 has it, before anybody has made text of it: that would cost ten times as much. */
function callSites(): readonly NodeJS.CallSite[] {
  return withStackTraceLimit(DEEPEST_FRAME, () => {
    const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
    try {
      Error.prepareStackTrace = (_error, sites) => sites;
      const { stack } = new Error() as { stack?: unknown };
      return Array.isArray(stack) ? (stack as NodeJS.CallSite[]).slice(1) : [];
    } catch {
      return []; // Under --frozen-intrinsics nothing can be set there.
    } finally {
      if (before !== undefined) Reflect.defineProperty(Error, 'prepareStackTrace', before);
      else Reflect.deleteProperty(Error, 'prepareStackTrace');
    }
  });
}

type Formatter = typeof Error.prepareStackTrace;

/** By file, then by place in it; `undefined` for a place that is not the program's. */
const knownPlaces = new Map<string, Map<number, string | undefined>>();
const LONGEST_LINE = 1e7;
/** A program that makes code without end shall not fill this. */
const MOST_FILES = 10_000;

function placeOf(site: NodeJS.CallSite, formatter: Formatter): string | undefined {
  const file = site.getFileName();
  const line = site.getLineNumber();
  if (typeof file !== 'string' || line === null || file.startsWith('node:')) return undefined;
  const column = site.getColumnNumber() ?? 1;
  let places = knownPlaces.get(file);
  if (places === undefined) {
    if (knownPlaces.size >= MOST_FILES) knownPlaces.clear();
    places = new Map();
    knownPlaces.set(file, places);
  }
  const key = line * LONGEST_LINE + column;
  if (!places.has(key)) {
    const place = writtenPlace(site, formatter, file, line, column);
    places.set(key, isForeign(place) || !isFile(place) ? undefined : place);
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
  const running = `${file}:${line}:${column}`;
  try {
    if (formatter !== undefined) {
      const place = FRAME_OF_A_FILE.exec(String(formatter(new Error(), [site])).trimEnd())?.[1];
      if (place !== undefined && place !== running) return place;
    }
    const entry = nodeModule.findSourceMap?.(file)?.findEntry(line - 1, column - 1);
    if (entry !== undefined && 'originalSource' in entry) {
      const { originalSource, originalLine, originalColumn } = entry;
      return `${originalSource}:${originalLine + 1}:${originalColumn + 1}`;
    }
  } catch {
    // A formatter, or a map, that cannot cope: the place that runs is better than none.
  }
  return running;
}

/** `at name (file:///scrape.mjs:3:5)`, `at async /scrape.cjs:3:5`; not `at node:internal/…`. */
const FRAME_OF_A_FILE = /(?:\(|at (?:async )?)((?:\w+:\/\/|\/|[A-Za-z]:\\)[^\n]*:\d+:\d+)\)?$/;

function isFile(place: string): boolean {
  return /^(?:\w+:\/\/|\/|[A-Za-z]:\\)/.test(place);
}

function isForeign(place: string): boolean {
  return place.includes('/node_modules/') || place.includes('\\node_modules\\') || isOwnFile(place);
}
