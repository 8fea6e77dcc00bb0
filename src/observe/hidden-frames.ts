/**
 * Runs a call so that code that asks V8 for the stack does not see this package's frames, as Puppeteer does to name a
 * function after the line that evaluates it. Only during the call itself, not during its awaits.
 */
import { withStackTraceLimit } from '../batcher/session-queue.ts';
import { isOwnFile } from './own-code.ts';

type Formatter = NonNullable<typeof Error.prepareStackTrace>;

/** The formatters that were handed out in the place of others, so that they are recognised when they are put back. */
const formatters = new WeakMap<Formatter, Formatter>();
/** Frames of the session hook, of the wrappers and of `AsyncLocalStorage`, for a call that makes a few others. */
const OWN_FRAMES = 20;

export function withHiddenFrames<T>(work: () => T): T {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  if (Object.isFrozen(Error) || before?.configurable === false) return work();
  // Room for our own frames: an error's stack must reach as far as it would without them.
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

/** The file of Node's `AsyncLocalStorage.run`, in any version. */
const ASYNC_CONTEXT = /^node:(?:internal\/)?async_/;
