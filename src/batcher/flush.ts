/** Waits, for a limited time, until all handles dropped so far have ended, and reports what happened meanwhile. */
import { type BoundedWait, settledWithin } from '../runtime/event-loop.ts';
import { integerOption, requireKnownOptions, requireObject } from '../runtime/option-checks.ts';
import { LONGEST_TIMER_MS } from '../single-flight/time.ts';
import { monotonicNow } from '../timers.ts';
import type { ReleaseStats } from './stats.ts';

/** What `flush` takes. */
export interface FlushOptions {
  /** How long to wait, in milliseconds. Default: the batcher's `releaseTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** What happened between the call of `flush` and its end. Counts are handles. */
export interface FlushReport {
  /** Everything dropped before the call was answered, or needed no answer. */
  readonly complete: boolean;
  /** Where it is not complete: handles dropped, before the call or since, whose answer is outstanding. */
  readonly pending: number;
  /** Let go by the browser. */
  readonly released: number;
  /** Unknown to the browser by then. */
  readonly gone: number;
  /** Ended with their context, target or session: nothing had to be sent. */
  readonly elided: number;
  /** Refused by the browser. */
  readonly failed: number;
  /** Not answered within `releaseTimeoutMs`. */
  readonly timedOut: number;
  /** Never sent: invalid id, queue full, or closed. */
  readonly dropped: number;
  /** From the call to its end: milliseconds. */
  readonly elapsedMs: number;
}

/** @throws TypeError or RangeError for a bad `timeoutMs` or an unknown option. */
export function resolveFlushTimeout(options: FlushOptions, fallbackMs: number): number {
  requireObject('options', options);
  requireKnownOptions(options, ['timeoutMs']);
  return integerOption('timeoutMs', options.timeoutMs, fallbackMs, 0, LONGEST_TIMER_MS);
}

/** Waits for `settled`, for `timeoutMs` at most, and reports how the counts have changed. Never rejects. */
export async function reportFlush(
  stats: ReleaseStats,
  settled: (wait: BoundedWait) => Promise<void>,
  timeoutMs: number,
): Promise<FlushReport> {
  const before = { ...stats };
  const startedAt = monotonicNow();
  const complete = await settledWithin(settled, timeoutMs);
  return {
    complete,
    pending: complete ? 0 : stats.queued + stats.inFlight,
    released: stats.released - before.released,
    gone: stats.gone - before.gone,
    elided: stats.elided - before.elided,
    failed: stats.failed - before.failed,
    timedOut: stats.timedOut - before.timedOut,
    dropped: stats.dropped - before.dropped,
    elapsedMs: monotonicNow() - startedAt,
  };
}
