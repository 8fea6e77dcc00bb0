/** What one `release` costs the caller: no browser, a session that answers at once, and only the calls are timed. */
import { setImmediate as macrotask } from 'node:timers/promises';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { monotonicNow } from '../../src/timers.ts';
import type { Sample } from '../sampling/sample.ts';
import { Stopwatch } from '../sampling/stopwatch.ts';

const BURST = 8_192;

export async function enqueueInBursts(count: number): Promise<Sample> {
  const batcher = new ReleaseBatcher();
  const session = { send: () => Promise.resolve({}) };
  const ids = Array.from({ length: BURST }, (_, index) => `1.1.${index}`);
  const watch = new Stopwatch();
  const bursts: number[] = [];
  watch.start();
  for (let done = 0; done < count; done += BURST) {
    const startedAt = monotonicNow();
    for (const id of ids) batcher.release(session, id);
    bursts.push(monotonicNow() - startedAt);
    await batcher.flush();
    await macrotask();
  }
  const timing = watch.stop();
  await batcher.close();
  bursts.sort((a, b) => a - b);
  // The median burst: what the collector does to one of them is its affair.
  const elapsedMs = bursts[bursts.length >> 1] ?? Number.NaN;
  return { ...timing, elapsedMs, handles: BURST, commands: batcher.stats().commands, mustLetGo: false };
}

/** The same as the first work of a process: what a release costs before V8 has compiled any of it. */
export async function enqueueCold(count: number): Promise<Sample> {
  const ids = Array.from({ length: count }, (_, index) => `-8325492859038457.1.${index}`);
  const session = { send: () => Promise.resolve({}) };
  const watch = new Stopwatch();
  watch.start();
  const batcher = new ReleaseBatcher();
  for (const id of ids) batcher.release(session, id);
  const timing = watch.stop();
  await batcher.close();
  return { ...timing, handles: count, commands: batcher.stats().commands, mustLetGo: false };
}
