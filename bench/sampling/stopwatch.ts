/** Measures a stretch of work in this process: wall time, CPU time, and how long the event loop was held up. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { monotonicNow } from '../../src/timers.ts';
import type { Sample } from './sample.ts';

export type Timing = Required<
  Pick<Sample, 'elapsedMs' | 'cpuMicroseconds' | 'eventLoopDelayMs' | 'rssBytes'>
>;

/** The loop is probed by a timer of this many milliseconds, which is in each delay that it tells. */
const PROBE_MS = 1;

export class Stopwatch {
  readonly #delays: IntervalHistogram = monitorEventLoopDelay({ resolution: PROBE_MS });
  #cpu: NodeJS.CpuUsage = process.cpuUsage();
  #startedAt: number = monotonicNow();

  /** Begins, or begins anew. */
  start(): void {
    this.#delays.enable();
    this.#delays.reset();
    this.#cpu = process.cpuUsage();
    this.#startedAt = monotonicNow();
  }

  /** @param at when it was over, where that was noticed later; CPU time runs until now. */
  stop(at: number = monotonicNow()): Timing {
    const elapsedMs = at - this.#startedAt;
    const { user, system } = process.cpuUsage(this.#cpu);
    const probed = Math.max(0, this.#delays.max / 1e6 - PROBE_MS);
    this.#delays.disable();
    return {
      elapsedMs,
      cpuMicroseconds: user + system,
      // Work that never let the loop turn was never probed either.
      eventLoopDelayMs: this.#delays.count === 0 ? elapsedMs : Math.min(probed, elapsedMs),
      rssBytes: process.memoryUsage.rss(),
    };
  }
}
