/** Waiting, bounded, for what has been dropped so far; and the account of what happened meanwhile. */
import { LONGEST_TIMER_MS } from '../single-flight/time.ts';
import { monotonicNow } from '../timers.ts';
import { BoundedWait, Waiters } from './bounded-wait.ts';
import { Deadline } from './deadline.ts';
import { integerOption, requireKnownOptions, requireObject } from './options.ts';
import type { Release } from './release.ts';
import type { FlushReport, ReleaseStats } from './stats.ts';

/** What `flush` takes. */
export interface FlushOptions {
  /** How long to wait, in milliseconds. Default: the batcher's `releaseTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

const FLUSH_OPTIONS = ['timeoutMs'];

export function resolveFlushTimeout(options: FlushOptions, fallbackMs: number): number {
  requireObject('options', options);
  requireKnownOptions(options, FLUSH_OPTIONS);
  return integerOption('timeoutMs', options.timeoutMs, fallbackMs, 0, LONGEST_TIMER_MS);
}

/** Waits for `settled`, for `timeoutMs` at most, and reports the difference in the books. Never rejects. */
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

/** Tells whether `work` ended in time. The timer is ref'd: somebody waits for this answer. */
export function settledWithin(work: Work, timeoutMs: number): Promise<boolean> {
  return raced(work, (onPassed) => new Deadline(timeoutMs, onPassed, { isAwaited: true }));
}

/** The same where nobody waits: the process may exit meanwhile. */
export function settledUnattended(work: Work, timeoutMs: number): Promise<boolean> {
  return raced(work, (onPassed) => new Deadline(timeoutMs, onPassed));
}

/** What is waited for. It is to end when the wait is over, and to leave nothing behind where it waited. */
type Work = (wait: BoundedWait) => Promise<void>;

async function raced(work: Work, start: (onPassed: () => void) => Deadline): Promise<boolean> {
  let deadline: Deadline | undefined;
  const passed = new Promise<boolean>((resolve) => {
    deadline = start(() => resolve(false));
  });
  const wait = new BoundedWait();
  const inTime = await Promise.race([work(wait).then(() => true), passed]);
  deadline?.stop();
  wait.end();
  return inTime;
}

/** Sent nowhere: it tells, by being taken, that all which was ahead of it has been. */
export class FlushMark implements Release {
  readonly method = 'Runtime.releaseObject';
  readonly params: Record<string, unknown> = {};
  readonly handles = 0;
  readonly reached: Waiters = new Waiters();

  claim(): boolean {
    this.reached.wake();
    return false;
  }

  settled(): void {}
}
