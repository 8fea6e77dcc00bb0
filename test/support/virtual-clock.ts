/**
 * Time that stands still until a test moves it. Sleepers wake one by one, in the order of their moments,
 * and each has run as far as it can before the next one wakes: every race is a plain sequence.
 */
import type { Now, Sleep } from '../../src/single-flight/time.ts';

interface Sleeper {
  readonly wakesAt: number;
  readonly wake: () => void;
}

export class VirtualClock {
  #time = 1_000;
  readonly #sleepers = new Set<Sleeper>();

  readonly now: Now = () => this.#time;

  readonly sleep: Sleep = (ms, signal) =>
    new Promise((resolve) => {
      const wake = () => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener('abort', wake);
        resolve();
      };
      const sleeper = { wakesAt: this.#time + ms, wake };
      this.#sleepers.add(sleeper);
      signal?.addEventListener('abort', wake, { once: true });
    });

  /** Who still sleeps. A test that leaves anybody behind has leaked a timer. */
  get sleeperCount(): number {
    return this.#sleepers.size;
  }

  /** Lets `ms` milliseconds pass. */
  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    await quiescence();
    for (let next = this.#next(); next !== undefined && next.wakesAt <= end; next = this.#next()) {
      this.#time = next.wakesAt;
      next.wake();
      await quiescence();
    }
    this.#time = end;
  }

  /** Lets time pass until nobody sleeps any more. */
  async drain(): Promise<void> {
    await quiescence();
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      await this.advance(next.wakesAt - this.#time);
    }
  }

  #next(): Sleeper | undefined {
    let first: Sleeper | undefined;
    for (const sleeper of this.#sleepers) {
      if (first === undefined || sleeper.wakesAt < first.wakesAt) first = sleeper;
    }
    return first;
  }
}

/** Resolves when every promise that can settle by itself has settled, and its listeners have run. */
export function quiescence(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
