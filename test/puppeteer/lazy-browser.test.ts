import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type Launch,
  type LaunchedBrowser,
  type LazyBrowser,
  type LazyBrowserOptions,
  lazyBrowser,
} from '../../src/clients/puppeteer/index.ts';
import type { TargetLike } from '../../src/clients/puppeteer/structure.ts';
import { deferred } from '../support/deferred.ts';
import { quiescence, VirtualClock } from '../support/virtual-clock.ts';

/** A browser of which only the life counts; being one of WebDriver BiDi's, it is not attached to. */
class FakeBrowser implements LaunchedBrowser {
  readonly protocol = 'webDriverBiDi';
  readonly name: string;
  connected = true;
  close = vi.fn(async () => {
    this.connected = false;
  });
  disconnect = vi.fn(async () => {
    this.connected = false;
  });
  readonly #process: object | null;

  constructor(name: string, process: object | null = {}) {
    this.name = name;
    this.#process = process;
  }

  process(): object | null {
    return this.#process;
  }

  target(): TargetLike {
    throw new Error('Not to be asked for');
  }

  targets(): TargetLike[] {
    return [];
  }

  browserContexts(): [] {
    return [];
  }

  async newPage(): Promise<void> {}
  on(): void {}
  off(): void {}
}

type Launcher = (launch: Launch) => FakeBrowser | PromiseLike<FakeBrowser>;

let clock: VirtualClock;
beforeEach(() => {
  clock = new VirtualClock();
});
afterEach(() => {
  expect(clock.sleeperCount).toBe(0);
});

/** Each launch is the next of these launchers'. */
function lazy(
  launchers: readonly Launcher[],
  options: LazyBrowserOptions<FakeBrowser> = {},
): LazyBrowser<FakeBrowser> {
  let launches = 0;
  const launch: Launcher = (own) => {
    const launcher = launchers[launches++];
    if (launcher === undefined) throw new Error('This launch was not to be');
    return launcher(own);
  };
  const { now, sleep } = clock;
  return lazyBrowser(launch, { deadlineMs: 1_000, pollMs: 10, now, sleep, ...options });
}

function takes(ms: number, browser: FakeBrowser): Launcher {
  return async () => {
    await clock.sleep(ms);
    return browser;
  };
}

const dead: Launcher = () => new Promise(() => {});

describe('one launch for all', () => {
  test('nothing is launched before the first call', async () => {
    const launch = vi.fn(takes(0, new FakeBrowser('first')));
    lazy([launch]);
    await clock.drain();
    expect(launch).not.toHaveBeenCalled();
  });

  test('the first caller launches, the others wait, and all get the one browser', async () => {
    const browser = new FakeBrowser('first');
    const getBrowser = lazy([takes(300, browser)]);
    const calls = Array.from({ length: 20 }, () => getBrowser());
    await clock.drain();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([browser]));
    expect(await getBrowser()).toBe(browser);
  });

  test('a launch that fails rejects for its own caller, and the next in line tries again', async () => {
    const browser = new FakeBrowser('second');
    const error = new Error('No such executable');
    const getBrowser = lazy([() => Promise.reject(error), takes(10, browser)]);
    const first = getBrowser();
    first.catch(() => {});
    const second = getBrowser();
    await clock.drain();
    await expect(first).rejects.toBe(error);
    expect(await second).toBe(browser);
  });

  test('a launch that throws within its call is a rejection', async () => {
    const getBrowser = lazy([
      () => {
        throw new Error('At once');
      },
    ]);
    await expect(getBrowser()).rejects.toThrow('At once');
  });

  test('a browser that disconnects is launched anew at the next call, once for all', async () => {
    const [first, second] = [new FakeBrowser('first'), new FakeBrowser('second')];
    const getBrowser = lazy([() => first, takes(100, second)]);
    expect(await getBrowser()).toBe(first);
    first.connected = false;
    const calls = [getBrowser(), getBrowser(), getBrowser()];
    await clock.drain();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([second]));
  });

  test('a fork without `connected` is asked isConnected()', async () => {
    const first: FakeBrowser & { isConnected?: () => boolean } = new FakeBrowser('first');
    Object.defineProperty(first, 'connected', { value: undefined });
    let isConnected = true;
    first.isConnected = () => isConnected;
    const getBrowser = lazy([() => first, () => new FakeBrowser('second')]);
    expect(await getBrowser()).toBe(first);
    expect(await getBrowser()).toBe(first);
    isConnected = false;
    expect((await getBrowser()).name).toBe('second');
  });
});

describe('a launcher that died or hangs', () => {
  test('is replaced past its deadline, and its signal fires', async () => {
    const browser = new FakeBrowser('second');
    let signal: AbortSignal | undefined;
    const hanging: Launcher = (launch) => {
      signal = launch.signal;
      return dead(launch);
    };
    const getBrowser = lazy([hanging, takes(100, browser)]);
    void getBrowser();
    const waiter = getBrowser();
    await clock.advance(1_000);
    expect(signal?.aborted).toBe(false);
    await clock.drain();
    expect(await waiter).toBe(browser);
    expect(signal?.aborted).toBe(true);
  });

  test('the signal of a launch that has ended never fires', async () => {
    const signals: AbortSignal[] = [];
    const noting: Launcher = ({ signal }) => {
      signals.push(signal);
      return new FakeBrowser('any');
    };
    const getBrowser = lazy([noting, noting]);
    (await getBrowser()).connected = false;
    await getBrowser();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
  });

  test('a slow loser closes the browser that nobody will use, and its caller gets the other', async () => {
    const [late, current] = [new FakeBrowser('late'), new FakeBrowser('current')];
    const getBrowser = lazy([takes(1_500, late), takes(200, current)]);
    const calls = [getBrowser(), getBrowser(), getBrowser()];
    await clock.drain();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([current]));
    expect(late.close).toHaveBeenCalledTimes(1);
    expect(current.close).not.toHaveBeenCalled();
  });

  test('a slow loser that ends first waits for the launch that replaced it', async () => {
    const [late, current] = [new FakeBrowser('late'), new FakeBrowser('current')];
    const getBrowser = lazy([takes(1_100, late), takes(500, current)]);
    const calls = [getBrowser(), getBrowser()];
    await clock.drain();
    expect(new Set(await Promise.all(calls))).toEqual(new Set([current]));
    expect(late.connected).toBe(false);
  });

  test('a slow launch that nobody replaced is used', async () => {
    const late = new FakeBrowser('late');
    const getBrowser = lazy([takes(1_500, late)]);
    const call = getBrowser();
    await clock.drain();
    expect(await call).toBe(late);
    expect(await getBrowser()).toBe(late);
    expect(late.close).not.toHaveBeenCalled();
  });

  test('a loser that fails, as aborted launches do, is no failure of its caller', async () => {
    const current = new FakeBrowser('current');
    const aborted: Launcher = ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const getBrowser = lazy([aborted, takes(100, current)]);
    const calls = [getBrowser(), getBrowser()];
    await clock.drain();
    expect(await Promise.all(calls)).toEqual([current, current]);
  });

  test('a loser that was connected to, not launched, is disconnected from', async () => {
    const late = new FakeBrowser('late', null);
    const getBrowser = lazy([takes(1_500, late), () => new FakeBrowser('current')]);
    const calls = [getBrowser(), getBrowser()];
    await clock.drain();
    await Promise.all(calls);
    expect(late.disconnect).toHaveBeenCalledTimes(1);
    expect(late.close).not.toHaveBeenCalled();
  });

  test('`discard` decides otherwise, and may fail or hang', async () => {
    const late = new FakeBrowser('late');
    const fails = vi.fn(() => Promise.reject(new Error('Gone already')));
    const hangs = vi.fn(() => new Promise(() => {}));
    for (const discard of [fails, hangs]) {
      const getBrowser = lazy([takes(1_500, late), () => new FakeBrowser('current')], { discard });
      const calls = [getBrowser(), getBrowser()];
      await clock.drain();
      expect((await Promise.all(calls)).map(({ name }) => name)).toEqual(['current', 'current']);
      expect(discard.mock.calls).toEqual([[late]]);
    }
    expect(late.close).not.toHaveBeenCalled();
  });

  test('past maxWaitMs a waiter fails', async () => {
    const getBrowser = lazy([dead, dead], { maxWaitMs: 1_500 });
    void getBrowser();
    void getBrowser();
    const last = getBrowser();
    last.catch(() => {});
    await clock.drain();
    await expect(last).rejects.toMatchObject({ code: 'ERR_INIT_LOCK_TIMED_OUT' });
  });
});

describe('one caller', () => {
  test('that waits goes when its signal fires', async () => {
    const browser = new FakeBrowser('first');
    const getBrowser = lazy([takes(300, browser)]);
    const controller = new AbortController();
    const owner = getBrowser();
    const waiter = getBrowser({ signal: controller.signal });
    waiter.catch(() => {});
    await clock.advance(5);
    controller.abort(new Error('Job cancelled'));
    await expect(waiter).rejects.toThrow('Job cancelled');
    await clock.drain();
    expect(await owner).toBe(browser);
  });

  test('that launches goes as well, and the launch goes on for the others', async () => {
    const browser = new FakeBrowser('first');
    const getBrowser = lazy([takes(300, browser)]);
    const controller = new AbortController();
    const owner = getBrowser({ signal: controller.signal });
    owner.catch(() => {});
    const waiter = getBrowser();
    await clock.advance(100);
    controller.abort(new Error('Job cancelled'));
    await expect(owner).rejects.toThrow('Job cancelled');
    await clock.drain();
    expect(await waiter).toBe(browser);
  });

  test('whose signal has fired already launches nothing', async () => {
    const getBrowser = lazy([]);
    const signal = AbortSignal.abort(new Error('Too late'));
    await expect(getBrowser({ signal })).rejects.toThrow('Too late');
  });

  test('anchors its launch, whose failure is swallowed there', async () => {
    const launch = deferred<FakeBrowser>();
    const anchor = vi.fn<(launching: Promise<void>) => void>();
    const call = lazy([() => launch.promise])({ anchor });
    call.catch(() => {});
    await quiescence();
    expect(anchor).toHaveBeenCalledTimes(1);
    launch.reject(new Error('No such luck'));
    expect(await anchor.mock.calls[0]?.[0]).toBeUndefined();
    await expect(call).rejects.toThrow('No such luck');
  });

  test('that lost anchors the end of its browser too', async () => {
    const late = new FakeBrowser('late');
    const closed = deferred<void>();
    late.close.mockReturnValue(closed.promise);
    const anchor = vi.fn<(ending: Promise<void>) => void>();
    const getBrowser = lazy([takes(1_500, late), () => new FakeBrowser('current')]);
    const calls = [getBrowser({ anchor }), getBrowser()];
    await clock.drain();
    await Promise.all(calls);
    expect(anchor).toHaveBeenCalledTimes(2);
    let isOver = false;
    void anchor.mock.calls[1]?.[0].then(() => {
      isOver = true;
    });
    await quiescence();
    expect(isOver).toBe(false);
    closed.resolve();
    await quiescence();
    expect(isOver).toBe(true);
  });

  test('inside another lock is held to its deadline', async () => {
    const browser = new FakeBrowser('first');
    const getBrowser = lazy([() => browser]);
    await expect(getBrowser({ within: { deadlineMs: 1_000 } })).rejects.toThrow(
      "deadlineMs must be below the enclosing lock's (1000), got 1000",
    );
    expect(await getBrowser({ within: { deadlineMs: 1_001 } })).toBe(browser);
  });
});

describe('stats() counts', () => {
  const nothingYet = { launches: 0, replacedLaunches: 0, discardedBrowsers: 0, waiting: 0, waited: 0 };

  test('nothing before the first call, and no wait of the call that launches', async () => {
    const getBrowser = lazy([takes(300, new FakeBrowser('first'))]);
    expect(getBrowser.stats()).toEqual(nothingYet);
    const call = getBrowser();
    await clock.advance(100);
    expect(getBrowser.stats()).toEqual({ ...nothingYet, launches: 1 });
    await clock.drain();
    await call;
    await getBrowser();
    expect(getBrowser.stats()).toEqual({ ...nothingYet, launches: 1 });
  });

  test('those who wait, while they do and after', async () => {
    const controller = new AbortController();
    const getBrowser = lazy([takes(300, new FakeBrowser('first'))]);
    const calls = [getBrowser(), getBrowser(), getBrowser({ signal: controller.signal })];
    await clock.advance(100);
    expect(getBrowser.stats()).toMatchObject({ waiting: 2, waited: 2 });
    controller.abort();
    await expect(calls[2]).rejects.toBeDefined();
    await quiescence();
    expect(getBrowser.stats()).toMatchObject({ waiting: 1, waited: 2 });
    await clock.drain();
    await Promise.all(calls.slice(0, 2));
    expect(getBrowser.stats()).toEqual({ ...nothingYet, launches: 1, waited: 2 });
  });

  test('a launch that hung as replaced, and the browser of one that was only slow as discarded', async () => {
    const current = new FakeBrowser('current');
    const getBrowser = lazy([dead, takes(1_500, new FakeBrowser('late')), takes(200, current)]);
    void getBrowser();
    const calls = [getBrowser(), getBrowser()];
    await clock.drain();
    expect(await Promise.all(calls)).toEqual([current, current]);
    expect(getBrowser.stats()).toMatchObject({
      launches: 3,
      replacedLaunches: 2,
      discardedBrowsers: 1,
      waiting: 0,
    });
  });

  test('a launch that failed, or a browser that went away, as one launch more and no replaced one', async () => {
    const first = new FakeBrowser('first');
    const getBrowser = lazy([
      () => Promise.reject(new Error('No such executable')),
      () => first,
      () => new FakeBrowser('second'),
    ]);
    await expect(getBrowser()).rejects.toThrow('No such executable');
    await getBrowser();
    first.connected = false;
    await getBrowser();
    expect(getBrowser.stats()).toEqual({ ...nothingYet, launches: 3 });
  });

  test('in a copy', async () => {
    const getBrowser = lazy([]);
    getBrowser.stats().launches = 7;
    expect(getBrowser.stats()).toEqual(nothingYet);
  });
});

describe('what cannot be right', () => {
  const launch = () => new FakeBrowser('any');

  test.each<[unknown, LazyBrowserOptions<FakeBrowser>, string]>([
    ['puppeteer', {}, "launch must be a function, got 'puppeteer'"],
    [launch, { discard: true as never }, 'discard must be a function, got true'],
    [launch, { deadlineMs: 0 }, 'deadlineMs must be a number of milliseconds above 0'],
    [launch, { pollMs: '50' as never }, 'pollMs must be a number of milliseconds above 0'],
    [launch, { deadlineMs: 10, maxWaitMs: 10 }, 'maxWaitMs must exceed deadlineMs (10), got 10'],
    [launch, { maxWaitMs: 45_000 }, 'maxWaitMs must exceed deadlineMs (45000), got 45000'],
    [launch, { maxBatchSize: 0 }, 'maxBatchSize must be a whole number from 1 to 1024, got 0'],
  ])('is refused at once: %s, %o', (bad, options, message) => {
    expect(() => lazyBrowser(bad as typeof launch, options)).toThrow(message);
  });

  test('a launch that gives no browser rejects, and leaves the lock free', async () => {
    const browser = new FakeBrowser('second');
    const getBrowser = lazy([() => ({}) as FakeBrowser, () => browser]);
    await expect(getBrowser()).rejects.toThrow('launch must give a Puppeteer Browser, got an object');
    expect(await getBrowser()).toBe(browser);
  });

  test('a browser that cannot be attached to is given up', async () => {
    const unattachable = new FakeBrowser('first');
    Object.defineProperty(unattachable, 'protocol', { value: 'cdp' });
    unattachable.connected = false;
    await expect(lazy([() => unattachable])()).rejects.toThrow('attach: this Browser is closed.');
    await quiescence();
    expect(unattachable.close).toHaveBeenCalledTimes(1);
  });
});
