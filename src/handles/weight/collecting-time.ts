/** How long this process has been collecting its old garbage, by what Node tells of it. */

/** Of the kinds of collection that `perf_hooks` tells apart: mark-compact, and the steps of its marking. */
const MAJOR_KINDS: readonly unknown[] = [4, 8];

export class CollectingTime {
  #ms = 0;
  readonly #observer: PerformanceObserver;

  /** Holds neither the process nor, once stopped, anything else. */
  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const { duration, detail } of list.getEntries() as (PerformanceEntry & {
        readonly detail?: unknown;
      })[]) {
        const kind = (detail as { kind?: unknown } | undefined)?.kind;
        if (MAJOR_KINDS.includes(kind)) this.#ms += duration;
      }
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Milliseconds since this was made; told a turn late. */
  get ms(): number {
    return this.#ms;
  }

  stop(): void {
    this.#observer.disconnect();
  }
}
