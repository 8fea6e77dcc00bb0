/**
 * Bounds what tracing costs. Up to a rate each call has its stack read; above it one in sixteen, which then
 * stands for sixteen, so that counts become estimates and the program does not slow down further.
 */
import { monotonicNow } from '../timers.ts';

/** Stacks read in one window; with the window's length, 2,000 a second. */
const MOST_PER_WINDOW = 200;
const WINDOW_MS = 100;
const ONE_IN = 16;

/** What tracing has cost so far. */
export interface TraceCost {
  /** Stacks read. */
  readonly stacks: number;
  /** Milliseconds spent on reading them. */
  readonly elapsedMs: number;
  /** Calls let pass, each of which another one stands for. More than 0: counts by line are estimates. */
  readonly skipped: number;
}

export class TraceBudget {
  #stacks = 0;
  #skipped = 0;
  #elapsedMs = 0;
  #windowEnd = Number.NEGATIVE_INFINITY;
  #leftInWindow = 0;
  #untilNext = 0;

  get cost(): TraceCost {
    return { stacks: this.#stacks, elapsedMs: this.#elapsedMs, skipped: this.#skipped };
  }

  /**
   * Runs `trace` where there is room for it.
   *
   * @returns how many calls this one stands for, 0 where it was let pass; and what `trace` gave.
   */
  spend<T>(trace: () => T): { readonly weight: number; readonly value: T | undefined } {
    const start = monotonicNow();
    if (start >= this.#windowEnd) {
      this.#windowEnd = start + WINDOW_MS;
      this.#leftInWindow = MOST_PER_WINDOW;
    }
    let weight = 1;
    if (this.#leftInWindow > 0) this.#leftInWindow--;
    else if (--this.#untilNext > 0) {
      this.#skipped++;
      return LET_PASS;
    } else {
      this.#untilNext = ONE_IN;
      weight = ONE_IN;
    }
    const value = trace();
    this.#stacks++;
    this.#elapsedMs += monotonicNow() - start;
    return { weight, value };
  }
}

const LET_PASS = { weight: 0, value: undefined };
