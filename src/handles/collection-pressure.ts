/**
 * Causes collections where forgotten handles hold much of their pages: a handle is 200 bytes here, and may be 200 KB there, so that
 * V8 by itself has no reason to collect. There is one pressure for all attachments of a thread, since a collection finds the handles
 * of all.
 *
 * The oldest rule of collectors holds across the wire: the garbage of the pages may grow in proportion to the heap of this
 * process, because a collection here costs in proportion to that heap. Collections that we cause take at most a tenth of the
 * time, unless the pages are in danger.
 *
 * Before a collection nobody knows which handles are garbage. We suspect those that were minted since the last collection and are
 * not disposed of.
 */
import { builtin } from '../builtins.ts';
import * as policy from '../policy.ts';
import { monotonicNow } from '../timers.ts';
import { whenCollectedTaken } from './collection.ts';
import type { LedgerStats } from './handle-table.ts';

export interface PressureServices {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Bytes in use in this process's heap: what a collection has to mark. */
  heapBytes(): number;
  /** Has V8 begin a collection, or go on with it. It ends by itself; the observer then calls `noteEnd`, and later `noteFound`. */
  collect(): void;
}

/** The handles of one attachment that may be garbage. */
export class Suspects {
  /** Bytes of pages that the suspects stand for, as of the last `count`. */
  bytes = 0;
  readonly #stats: { readonly live: number };
  #minted = 0;
  #mintedBytes = 0;
  /** Handles that lived after the last collection, and have not been disposed of since. */
  #survivors = 0;
  /** How many of `#minted` were minted before the collection that is running. */
  #mintedBefore = 0;

  constructor(stats: { readonly live: number }) {
    this.#stats = stats;
  }

  /** Counts handles that have been minted, of so many bytes of their page each. */
  add(handles: number, bytesPerHandle: number): void {
    this.#minted += handles;
    this.#mintedBytes += handles * bytesPerHandle;
  }

  /** So many handles, or those of them that are still suspected, were counted at `from` bytes each, and stand for `to`. */
  correct(handles: number, from: number, to: number): void {
    const bytes = Math.min(handles, this.#minted) * (to - from);
    this.#mintedBytes = Math.max(0, this.#mintedBytes + bytes);
  }

  /** Counts anew. @returns the bytes that have come since the last count, negative if some have gone. */
  count(): number {
    const before = this.bytes;
    const { live } = this.#stats;
    this.#survivors = Math.min(this.#survivors, live);
    this.bytes = Math.min(this.#minted, live - this.#survivors) * this.#bytesEach;
    return this.bytes - before;
  }

  /** @returns the bytes that are suspected. */
  beginCollection(): number {
    this.#mintedBefore = this.#minted;
    return this.bytes;
  }

  /**
   * The collection is over. Handles minted while it ran are still suspected: it could not find them.
   *
   * @returns the bytes of the others that it has found alive. The youngest are taken to have died.
   */
  endCollection(): number {
    const mintedMeanwhile = this.#minted - this.#mintedBefore;
    const survivors = Math.max(0, this.#stats.live - mintedMeanwhile);
    const survivingBytes = Math.max(0, survivors - this.#survivors) * this.#bytesEach;
    this.#survivors = survivors;
    this.#mintedBytes = mintedMeanwhile * this.#bytesEach;
    this.#minted = mintedMeanwhile;
    this.#mintedBefore = mintedMeanwhile;
    this.count();
    return survivingBytes;
  }

  get #bytesEach(): number {
    return this.#minted === 0 ? 0 : this.#mintedBytes / this.#minted;
  }
}

export class CollectionPressure {
  /** How many collections have ended, with all that they found dropped. */
  collections = 0;
  readonly #services: PressureServices;
  readonly #all = new Set<Suspects>();
  /** Bytes that all suspects stand for. */
  #bytes = 0;
  /** The same when the running collection began. */
  #bytesThen = 0;
  /** By how much more is to gather than at first: doubled by a collection of ours that found most of it alive, and 1 again after another. */
  #patience = 1;
  /** When the collection that we caused began; `undefined` while none of ours runs. */
  #begunAt: number | undefined;
  /** Until then none is caused, unless pages are in danger. */
  #restsUntil = 0;
  /** What a collection of ours costs in milliseconds, as a moving average: one that other programs held up says little. */
  #costMs: number | undefined;

  constructor(services: PressureServices) {
    this.#services = services;
  }

  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  add(suspects: Suspects): void {
    this.#all.add(suspects);
  }

  remove(suspects: Suspects): void {
    if (!this.#all.delete(suspects)) return;
    this.#bytes -= suspects.bytes;
  }

  /**
   * Counts these suspects anew, and causes a collection if all suspects together stand for too many bytes now. Not called at all
   * with `pressure: false`.
   */
  weigh(suspects: Suspects): void {
    if (!this.#all.has(suspects)) return;
    this.#bytes += suspects.count();
    if (this.#bytes < policy.LEAST_SUSPECTED) return;
    const now = this.#services.now();
    if (this.#begunAt !== undefined) {
      if (now - this.#begunAt >= policy.LONGEST_COLLECTION_MS)
        this.noteFound(0); // This runtime does not tell of its end.
      else if (this.#bytes >= policy.MOST_SUSPECTED_MEANWHILE) this.#services.collect();
      return;
    }
    const isInDanger = this.#bytes >= policy.MOST_SUSPECTED;
    if (!isInDanger && (now < this.#restsUntil || this.#bytes < this.#allowance)) return;
    this.#begunAt = now;
    this.#bytesThen = 0;
    for (const each of this.#all) this.#bytesThen += each.beginCollection();
    this.#services.collect();
  }

  /** V8 has ended a major collection, ours or another. It has not looked at the handles that are minted from now on. */
  noteEnd(): void {
    if (this.#begunAt !== undefined) return; // Ours: what was minted since it began is not found either.
    for (const each of this.#all) each.beginCollection();
  }

  /**
   * All handles that the collection found have been dropped: those that are live have outlived it.
   *
   * @param ms how long the collection held up this thread.
   */
  noteFound(ms: number): void {
    this.collections++;
    this.#bytes = 0;
    let survivingBytes = 0;
    for (const each of this.#all) {
      survivingBytes += each.endCollection();
      this.#bytes += each.bytes;
    }
    if (this.#begunAt === undefined) return;
    const isWorthIt = survivingBytes <= this.#bytesThen * (1 - policy.LEAST_FREED);
    this.#patience = isWorthIt ? 1 : Math.min(this.#patience * 2, policy.MOST_PATIENCE);
    this.#begunAt = undefined;
    const leastMs = this.#services.heapBytes() * policy.COLLECTING_MS_PER_BYTE;
    const costMs = this.#costMs ?? leastMs;
    this.#costMs = Math.max(leastMs, costMs + (ms - costMs) / policy.COLLECTIONS_AVERAGED);
    this.#restsUntil = this.#services.now() + this.#costMs * (1 / policy.MOST_COLLECTING - 1);
  }

  /** Bytes that may be garbage before a collection is caused. */
  get #allowance(): number {
    const inProportion = this.#services.heapBytes() * policy.SUSPECTED_PER_HEAP_BYTE;
    const least = policy.LEAST_SUSPECTED * this.#patience;
    return Math.min(policy.MOST_SUSPECTED, Math.max(least, inProportion));
  }
}

/** Bytes in use in this process's heap; 0 where the runtime does not tell. */
function heapBytes(): number {
  const v8 = builtin('node:v8') as { getHeapStatistics?(): { used_heap_size: number } } | undefined;
  return v8?.getHeapStatistics?.().used_heap_size ?? 0;
}

/**
 * Has V8 begin a collection, in Node 20, 22 and 24: a buffer takes external memory past the 64 MB at which it does. The buffer is
 * garbage at once. The system zeroes it when it is touched, which it never is: so it costs address space, not memory.
 */
function causeCollection(): void {
  try {
    void new ArrayBuffer(policy.COLLECTING_BUFFER);
  } catch {
    // Allocation failed: no collection is caused.
  }
}

/** The pressure of this thread. */
const pressure = new CollectionPressure({ now: monotonicNow, heapBytes, collect: causeCollection });

/** Two of the kinds of collection that `perf_hooks` tells apart: mark-compact, and the steps of its marking. */
const MAJOR = 4;
const MARKING_STEP = 8;

/** Milliseconds that the marking steps of the running collection have taken. */
let stepsMs = 0;
/** Shared by all attachments that watch: each observer would cost as much of every collection. */
let observer: PerformanceObserver | undefined;

/** Ends the watching of an attachment that was collected without `stop`. */
const forgotten = new FinalizationRegistry<Suspects>(endWatch);

/** The counts of an attachment that its pressure sets (the bytes) and reads (`live`). */
export type PressureStats = Pick<LedgerStats, 'live' | 'chargedBytes' | 'bytesPerHandle'>;

/** One attachment's part of the pressure, from `start` to `stop`. */
export class AttachmentPressure {
  /** What the registry holds: so it still sees that this object is collected. */
  readonly #suspects: Suspects;
  readonly #stats: PressureStats;

  constructor(stats: PressureStats) {
    this.#suspects = new Suspects(stats);
    this.#stats = stats;
    forgotten.register(this, this.#suspects);
  }

  /** How many collections of this thread have ended, with all that they found dropped. */
  readonly collections = (): number => pressure.collections;

  /** Counts handles that have been minted, of so many bytes of their page each. */
  readonly add = (handles: number, bytesPerHandle: number): void => {
    this.#suspects.add(handles, bytesPerHandle);
    this.#weigh(bytesPerHandle);
  };

  /** Corrects a guess of the bytes of handles that were counted. */
  correct(handles: number, from: number, to: number): void {
    this.#suspects.correct(handles, from, to);
    this.#weigh(to);
  }

  #weigh(bytesPerHandle: number): void {
    pressure.weigh(this.#suspects);
    this.#stats.bytesPerHandle = bytesPerHandle;
    this.#stats.chargedBytes = this.#suspects.bytes;
  }

  /** Starts watching. It does not keep the process alive; after `stop` nothing is held. */
  start(): void {
    const isFirst = pressure.isEmpty;
    pressure.add(this.#suspects);
    if (!isFirst || typeof PerformanceObserver !== 'function') return;
    // A browser has no entries of this type, and prints a warning if it is asked for them.
    if (!PerformanceObserver.supportedEntryTypes?.includes('gc')) return;
    observer = new PerformanceObserver(note);
    observer.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    endWatch(this.#suspects);
  }
}

function endWatch(suspects: Suspects): void {
  pressure.remove(suspects);
  if (!pressure.isEmpty) return;
  observer?.disconnect();
  observer = undefined;
}

/**
 * Notes the collections that Node reports. It does so a turn later, before the finalizers have run. Only after them is it known
 * what a collection has found, so `noteFound` waits for that.
 */
function note(list: PerformanceObserverEntryList): void {
  for (const { duration, detail } of list.getEntries() as (PerformanceEntry & {
    readonly detail?: unknown;
  })[]) {
    const kind = (detail as { kind?: unknown } | undefined)?.kind;
    if (kind !== MAJOR && kind !== MARKING_STEP) continue;
    stepsMs += duration;
    if (kind === MARKING_STEP) continue;
    const ms = stepsMs;
    stepsMs = 0;
    pressure.noteEnd();
    void whenCollectedTaken().then(() => pressure.noteFound(ms));
  }
}
