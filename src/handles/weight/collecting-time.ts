/**
 * How long this process has been collecting its old garbage, by what Node tells of it. While somebody watches, there is
 * one observer in the process, however many watch: each would cost as much of every collection.
 */

/** Of the kinds of collection that `perf_hooks` tells apart: mark-compact, and the steps of its marking. */
const MAJOR_KINDS: readonly unknown[] = [4, 8];

let totalMs = 0;
let watchers = 0;
let observer: PerformanceObserver | undefined;

/** Whether one watches: apart from itself, so that it is known of one that is collected. */
interface Watch {
  isOn: boolean;
}

/** Whoever is forgotten while it watches watches no more. */
const forgotten = new FinalizationRegistry<Watch>(turnOff);

/** Watches between `start` and `stop`, each of which may be called again. */
export class CollectingTime {
  readonly #watch: Watch = { isOn: false };

  constructor() {
    forgotten.register(this, this.#watch);
  }

  /** Milliseconds, of the time in which somebody watched; told a turn late. Only differences mean something. */
  get ms(): number {
    return totalMs;
  }

  /** Holds neither the process nor, once stopped, anything else. */
  start(): void {
    if (this.#watch.isOn) return;
    this.#watch.isOn = true;
    if (watchers++ > 0) return;
    observer = new PerformanceObserver(note);
    observer.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    turnOff(this.#watch);
  }
}

function turnOff(watch: Watch): void {
  if (!watch.isOn) return;
  watch.isOn = false;
  if (--watchers > 0) return;
  observer?.disconnect();
  observer = undefined;
}

function note(list: PerformanceObserverEntryList): void {
  for (const { duration, detail } of list.getEntries() as (PerformanceEntry & {
    readonly detail?: unknown;
  })[]) {
    const kind = (detail as { kind?: unknown } | undefined)?.kind;
    if (MAJOR_KINDS.includes(kind)) totalMs += duration;
  }
}
