/** Time as this folder sees it: a clock, a sleep, and the check that every duration among its options passes. */
import { clearTimeout, monotonicNow, setTimeout } from '../timers.ts';

/** A clock in milliseconds. Only differences are read, so its origin does not matter. */
export type Now = () => number;

/** Resolves after `ms` milliseconds, or as soon as `signal` fires if that is sooner. Never rejects. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** Monotonic: a wall clock that is set back an hour would keep a dead owner in place for that hour. */
export { monotonicNow };

/** The timer keeps the process alive on purpose: whoever sleeps is awaited by a caller. */
export const sleepOnTimer: Sleep = (ms, signal) =>
  new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    if (signal?.aborted) wake();
    else signal?.addEventListener('abort', wake, { once: true });
  });

/** The longest delay that `setTimeout` takes; it fires a longer one at once. */
export const LONGEST_TIMER_MS: number = 2 ** 31 - 1;

/** @throws TypeError if `value` is no number, RangeError if it is not one above 0 that a timer takes. */
export function requirePositiveMs(name: string, value: number): void {
  const expected = `${name} must be a number of milliseconds above 0 and at most ${LONGEST_TIMER_MS}`;
  if (typeof value !== 'number') throw new TypeError(`${expected}, got ${describe(value)}`);
  // Put this way round, NaN is refused too.
  if (!(value > 0 && value <= LONGEST_TIMER_MS)) throw new RangeError(`${expected}, got ${value}`);
}

function describe(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
