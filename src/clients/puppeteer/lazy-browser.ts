/**
 * A browser that is launched when it is first asked for, once however many ask, and again when it is gone. It uses the init
 * lock, so a launch that died with the request or job that ran it blocks others no longer than its deadline. Invariant: at
 * most one browser is handed out at a time, and one that was launched too late is closed.
 */

import { type AttachOptions, resolveAttachOptions } from '../../handles/attach-options.ts';
import { LAUNCH_DEADLINE_MS } from '../../policy.ts';
import { requireFunction, requireObject, show } from '../../runtime/option-checks.ts';
import { guardInFlight } from '../../single-flight/in-flight-guard.ts';
import {
  checkedDurations,
  createInitLock,
  type InitClaim,
  type InitLockOptions,
  initWithLock,
} from '../../single-flight/init-lock.ts';
import { type Sleep, sleepOnTimer } from '../../single-flight/time.ts';
import { attach, isAttachable } from './attach.ts';
import { type BrowserLike, isBrowser } from './structure.ts';

/** A browser, with the members by which it is closed. */
export interface LaunchedBrowser extends BrowserLike {
  close(): PromiseLike<unknown>;
  disconnect?(): unknown;
  /** Null where the browser was connected to, not launched. */
  process?(): unknown;
  /** The former name of `connected`, which forks still have. */
  isConnected?(): boolean;
}

/** What a launch gets; also the `within` of locks that it takes. */
export interface Launch extends InitClaim {
  /** Fires when the launch was given up for dead and another has begun. Puppeteer's `launch` takes one. */
  readonly signal: AbortSignal;
}

/** Options of `lazyBrowser`; those that it shares with `attach` apply to each browser. */
export interface LazyBrowserOptions<Browser = LaunchedBrowser>
  extends AttachOptions,
    Pick<InitLockOptions, 'deadlineMs' | 'pollMs' | 'maxWaitMs' | 'now' | 'sleep'> {
  /**
   * A launch that takes longer, in milliseconds, counts as dead, and the next waiter launches instead. Default 45,000:
   * Puppeteer itself gives up after 30,000.
   */
  readonly deadlineMs?: number | undefined;
  /**
   * Ends a browser that was launched too late for anybody to use. By default a browser with a process of its own is closed,
   * and one that was connected to is disconnected.
   */
  readonly discard?: ((browser: Browser) => unknown) | undefined;
}

/** Options of one caller: `signal` ends its waiting, but no launch; see `InitLockOptions` for the others. */
export type GetBrowserOptions = Pick<InitLockOptions, 'signal' | 'anchor' | 'onWaited' | 'within'>;

/** The counts of all calls so far. */
export interface LazyBrowserStats {
  /** Launches begun; more than one where a launch failed or was replaced, or a browser went away. */
  launches: number;
  /** Launches given up for dead, past their deadline, when another was begun. */
  replacedLaunches: number;
  /** Browsers that were ended because they came too late for anybody to use, or could not be attached to. */
  discardedBrowsers: number;
  /** Calls that wait for another's launch at the moment. */
  waiting: number;
  /** Calls that had to wait for another's launch, including those that still wait. */
  waited: number;
}

/** The function that `lazyBrowser` returns. */
export interface LazyBrowser<Browser> {
  /** The browser: launched, awaited, or there already. */
  (call?: GetBrowserOptions): Promise<Browser>;
  /** The counts as of now; a copy. */
  stats(): LazyBrowserStats;
}

/** Beside those of `attach`. */
const LAUNCH_OPTIONS = ['deadlineMs', 'pollMs', 'maxWaitMs', 'now', 'sleep', 'discard'];

/**
 * Returns a function that returns the browser, attached. The first call launches it, or connects to it; calls made
 * meanwhile wait; a call that finds it disconnected launches the next one. A launch that fails rejects for its own caller
 * only: the next waiter tries again.
 *
 * @example
 * ```ts
 * const getBrowser = lazyBrowser(({ signal }) => puppeteer.launch({ signal }));
 *
 * // In each job, or each request of a serverless handler:
 * const browser = await getBrowser({ signal: job.signal });
 * const browser = await getBrowser({ anchor: (launching) => ctx.waitUntil(launching) });
 * ```
 * @throws TypeError or RangeError for a bad option, at once; the returned function rejects with what
 * `launch` or `attach` throws, with `ERR_INIT_LOCK_TIMED_OUT` after `maxWaitMs` of waiting, and with the
 * reason of the caller's signal.
 */
export function lazyBrowser<Browser extends LaunchedBrowser>(
  launch: (launch: Launch) => Browser | PromiseLike<Browser>,
  options: LazyBrowserOptions<Browser> = {},
): LazyBrowser<Browser> {
  requireFunction('launch', launch);
  requireObject('options', options);
  const {
    deadlineMs = LAUNCH_DEADLINE_MS,
    pollMs,
    maxWaitMs,
    discard = giveUp,
    now,
    sleep = sleepOnTimer,
    ...attachOptions
  } = options;
  resolveAttachOptions(attachOptions, LAUNCH_OPTIONS); // Now, and not with the first browser.
  requireFunction('discard', discard);
  const stats: LazyBrowserStats = {
    launches: 0,
    replacedLaunches: 0,
    discardedBrowsers: 0,
    waiting: 0,
    waited: 0,
  };

  const lock = createInitLock();
  let current: Browser | undefined;
  let launching: AbortController | undefined;
  const connected = () => (current !== undefined && isConnected(current) ? current : undefined);

  /** `undefined` where the browser came too late. */
  const init = async (
    isCurrentClaim: () => boolean,
    claim: InitClaim,
    anchor: GetBrowserOptions['anchor'],
  ): Promise<Browser | undefined> => {
    launching?.abort(); // It has lost the lock: nobody will use the browser that it may still launch.
    if (launching !== undefined) stats.replacedLaunches++;
    stats.launches++;
    const own = new AbortController();
    launching = own;
    // Its caller does not wait for that. A host that might end the request meanwhile does.
    const drop = (browser: Browser) => {
      stats.discardedBrowsers++;
      const dropped = settled(() => discard(browser));
      anchor?.(dropped);
    };
    try {
      const browser = requireBrowser(await launch({ ...claim, signal: own.signal }));
      if (!isCurrentClaim()) {
        drop(browser);
        return undefined;
      }
      try {
        if (isAttachable(browser)) attach(browser, attachOptions);
      } catch (error) {
        drop(browser);
        throw error;
      }
      current = browser;
      return browser;
    } catch (error) {
      if (isCurrentClaim()) throw error;
      return undefined; // Aborted, most likely: the launch that has replaced it counts.
    } finally {
      if (launching === own) launching = undefined;
    }
  };

  const durations = checkedDurations({ deadlineMs, pollMs, maxWaitMs });
  const get = async (call: GetBrowserOptions): Promise<Browser> => {
    const timing: InitLockOptions = { ...durations, now, sleep: countWaits(sleep, stats) };
    for (;;) {
      const browser = await initWithLock<Browser | undefined>(
        lock,
        connected,
        (isCurrentClaim, claim) => init(isCurrentClaim, claim, call.anchor),
        { ...call, ...timing },
      );
      if (browser !== undefined) return browser;
    }
  };

  // The guard only lets the caller go when its signal fires. A launch that it began goes on, for the others.
  const getBrowser = (call: GetBrowserOptions = {}) =>
    guardInFlight({ signal: call.signal, release: nothing }, () => get(call));
  return Object.assign(getBrowser, { stats: () => ({ ...stats }) });
}

/** The sleep of one call. A call sleeps only while it waits for another's launch. */
function countWaits(sleep: Sleep, stats: LazyBrowserStats): Sleep {
  let hasWaited = false;
  return async (ms, signal) => {
    if (!hasWaited) stats.waited++;
    hasWaited = true;
    stats.waiting++;
    try {
      await sleep(ms, signal);
    } finally {
      stats.waiting--;
    }
  };
}

function requireBrowser<Browser>(launched: Browser): Browser {
  if (isBrowser(launched)) return launched;
  throw new TypeError(`launch must give a Puppeteer Browser, got ${show(launched)}`);
}

function isConnected(browser: LaunchedBrowser): boolean {
  return browser.connected ?? browser.isConnected?.() ?? true;
}

function giveUp(browser: LaunchedBrowser): unknown {
  const isOwn = browser.disconnect === undefined || Boolean(browser.process?.());
  return isOwn ? browser.close() : browser.disconnect?.();
}

/** Resolves when `body` has ended, with a value or an error. */
async function settled(body: () => unknown): Promise<void> {
  try {
    await body();
  } catch {
    // The browser was to be ended. If it is gone already, that is fine.
  }
}

function nothing(): void {}
