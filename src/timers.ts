/**
 * The timers and the clock of this library. They are taken once, when the library is imported, and from where a test's
 * fake timers do not reach: a program that stops the time for its own code does not stop a release. Nothing else in
 * `src` uses the globals; the linter refuses them.
 *
 * Where Node has no such module the globals are taken.
 */
import { builtin } from './builtins.ts';

type Native<Name extends keyof typeof globalThis> = (typeof globalThis)[Name];
type TimerName = 'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'setImmediate';

/** Keeps the process alive until it has fired; see `unref`. */
export const setTimeout: Native<'setTimeout'> = /* @__PURE__ */ taken('setTimeout');
export const clearTimeout: Native<'clearTimeout'> = /* @__PURE__ */ taken('clearTimeout');
export const setInterval: Native<'setInterval'> = /* @__PURE__ */ taken('setInterval');
export const clearInterval: Native<'clearInterval'> = /* @__PURE__ */ taken('clearInterval');
/** Where there is none, as in a browser's page, the shortest timer. */
export const setImmediate: (callback: (_: void | PromiseLike<void>) => void) => unknown =
  /* @__PURE__ */ taken('setImmediate') ?? ((callback) => setTimeout(callback, 0));
export const queueMicrotask: Native<'queueMicrotask'> = /* @__PURE__ */ original(
  'queueMicrotask',
  globalThis.queueMicrotask,
);
/** `process.nextTick`; where there is none, a microtask. */
export const nextTick: <Given extends unknown[]>(
  callback: (...given: Given) => void,
  ...given: Given
) => void = /* @__PURE__ */ takenTick();
const performance: Performance = /* @__PURE__ */ takenPerformance();
/** Milliseconds, monotonic: `performance.now`. */
export const monotonicNow: () => number = /* @__PURE__ */ takenClock();
/** `performance.timeOrigin`: milliseconds of the wall clock, at which `monotonicNow` was 0. */
export const timeOrigin: number = /* @__PURE__ */ (() => performance.timeOrigin)();

/** Lets the process end while the timer is pending. A timer that is a number, as a page's, keeps no process alive. */
export const unref = <Timer>(timer: Timer): Timer => (timer as { unref?(): Timer }).unref?.() ?? timer;

function taken<Name extends TimerName>(name: Name): Native<Name> {
  const timers = (builtin('node:timers') ?? {}) as Partial<Pick<typeof globalThis, TimerName>>;
  return original(name, timers[name] ?? globalThis[name]) as Native<Name>;
}

function takenTick(): typeof nextTick {
  const tick = original('nextTick', globalThis.process?.nextTick as typeof nextTick | undefined);
  return tick ?? ((callback, ...given) => queueMicrotask(() => callback(...given)));
}

function takenPerformance(): Performance {
  const { performance } = (builtin('node:perf_hooks') ?? globalThis) as typeof globalThis;
  return performance;
}

function takenClock(): () => number {
  // The class's own method: a fake one is put on the object.
  const { now } = Object.getPrototypeOf(performance) as Partial<Performance>;
  return (now ?? performance.now).bind(performance);
}

/**
 * What a fake was put in place of, where it was there before the library was imported: the fakes of Jest, Vitest and Sinon
 * (`@sinonjs/fake-timers`, all three) keep it at their clock. Bound, since a browser's refuses another `this`.
 */
function original<Member>(name: string, member: Member): Member {
  if (typeof member !== 'function') return member;
  const { clock } = member as { readonly clock?: Readonly<Record<string, unknown>> };
  const kept = clock?.[`_${name}`];
  return (typeof kept === 'function' ? kept : member).bind(globalThis) as Member;
}
