import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createInitLock,
  initWithLock,
  SingleFlightCache,
  type SingleFlightCacheOptions,
} from '../../src/single-flight/index.ts';
import { deferred } from '../support/deferred.ts';
import { quiescence, VirtualClock } from '../support/virtual-clock.ts';

let clock: VirtualClock;
let timing: SingleFlightCacheOptions;
beforeEach(() => {
  clock = new VirtualClock();
  timing = { now: clock.now, sleep: clock.sleep };
});
afterEach(() => {
  expect(clock.sleeperCount).toBe(0);
});

test('one fetch serves all who ask while it runs and after', async () => {
  const fetch = vi.fn(() => clock.sleep(100).then(() => 'value'));
  const cache = new SingleFlightCache(fetch, timing);
  const calls = [cache.get(), cache.get(), cache.get()];
  await clock.drain();
  expect(await Promise.all([...calls, cache.get()])).toEqual(Array(4).fill('value'));
  expect(fetch).toHaveBeenCalledTimes(1);
});

test.each([undefined, null, 0, ''])('%o counts as cached', async (value) => {
  const fetch = vi.fn(() => value);
  const cache = new SingleFlightCache(fetch, timing);
  await cache.get();
  expect(await cache.get()).toBe(value);
  expect(fetch).toHaveBeenCalledTimes(1);
});

test('a failed fetch rejects for the caller that ran it, and the next in line fetches again', async () => {
  const fetch = vi.fn(async () => {
    await clock.sleep(10);
    if (fetch.mock.calls.length === 1) throw new Error('Failed');
    return 'value';
  });
  const cache = new SingleFlightCache<string>(fetch, timing);
  const [first, second] = [cache.get(), cache.get()];
  first.catch(() => {});
  await clock.drain();
  await expect(first).rejects.toThrow('Failed');
  expect(await second).toBe('value');
});

describe('invalidation', () => {
  test('refetches', async () => {
    let version = 0;
    const cache = new SingleFlightCache(() => ++version, timing);
    expect([await cache.get(), await cache.get()]).toEqual([1, 1]);
    cache.invalidate();
    expect([await cache.get(), await cache.get()]).toEqual([2, 2]);
  });

  test('frees the lock: what was being fetched is neither waited for nor kept', async () => {
    const fetches = [deferred<string>(), deferred<string>()];
    const fetch = vi.fn(() => fetches[fetch.mock.calls.length - 1]?.promise ?? 'unexpected');
    const cache = new SingleFlightCache<string>(fetch, timing);
    const before = cache.get();
    await quiescence();
    cache.invalidate();
    const after = cache.get();
    await quiescence();
    expect(fetch).toHaveBeenCalledTimes(2);

    fetches[1]?.resolve('new');
    expect(await after).toBe('new');
    fetches[0]?.resolve('old');
    expect(await before).toBe('old');
    expect(await cache.get()).toBe('new');
  });

  test('of a cache that is empty does nothing', async () => {
    const cache = new SingleFlightCache(() => 'value', timing);
    cache.invalidate();
    expect(await cache.get()).toBe('value');
  });
});

describe('time', () => {
  test('a fetch that is too slow fails, its signal fires, and the next caller fetches at once', async () => {
    const signals: AbortSignal[] = [];
    const fetch = (signal: AbortSignal) => {
      signals.push(signal);
      return signals.length === 1 ? new Promise<string>(() => {}) : 'value';
    };
    const cache = new SingleFlightCache(fetch, { ...timing, timeoutMs: 2_000, pollMs: 10 });
    const first = cache.get();
    first.catch(() => {});
    const second = cache.get();
    await clock.advance(1_999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await clock.advance(11);
    await expect(first).rejects.toMatchObject({
      code: 'ERR_FETCH_TIMED_OUT',
      message: 'Timed out after 2000 ms of fetching (timeoutMs)',
    });
    expect(await second).toBe('value');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  });

  test('the deadline is kept above the timeout: a fetch that takes all its time is never doubled', async () => {
    for (const timeoutMs of [1, 10_000, 60_000]) {
      const fetch = vi.fn(() => clock.sleep(timeoutMs - 0.5).then(() => 'value'));
      const cache = new SingleFlightCache(fetch, { ...timing, timeoutMs });
      const calls = [cache.get(), cache.get()];
      await clock.drain();
      expect(await Promise.all(calls)).toEqual(['value', 'value']);
      expect(fetch).toHaveBeenCalledTimes(1);
    }
  });

  test('an owner whose very timer died is replaced 5 s after its timeout', async () => {
    // What a host leaves of a request that it drops: no timer, no continuation.
    let isDropped = true;
    const sleep: typeof clock.sleep = (ms, signal) =>
      isDropped && ms === 2_000 ? new Promise(() => {}) : clock.sleep(ms, signal);
    const fetch = vi.fn(() => (isDropped ? new Promise<string>(() => {}) : 'value'));
    const cache = new SingleFlightCache<string>(fetch, { now: clock.now, sleep, timeoutMs: 2_000 });
    void cache.get();
    await quiescence();
    isDropped = false;
    const waiter = cache.get();
    await clock.advance(7_000);
    expect(fetch).toHaveBeenCalledTimes(1);
    await clock.drain();
    expect(await waiter).toBe('value');
  });

  test('the signal of a fetch that is over does not fire', async () => {
    const signals: AbortSignal[] = [];
    const cache = new SingleFlightCache((signal) => signals.push(signal), timing);
    await cache.get();
    await clock.drain();
    await quiescence();
    expect(signals[0]?.aborted).toBe(false);
  });

  test('a caller may leave the queue, and is told how long it stood there', async () => {
    const cache = new SingleFlightCache(() => clock.sleep(100).then(() => 'value'), timing);
    const controller = new AbortController();
    const onWaited = vi.fn();
    const owner = cache.get();
    const waiter = cache.get({ signal: controller.signal, onWaited });
    waiter.catch(() => {});
    await clock.advance(30);
    controller.abort(new Error('Enough'));
    await expect(waiter).rejects.toThrow('Enough');
    expect(onWaited.mock.calls).toEqual([[30]]);
    await clock.drain();
    expect(await owner).toBe('value');
  });

  test('inside another lock its deadline counts: the timeout and 5 s', async () => {
    const { now, sleep } = clock;
    const cache = new SingleFlightCache(() => 'value', { ...timing, timeoutMs: 1_000 });
    const getInside = (deadlineMs: number) =>
      initWithLock<string>(
        createInitLock(),
        () => undefined,
        (_, within) => cache.get({ within }),
        { deadlineMs, now, sleep },
      );
    expect(await getInside(6_001)).toBe('value');
    await expect(getInside(6_000)).rejects.toThrow(
      "deadlineMs must be below the enclosing lock's (6000), got 6000",
    );
  });
});

test.each(['timeoutMs', 'pollMs'])('a %s that is not positive is refused', (name) => {
  for (const bad of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => new SingleFlightCache(() => 'value', { [name]: bad })).toThrow(
      new RangeError(`${name} must be a number of milliseconds above 0 and at most 2147483647, got ${bad}`),
    );
  }
  expect(() => new SingleFlightCache(() => 'value', { [name]: '1' })).toThrow(TypeError);
});
