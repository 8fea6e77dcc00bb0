/**
 * A lock for what is initialized once while many ask: the first caller runs the init, the others wait.
 * The owner may die without a word (a server that drops a request drops its `finally` blocks too), so
 * the lock notes when its owner began, and a waiter takes it from an owner that is past its deadline.
 * No caller ever awaits a promise of another; each polls, and lives or dies by its own.
 *
 * The invariant: of all inits that may run, dead, slow or alive, one holds the current claim. Only that
 * one publishes a value, and only that one frees the lock.
 */
import { LOCK_DEADLINE_MS, LOCK_HEADROOM_MS, LOCK_POLL_MS } from '../policy.ts';
import { requireFunction, requireKnownOptions, requireObject } from '../runtime/option-checks.ts';
import { SingleFlightError } from './errors.ts';
import { guardInFlight } from './in-flight-guard.ts';
import {
  LONGEST_TIMER_MS,
  monotonicNow,
  type Now,
  requirePositiveMs,
  type Sleep,
  sleepOnTimer,
} from './time.ts';

/** Plain data, so that it may live anywhere, a global registry included. Only this file's functions change it. */
export interface InitLock {
  /** When the current owner claimed the lock, on the callers' clock; null while it is free. */
  ownerStartedAt: number | null;
  /** Counts claims. An owner whose number has passed is stale, however alive it may be. */
  generation: number;
}

/** A lock that is free. */
export function createInitLock(): InitLock {
  return { ownerStartedAt: null, generation: 0 };
}

/** What an init may pass on to the locks that it takes in turn, as their `within`. */
export interface InitClaim {
  /** The deadline that the init runs under. */
  readonly deadlineMs: number;
}

/**
 * Makes the value and publishes it. `isCurrentClaim()` is false once the lock was taken from this init: ask
 * right before publishing, with no `await` between; an init that has lost publishes nothing, and undoes what
 * it has started.
 */
export type Init<T> = (isCurrentClaim: () => boolean, claim: InitClaim) => T | PromiseLike<T>;

/** Times are in milliseconds. All callers of one lock should agree on them. */
export interface InitLockOptions {
  /**
   * An owner that is older than this, in milliseconds, counts as dead. It must be well above the slowest honest init: too
   * low, and two inits overlap; too high, and a dead owner is noticed late. All callers of one lock
   * should agree on it. Default 15,000.
   */
  readonly deadlineMs?: number | undefined;
  /** How often a waiter looks, in milliseconds; what it waits for is noticed at most this much late. Default 50. */
  readonly pollMs?: number | undefined;
  /**
   * How long a waiter waits, in milliseconds, before it fails. It must exceed `deadlineMs`: a waiter that gave up earlier
   * could never take the lock from a dead owner. Default `deadlineMs` + 15,000.
   */
  readonly maxWaitMs?: number | undefined;
  /**
   * Whether there is a cached value. By default there is when `getCached()` returns neither null nor
   * undefined; give this where those are values, or where the init has none (`void`).
   */
  readonly isCached?: (() => boolean) | undefined;
  /** Ends the wait with the signal's reason. An init that has begun is its own to stop. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The claim of the init that this call is made from. The call is then refused unless its deadline is
   * below the outer one, which would otherwise pass while the inner lock still waits for a dead owner.
   * Leave room for that wait and the inner init after it.
   */
  readonly within?: InitClaim | undefined;
  /**
   * Called before the init begins, with a promise that resolves, and never rejects, when the init has
   * ended and freed the lock. Hand it to what keeps a host from ending a request early (`waitUntil`).
   */
  readonly anchor?: ((inFlight: Promise<void>) => void) | undefined;
  /** Told once, by a call that had to wait, how many milliseconds it did, however the wait ended. */
  readonly onWaited?: ((waitedMs: number) => void) | undefined;
  /** The clock. Default `performance.now`. */
  readonly now?: Now | undefined;
  /** The sleep between two looks. Default a `setTimeout`. */
  readonly sleep?: Sleep | undefined;
}

const LOCK_OPTIONS: readonly (keyof InitLockOptions)[] = [
  'deadlineMs',
  'pollMs',
  'maxWaitMs',
  'isCached',
  'signal',
  'within',
  'anchor',
  'onWaited',
  'now',
  'sleep',
];

/**
 * Returns the cached value, or makes it under the lock.
 *
 * The init publishes the value itself, where `getCached` finds it: waiters look there, and are not
 * handed the owner's result. An init that fails frees the lock; its caller gets the error, and the next
 * waiter tries anew.
 *
 * ```ts
 * const lock = createInitLock();
 * let database: Database | undefined;
 *
 * const getDatabase = (): Promise<Database> =>
 *   initWithLock(lock, () => database, async (isCurrentClaim) => {
 *     const opened = await Database.open();
 *     if (isCurrentClaim()) return (database = opened);
 *     await opened.close();
 *     return getDatabase(); // Too slow: somebody else's is in place, or in the making.
 *   });
 * ```
 *
 * @throws SingleFlightError `ERR_INIT_LOCK_TIMED_OUT` after `maxWaitMs` of waiting; TypeError or
 * RangeError for a bad option; the signal's reason; whatever the init throws.
 */
export async function initWithLock<T>(
  lock: InitLock,
  getCached: () => T | null | undefined,
  init: Init<T>,
  options: InitLockOptions = {},
): Promise<T> {
  requireObject('initWithLock: lock', lock);
  requireFunction('initWithLock: getCached', getCached);
  requireFunction('initWithLock: init', init);
  requireObject('options', options);
  requireKnownOptions(options, LOCK_OPTIONS);
  const { isCached = () => isPresent(getCached()), signal, onWaited } = options;
  const { now = monotonicNow, sleep = sleepOnTimer } = options;
  const { deadlineMs, pollMs, maxWaitMs } = checkedDurations(options);

  const isClaimable = () => lock.ownerStartedAt === null || now() - lock.ownerStartedAt > deadlineMs;
  const waitStartedAt = now();
  let waitedMs = 0;
  // Each round sleeps before it reads the clock: some hosts let time advance only across I/O.
  while (!isCached() && !isClaimable() && !signal?.aborted && waitedMs <= maxWaitMs) {
    await sleep(pollMs, signal);
    waitedMs = now() - waitStartedAt;
  }

  // From here to the claim nothing awaits, so no two callers can both find the lock claimable.
  if (waitedMs > 0) onWaited?.(waitedMs);
  signal?.throwIfAborted();
  if (isCached()) return getCached() as T;
  if (!isClaimable()) {
    const message = `Timed out after ${waitedMs} ms of waiting for another caller's init (maxWaitMs: ${maxWaitMs})`;
    throw new SingleFlightError('ERR_INIT_LOCK_TIMED_OUT', message);
  }
  return runClaimed(lock, init, deadlineMs, now, options.anchor);
}

/**
 * Takes the lock from its owner, if it has one: the next caller runs its init at once, and what the old
 * owner still makes is stale. For a cache that is invalidated while it is being filled.
 */
export function revokeClaim(lock: InitLock): void {
  requireObject('revokeClaim: lock', lock);
  lock.generation++;
  lock.ownerStartedAt = null;
}

async function runClaimed<T>(
  lock: InitLock,
  init: Init<T>,
  deadlineMs: number,
  now: Now,
  anchor: InitLockOptions['anchor'],
): Promise<T> {
  lock.ownerStartedAt = now();
  const generation = ++lock.generation;
  const isCurrentClaim = () => lock.generation === generation;
  // Without this check, a slow owner's release would free its successor's claim, and let a third init in.
  const release = () => {
    if (isCurrentClaim()) lock.ownerStartedAt = null;
  };
  // The init begins one microtask late: by then it is anchored, and even its synchronous throw is swallowed there.
  const begin = () => Promise.resolve().then(() => init(isCurrentClaim, { deadlineMs }));
  const inFlight = guardInFlight({ release }, begin);
  // Should the anchor throw, its caller hears of it, and the init still runs to its end under the lock.
  anchor?.(inFlight.then(ignore, ignore));
  return inFlight;
}

/** @throws TypeError or RangeError for durations that no lock could be kept by. */
export function checkedDurations(
  options: InitLockOptions,
): Record<'deadlineMs' | 'pollMs' | 'maxWaitMs', number> {
  const { deadlineMs = LOCK_DEADLINE_MS, pollMs = LOCK_POLL_MS, within } = options;
  requirePositiveMs('deadlineMs', deadlineMs);
  requirePositiveMs('pollMs', pollMs);
  const { maxWaitMs = Math.min(deadlineMs + LOCK_HEADROOM_MS, LONGEST_TIMER_MS) } = options;
  requirePositiveMs('maxWaitMs', maxWaitMs);
  if (options.maxWaitMs !== undefined && maxWaitMs <= deadlineMs) {
    throw new RangeError(`maxWaitMs must exceed deadlineMs (${deadlineMs}), got ${maxWaitMs}`);
  }
  if (within !== undefined && deadlineMs >= within.deadlineMs) {
    throw new RangeError(
      `deadlineMs must be below the enclosing lock's (${within.deadlineMs}), got ${deadlineMs}`,
    );
  }
  return { deadlineMs, pollMs, maxWaitMs };
}

function isPresent(value: unknown): boolean {
  return value !== null && value !== undefined;
}

function ignore(): void {}
