/**
 * Waiting for what may never come. Whoever waits with a bound leaves nothing behind where it waited: a program may
 * flush a thousand times while one command hangs.
 */

/** Those who wait for the same thing. */
export class Waiters {
  #all = new Set<() => void>();

  /** @returns what takes `wake` away again. */
  readonly add = (wake: () => void): (() => void) => {
    this.#all.add(wake);
    return () => void this.#all.delete(wake);
  };

  /** Wakes all, each once. */
  wake(): void {
    if (this.#all.size === 0) return;
    const woken = this.#all;
    this.#all = new Set();
    for (const wake of woken) wake();
  }
}

/** One wait, which somebody ends once it has lasted for as long as it may. */
export class BoundedWait {
  readonly #ended = new Waiters();
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Nobody waits any more. */
  end(): void {
    this.#isOver = true;
    this.#ended.wake();
  }

  /** Resolves when these are woken, or the wait is over. */
  for(waiters: Waiters): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        forgetEnd();
        forget();
        resolve();
      };
      const forget = waiters.add(wake);
      const forgetEnd = this.#ended.add(wake);
    });
  }
}
