import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LazySlot, SingleFlightCache } from '../../src/single-flight/index.ts';
import { monotonicNow, sleepOnTimer } from '../../src/single-flight/time.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

test('the default sleep lasts as long as it was told', async () => {
  const awake = vi.fn();
  void sleepOnTimer(100).then(awake);
  await vi.advanceTimersByTimeAsync(99);
  expect(awake).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(awake).toHaveBeenCalledTimes(1);
});

test('the default sleep ends with its signal, and takes its timer along', async () => {
  const controller = new AbortController();
  const sleeping = sleepOnTimer(100, controller.signal);
  controller.abort();
  await sleeping;
  expect(vi.getTimerCount()).toBe(0);
});

test('the default sleep does not begin where its signal has fired', async () => {
  await sleepOnTimer(100, AbortSignal.abort());
});

test('the default sleep leaves no listener on a signal that outlives it', async () => {
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, 'addEventListener');
  const removed = vi.spyOn(signal, 'removeEventListener');
  const sleeping = sleepOnTimer(100, signal);
  await vi.advanceTimersByTimeAsync(100);
  await sleeping;
  expect(removed.mock.calls[0]?.[1]).toBe(added.mock.calls[0]?.[1]);
});

test('the default clock does not follow the wall clock back', () => {
  const before = monotonicNow();
  vi.setSystemTime(0);
  expect(monotonicNow()).toBeGreaterThanOrEqual(before);
});

test('with nothing injected, a cache times its fetch out and clears its timer after one that was quick', async () => {
  const hung = new SingleFlightCache(() => new Promise<string>(() => {}));
  const call = hung.get();
  call.catch(() => {});
  await vi.advanceTimersByTimeAsync(10_000);
  await expect(call).rejects.toMatchObject({ code: 'ERR_FETCH_TIMED_OUT' });

  const quick = new SingleFlightCache(() => 'value');
  expect(await quick.get()).toBe('value');
});

test('with nothing injected, a waiter polls and a slot expires', async () => {
  const slow = new SingleFlightCache(() => sleepOnTimer(120).then(() => 'value'));
  const calls = Promise.all([slow.get(), slow.get()]);
  await vi.advanceTimersByTimeAsync(150);
  expect(await calls).toEqual(['value', 'value']);

  const fetcher = vi.fn(() => ({ value: 'value', expiresInMs: 1_000 }));
  const slot = new LazySlot(fetcher);
  await slot.get();
  await vi.advanceTimersByTimeAsync(1_000);
  await slot.get();
  expect(fetcher).toHaveBeenCalledTimes(2);
});
