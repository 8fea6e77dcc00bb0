/** The options of everything that batches, checked and given their defaults in one place. */
import { BATCH_SIZE, IN_FLIGHT_BATCHES, QUEUE_SIZE, RELEASE_TIMEOUT_MS } from '../policy.ts';
import { integerOption, requireObject, signalOption } from '../runtime/option-checks.ts';
import { LONGEST_TIMER_MS } from '../single-flight/time.ts';

/** What a `ReleaseBatcher` takes; each may be left out. A bad one is refused with an error that names it and its value. */
export interface BatcherOptions {
  /** Commands in one batch, 1 to 1,024. Default 64. */
  readonly maxBatchSize?: number | undefined;
  /** Batches of one session that may be unanswered at a time, 1 to 65,536. Default 8. */
  readonly maxInFlightBatches?: number | undefined;
  /** How long a batch may stay unanswered, in milliseconds, before its slot is freed. Default 30,000. */
  readonly releaseTimeoutMs?: number | undefined;
  /** Releases that may wait, all sessions together; past it the newest is dropped, counted, and warned of once. Default 1,000,000. */
  readonly maxQueueSize?: number | undefined;
  /** Aborting it closes the batcher, or detaches what is attached. Of a batcher, what waits is dropped and counted. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** The options, with defaults for those left out. The signal has none. */
export type ResolvedBatcherOptions = {
  readonly [Name in Exclude<keyof BatcherOptions, 'signal'>]-?: number;
} & { readonly signal: AbortSignal | undefined };

/** The names of all options, for error messages. */
export const BATCHER_OPTIONS: readonly string[] = Object.keys({
  maxBatchSize: true,
  maxInFlightBatches: true,
  releaseTimeoutMs: true,
  maxQueueSize: true,
  signal: true,
} satisfies Record<keyof BatcherOptions, true>);

/** @throws TypeError for an option of the wrong type, RangeError for one out of range. */
export function resolveBatcherOptions(options: BatcherOptions = {}): ResolvedBatcherOptions {
  requireObject('options', options);
  const { maxBatchSize, maxInFlightBatches, releaseTimeoutMs, maxQueueSize, signal } = options;
  return {
    maxBatchSize: integerOption('maxBatchSize', maxBatchSize, BATCH_SIZE, 1, 1024),
    maxInFlightBatches: integerOption('maxInFlightBatches', maxInFlightBatches, IN_FLIGHT_BATCHES, 1, 65_536),
    releaseTimeoutMs: integerOption(
      'releaseTimeoutMs',
      releaseTimeoutMs,
      RELEASE_TIMEOUT_MS,
      1,
      LONGEST_TIMER_MS,
    ),
    maxQueueSize: integerOption('maxQueueSize', maxQueueSize, QUEUE_SIZE, 1, Number.MAX_SAFE_INTEGER),
    signal: signalOption('signal', signal),
  };
}
