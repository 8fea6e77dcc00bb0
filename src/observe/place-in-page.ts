/**
 * The place in a page where something was logged or thrown, by its event. The page chooses all of this text: it is cut to a
 * length and made printable here.
 */
import { LONGEST_URL } from '../policy.ts';
import { printable } from './printable.ts';

/** `url:line:column`; for a function that a script evaluated, the line of the script. */
export function placeInPage(params: unknown): string | undefined {
  const { stackTrace, exceptionDetails } = (params ?? {}) as {
    stackTrace?: Trace;
    exceptionDetails?: Frame & { stackTrace?: Trace };
  };
  const frames = (stackTrace ?? exceptionDetails?.stackTrace)?.callFrames;
  const named = Array.isArray(frames) ? frames.find((frame: Frame | null) => frame?.url !== '') : undefined;
  const frame: Frame | null | undefined = named ?? exceptionDetails;
  if (typeof frame?.url !== 'string' || frame.url === '') return undefined;
  const line = Number.isInteger(frame.lineNumber) ? Number(frame.lineNumber) + 1 : 0;
  const column = Number.isInteger(frame.columnNumber) ? Number(frame.columnNumber) + 1 : 0;
  return printable(placeInScript(frame.url) ?? `${frame.url.slice(0, LONGEST_URL)}:${line}:${column}`);
}

interface Frame {
  readonly url?: unknown;
  readonly lineNumber?: unknown;
  readonly columnNumber?: unknown;
}
interface Trace {
  readonly callFrames?: unknown;
}

/** Puppeteer names a function that it evaluates after the calling line: `pptr:evaluate;name (file:///a.mjs:3:5)`. */
function placeInScript(url: string): string | undefined {
  if (!url.startsWith('pptr:')) return undefined;
  try {
    const text = decodeURIComponent(url.slice(0, 4 * LONGEST_URL));
    return /((?:file:\/\/|\/|[A-Za-z]:\\)[^()]*:\d+:\d+)\)?$/.exec(text)?.[1]?.slice(-LONGEST_URL);
  } catch {
    return undefined;
  }
}
