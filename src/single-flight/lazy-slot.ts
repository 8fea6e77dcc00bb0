/**
 * A value that is fetched when first asked for and fetched again once it has expired. The invariant:
 * from the first fetched value on nobody waits but the one caller that refreshes; all others are served
 * what is there, a little stale at worst. After LUCI's `lazyslot` for Go.
 */
import { RETRY_DELAY_MS, WARNINGS_BEFORE_ERRORS } from '../policy.ts';
import { requireFunction, requireKnownOptions, requireObject } from '../runtime/option-checks.ts';
import { monotonicNow, type Now, requirePositiveMs } from './time.ts';

/** An expiry for which the very next `get` fetches again: a cache turned off, in a test for one. */
export const ExpiresImmediately = -1;

/** What a fetcher has fetched. */
export interface Fetched<T> {
  /** Anything; null and undefined are values like others. */
  readonly value: T;
  /** Milliseconds for which the value is fresh; 0 for ever, `ExpiresImmediately` for no time at all. */
  readonly expiresInMs: number;
}

/**
 * Fetches the value. `previous` is the one to be refreshed, undefined at first.
 *
 * A promise that rejects is a failed fetch, of the kind that passes: a refresh then serves the stale
 * value. A synchronous throw, or a result that is no `Fetched`, is a bug of the fetcher: it always
 * reaches the caller. An `async` function never throws synchronously.
 */
export type Fetcher<T> = (previous: T | undefined) => Fetched<T> | PromiseLike<Fetched<T>>;

/** `console` is one. */
export interface LazySlotLogger {
  /** The first two failures in a row. */
  warn(message: string, error: unknown): void;
  /** The third failure in a row, and those after it. */
  error(message: string, error: unknown): void;
}

/** What a `LazySlot` takes beside its fetcher. */
export interface LazySlotOptions {
  /** How long the stale value is served after a failed refresh before the next try, in milliseconds. Default 5,000. */
  readonly retryDelayMs?: number | undefined;
  /** Told of failed refreshes, which no caller sees. Without one they are silent. */
  readonly logger?: LazySlotLogger | undefined;
  /** The clock. Default `performance.now`. */
  readonly now?: Now | undefined;
}

interface Entry<T> {
  readonly value: T;
  readonly expiresAt: number;
}

/**
 * A value that is fetched when first asked for, and served, a little stale at worst, while one caller refreshes it.
 *
 * ```ts
 * const token = new LazySlot(async () => {
 *   const { secret, lifetimeMs } = await mintToken();
 *   return { value: secret, expiresInMs: lifetimeMs / 2 };
 * });
 * await token.get();
 * ```
 */
export class LazySlot<T> {
  readonly #fetcher: Fetcher<T>;
  readonly #retryDelayMs: number;
  readonly #logger: LazySlotLogger | undefined;
  readonly #now: Now;
  #entry: Entry<T> | undefined;
  #isRefreshing = false;
  #failuresInARow = 0;
  /** Settles when the last of those that queue for the first fetch has had its turn. Never rejects. */
  #lastTurn: Promise<unknown> = Promise.resolve();

  /** @throws TypeError or RangeError for a bad option. */
  constructor(fetcher: Fetcher<T>, options: LazySlotOptions = {}) {
    requireFunction('fetcher', fetcher);
    requireObject('options', options);
    requireKnownOptions(options, ['retryDelayMs', 'logger', 'now']);
    const { retryDelayMs = RETRY_DELAY_MS, logger, now = monotonicNow } = options;
    requirePositiveMs('retryDelayMs', retryDelayMs);
    this.#fetcher = fetcher;
    this.#retryDelayMs = retryDelayMs;
    this.#logger = logger;
    this.#now = now;
  }

  /**
   * The value: fresh where it can be had at once or by this caller's own fetch, stale where another
   * caller is fetching, or this caller's refresh has failed. Rejects with the fetcher's error where
   * there is no value yet, or the fetcher has a bug.
   */
  async get(): Promise<T> {
    const entry = this.#entry;
    if (entry === undefined) return this.#getFirst();
    if (this.#isRefreshing || this.#now() < entry.expiresAt) return entry.value;
    return this.#refresh(entry);
  }

  /** One after another, until one has fetched a value for itself and all those behind it. */
  #getFirst(): Promise<T> {
    const turn = this.#lastTurn.then(async () => {
      this.#entry ??= this.#toEntry(await this.#fetcher(undefined));
      return this.#entry.value;
    });
    this.#lastTurn = turn.catch(ignore);
    return turn;
  }

  async #refresh(stale: Entry<T>): Promise<T> {
    this.#isRefreshing = true;
    try {
      // Outside the inner try: a synchronous throw passes through and changes nothing.
      const fetching = this.#fetcher(stale.value);
      let fetched: Fetched<T>;
      try {
        fetched = await fetching;
      } catch (error) {
        this.#keepStale(stale, error);
        return stale.value;
      }
      this.#entry = this.#toEntry(fetched);
      this.#failuresInARow = 0;
      return fetched.value;
    } finally {
      this.#isRefreshing = false;
    }
  }

  #keepStale({ value }: Entry<T>, error: unknown): void {
    this.#entry = { value, expiresAt: this.#now() + this.#retryDelayMs };
    this.#failuresInARow++;
    const level = this.#failuresInARow > WARNINGS_BEFORE_ERRORS ? 'error' : 'warn';
    try {
      this.#logger?.[level](
        `Refresh failed, ${this.#failuresInARow} in a row; the stale value is served for ${this.#retryDelayMs} ms more`,
        error,
      );
    } catch {
      // A logger that fails is no reason to serve nothing.
    }
  }

  #toEntry({ value, expiresInMs }: Fetched<T>): Entry<T> {
    if (expiresInMs === 0) return { value, expiresAt: Number.POSITIVE_INFINITY };
    // Not `now()`: if the clock is set back, the value would be fresh again.
    if (expiresInMs === ExpiresImmediately) return { value, expiresAt: Number.NEGATIVE_INFINITY };
    return { value, expiresAt: this.#now() + checkedExpiry(expiresInMs) };
  }
}

function checkedExpiry(expiresInMs: number): number {
  if (typeof expiresInMs === 'number' && expiresInMs > 0) return expiresInMs;
  throw new RangeError(
    `expiresInMs must be a number of milliseconds, 0 or ${ExpiresImmediately}, got ${expiresInMs}`,
  );
}

function ignore(): void {}
