// Tests of single modules stop and move the time by fake timers, which the library's own are out of reach of. So the
// modules of `src` get timers that look the globals up with each call. What is built keeps its own:
// test/process/fake-timers.test.ts runs that.
import { vi } from 'vitest';

vi.mock(import('../../src/timers.ts'), async (importActual) => ({
  ...(await importActual()),
  setTimeout: ((...given: Parameters<typeof setTimeout>) =>
    globalThis.setTimeout(...given)) as typeof setTimeout,
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
  setInterval: ((...given: Parameters<typeof setInterval>) =>
    globalThis.setInterval(...given)) as typeof setInterval,
  clearInterval: (timer) => globalThis.clearInterval(timer),
  setImmediate: (callback) => globalThis.setImmediate(callback),
  queueMicrotask: (callback) => globalThis.queueMicrotask(callback),
  nextTick: (callback, ...given) => process.nextTick(callback, ...given),
  monotonicNow: () => globalThis.performance.now(),
}));
