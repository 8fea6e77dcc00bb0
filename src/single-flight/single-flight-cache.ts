/**
 * One value, fetched once however many ask for it, and kept until it is invalidated. It stands on the
 * init lock, so it survives a fetch that never returns. The invariant: a fetch has failed after
 * `timeoutMs`, and counts as dead only well after that, so it is never taken for dead while it lives.
 */
import { FETCH_HEADROOM_MS, FETCH_TIMEOUT_MS } from '../policy.ts';
import { requireFunction, requireKnownOptions, requireObject } from '../runtime/option-checks.ts';
import { SingleFlightError } from './errors.ts';
import { guardInFlight } from './in-flight-guard.ts';
import { createInitLock, type InitLockOptions, initWithLock, revokeClaim } from './init-lock.ts';
import { LONGEST_TIMER_MS, requirePositiveMs, type Sleep, sleepOnTimer } from './time.ts';

/** What a `SingleFlightCache` takes beside what fetches; `pollMs` in milliseconds, 50 by default. */
export interface SingleFlightCacheOptions extends Pick<InitLockOptions, 'pollMs' | 'now' | 'sleep'> {
  /**
   * How long one fetch may take, in milliseconds, before it fails. The lock's deadline, which `within`
   * is compared with, is 5,000 above it. Default 10,000.
   */
  readonly timeoutMs?: number | undefined;
}

/**
 * One value, fetched once however many ask for it, and kept until it is invalidated.
 *
 * ```ts
 * const endpoint = new SingleFlightCache((signal) => discover(port, { signal }), { timeoutMs: 2_000 });
 * await endpoint.get();
 * ```
 */
export class SingleFlightCache<T> {
  readonly #fetch: (signal: AbortSignal) => T | PromiseLike<T>;
  readonly #timeoutMs: number;
  readonly #sleep: Sleep;
  readonly #lockOptions: InitLockOptions;
  readonly #lock = createInitLock();
  /** Wrapped, so that null, undefined and nothing at all count as values. */
  #cached: { readonly value: T } | undefined;

  /**
   * @param fetch Makes the value. Its signal fires when the fetch has timed out.
   * @throws TypeError or RangeError for a bad option.
   */
  constructor(fetch: (signal: AbortSignal) => T | PromiseLike<T>, options: SingleFlightCacheOptions = {}) {
    requireFunction('fetch', fetch);
    requireObject('options', options);
    requireKnownOptions(options, ['timeoutMs', 'pollMs', 'now', 'sleep']);
    const { timeoutMs = FETCH_TIMEOUT_MS, pollMs, now, sleep = sleepOnTimer } = options;
    requirePositiveMs('timeoutMs', timeoutMs);
    if (pollMs !== undefined) requirePositiveMs('pollMs', pollMs);
    this.#fetch = fetch;
    this.#timeoutMs = timeoutMs;
    this.#sleep = sleep;
    // Capped at the longest timer: with a timeout of weeks the headroom does not matter.
    const deadlineMs = Math.min(timeoutMs + FETCH_HEADROOM_MS, LONGEST_TIMER_MS);
    this.#lockOptions = { deadlineMs, pollMs, now, sleep, isCached: () => this.#cached !== undefined };
  }

  /**
   * The cached value, or else a fetched one. A failed fetch rejects for the caller that ran it; the
   * next one in line fetches again.
   *
   * @throws SingleFlightError `ERR_FETCH_TIMED_OUT` where this call's own fetch was too slow, and
   * otherwise what `initWithLock` throws.
   */
  async get(options: Pick<InitLockOptions, 'signal' | 'anchor' | 'onWaited' | 'within'> = {}): Promise<T> {
    requireObject('options', options);
    requireKnownOptions(options, ['signal', 'anchor', 'onWaited', 'within']);
    const getCached = () => this.#cached?.value;
    return initWithLock(this.#lock, getCached, (isCurrentClaim) => this.#fill(isCurrentClaim), {
      ...options,
      ...this.#lockOptions,
    });
  }

  /** Forgets the value. A fetch under way still serves the caller that ran it, and is not kept. */
  invalidate(): void {
    this.#cached = undefined;
    revokeClaim(this.#lock);
  }

  async #fill(isCurrentClaim: () => boolean): Promise<T> {
    const value = await this.#fetchInTime();
    if (isCurrentClaim()) this.#cached = { value };
    return value;
  }

  #fetchInTime(): Promise<T> {
    const overdue = new AbortController();
    const ended = new AbortController();
    const message = `Timed out after ${this.#timeoutMs} ms of fetching (timeoutMs)`;
    void this.#sleep(this.#timeoutMs, ended.signal).then(() => {
      if (!ended.signal.aborted) overdue.abort(new SingleFlightError('ERR_FETCH_TIMED_OUT', message));
    });
    const slot = { signal: overdue.signal, release: () => ended.abort() };
    return guardInFlight(slot, () => this.#fetch(overdue.signal));
  }
}
