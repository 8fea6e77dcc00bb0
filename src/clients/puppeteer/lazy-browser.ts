/**
 * A browser that is launched when it is first asked for, once however many ask, and anew when it is gone.
 * It stands on the init lock, so a launch that died with the request or job that ran it blocks nobody for
 * longer than its deadline. The invariant: at most one browser is handed out at a time, and one that was
 * launched too late to be is closed again.
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

/** A browser, with the members by which one is given up. */
export interface LaunchedBrowser extends BrowserLike {
  close(): PromiseLike<unknown>;
  disconnect?(): unknown;
  /** Null where the browser was connected to, not launched. */
  process?(): unknown;
  /** What `connected` was called once, and is in forks. */
  isConnected?(): boolean;
}

/** What a launch is told of itself; also the `within` of locks that it takes. */
export interface Launch extends InitClaim {
  /** Fires when the launch was given up for dead and another has begun. Puppeteer's `launch` takes one. */
  readonly signal: AbortSignal;
}

/** What `lazyBrowser` takes; what it shares with `attach` is for each browser. */
export interface LazyBrowserOptions<Browser = LaunchedBrowser>
  extends AttachOptions,
    Pick<InitLockOptions, 'deadlineMs' | 'pollMs' | 'maxWaitMs' | 'now' | 'sleep'> {
  /**
   * A launch that takes longer, in milliseconds, counts as dead, and whoever waits for it launches instead. Default 45,000:
   * Puppeteer itself gives up after 30,000.
   */
  readonly deadlineMs?: number | undefined;
  /**
   * Gives up a browser that was launched too late for anybody to use. By default a browser with a process
   * of its own is closed, and one that was connected to is disconnected from.
   */
  readonly discard?: ((browser: Browser) => unknown) | undefined;
}

/** About one caller: `signal` ends its waiting, and no launch; see `InitLockOptions` for the others. */
export type GetBrowserOptions = Pick<InitLockOptions, 'signal' | 'anchor' | 'onWaited' | 'within'>;

/** What has come of all calls so far. */
export interface LazyBrowserStats {
  /** Launches begun; more than one where a launch failed or was replaced, or a browser went away. */
  launches: number;
  /** Launches given up for dead, past their deadline, when another was begun. */
  replacedLaunches: number;
  /** Browsers given up because they came too late for anybody to use, or could not be attached to. */
  discardedBrowsers: number;
  /** Calls that wait for another's launch just now. */
  waiting: number;
  /** Calls that have had to wait for another's launch, those that wait included. */
  waited: number;
}

/** What `lazyBrowser` gives. */
export interface LazyBrowser<Browser> {
  /** The browser: launched, waited for, or there already. */
  (call?: GetBrowserOptions): Promise<Browser>;
  /** The counts as of now; a copy. */
  stats(): LazyBrowserStats;
}

/** Beside those of `attach`. */
const LAUNCH_OPTIONS = ['deadlineMs', 'pollMs', 'maxWaitMs', 'now', 'sleep', 'discard'];

/**
 * Gives a function that gives the browser, attached. The first call launches it, or connects to it; calls
 * made meanwhile wait for it; a call that finds it disconnected launches the next one. A launch that fails
 * rejects for its own caller only: the next in line tries again.
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
  resolveAttachOptions(attachOptions, LAUNCH_OPTIONS); // Now, rather than with the first browser.
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

  /** Undefined where the browser came too late. */
  const init = async (
    isCurrentClaim: () => boolean,
    claim: InitClaim,
    anchor: GetBrowserOptions['anchor'],
  ): Promise<Browser | undefined> => {
    launching?.abort(); // It has lost the lock: nobody will use what it still launches.
    if (launching !== undefined) stats.replacedLaunches++;
    stats.launches++;
    const own = new AbortController();
    launching = own;
    // Its caller does not wait for that; a host that might end the request meanwhile is to.
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
      return undefined; // Aborted, most likely: the launch that has replaced it is the one that counts.
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

  // Holds no slot: the guard only lets the caller go when its signal fires. A launch that it began goes on,
  // for the others.
  const getBrowser = (call: GetBrowserOptions = {}) =>
    guardInFlight({ signal: call.signal, release: nothing }, () => get(call));
  return Object.assign(getBrowser, { stats: () => ({ ...stats }) });
}

/** The sleep of one call, which sleeps for as long as it waits for another's launch, and never else. */
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

/** Resolves when `body` is over, however it ends. */
async function settled(body: () => unknown): Promise<void> {
  try {
    await body();
  } catch {
    // It was to be got rid of; if it is gone already, so much the better.
  }
}

function nothing(): void {}
