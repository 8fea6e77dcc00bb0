/**
 * Runs a call so that whoever asks V8 for the stack in it, as Puppeteer does to name a function after the line
 * that evaluates it, does not see this package's frames. For the length of the call only, not of its awaits.
 */
import { withStackTraceLimit } from '../batcher/session-queue.ts';
import { isOwnFile } from './own-code.ts';

type Formatter = NonNullable<typeof Error.prepareStackTrace>;

/** What was handed out in a formatter's place, so that it is known when it is put back. */
const formatters = new WeakMap<Formatter, Formatter>();
/** The session hook's frames, the wrappers' and those of `AsyncLocalStorage`, for a call that calls a few others. */
const OWN_FRAMES = 20;

export function withHiddenFrames<T>(work: () => T): T {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  if (Object.isFrozen(Error) || before?.configurable === false) return work();
  // Room for our own frames: an error's stack shall reach as far down as it would without them.
  const limit = Error.stackTraceLimit > 0 ? Error.stackTraceLimit + OWN_FRAMES : Error.stackTraceLimit;
  let formatter: Formatter | undefined = Error.prepareStackTrace;
  Object.defineProperty(Error, 'prepareStackTrace', {
    configurable: true,
    enumerable: true,
    get: () => formatter && hiding(formatter),
    set: (value: Formatter | undefined) => {
      formatter = value && (formatters.get(value) ?? value);
    },
  });
  try {
    return withStackTraceLimit(limit, work);
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Object.defineProperty(Error, 'prepareStackTrace', before);
    if (formatter !== Error.prepareStackTrace) Error.prepareStackTrace = formatter; // Set for good meanwhile.
  }
}

function hiding(formatter: Formatter): Formatter {
  const hider: Formatter = (error, sites) =>
    formatter(
      error,
      sites.filter((site) => !isHidden(site.getFileName())),
    );
  formatters.set(hider, formatter);
  return hider;
}

function isHidden(file: unknown): boolean {
  if (typeof file !== 'string') return false;
  return isOwnFile(file) || ASYNC_CONTEXT.test(file);
}

/** Where Node's `AsyncLocalStorage.run` lies, in whichever version. */
const ASYNC_CONTEXT = /^node:(?:internal\/)?async_/;
