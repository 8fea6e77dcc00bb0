/**
 * Learns from the garbage collector which RemoteObjects the program has let go of, and causes collections where forgotten handles
 * hold much of their pages: a handle is 200 bytes here, and may be 200 KB there, so that V8 by itself has no reason to collect.
 *
 * All finalizers of a collection run in one job that cannot be sliced. So each finalizer only makes a note: of a hundred thousand
 * records none is in the processor's cache, and fetching them is most of the cost. The first notes are taken when that job is
 * over, so that the browser hears of them soon, and the rest turn by turn. There is one list for all attachments, and the finalizer
 * is bound to none: V8 throws optimised code away together with the object that it was made for.
 */
import { builtin } from '../builtins.ts';
import * as policy from '../policy.ts';
import { afterThisJob, chargeTurn, SlicedJob } from '../runtime/event-loop.ts';
import { monotonicNow, setImmediate } from '../timers.ts';
import type { LedgerStats } from './handle-table.ts';
import type { Minted } from './page-memory.ts';
import type { RemoteObject } from './protocol.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';

/** The part of `FinalizationRegistry` that is used. In tests, the test plays the collector. */
export interface Registry {
  register(target: object, record: Handle): void;
}

/** Makes the registry. It calls `onCollected` for each object that was collected. */
export type RegistryFactory = (onCollected: (record: Handle) => void) => Registry;

/**
 * One registry for all attachments, and for good. Where a registry that has something to tell is itself collected before it has
 * told it, V8 calls the finalizers of no registry of the process any more: in Node 20, 22 and 24.
 */
export const garbageCollector: RegistryFactory = (onCollected) => {
  registry ??= new FinalizationRegistry(onCollected);
  return registry;
};
let registry: Registry | undefined;

export interface CollectionWatchOptions {
  /** Whether records get a weak reference to their RemoteObject. */
  readonly keepsObjects: boolean;
  readonly createRegistry: RegistryFactory;
}

/** Watches the RemoteObjects of one attachment. */
export class CollectionWatch {
  readonly #registry: Registry;
  readonly #keepsObjects: boolean;

  constructor(options: CollectionWatchOptions) {
    this.#keepsObjects = options.keepsObjects;
    this.#registry = options.createRegistry(onCollected);
  }

  /**
   * Enters a remote object that the client is about to get in the ledger, and watches for its collection. Registered
   * without a token: to unregister would cost ten times what an outdated callback does.
   *
   * @param remoteObject the object that the client's handle will hold: it lives as long as the handle.
   * @param ordinal its place among the remote objects of its message. Of a long list only the first count for `LEAST_BYTES_PER_HANDLE` at the least.
   */
  mint(
    ledger: SessionLedger,
    remoteObject: RemoteObject,
    objectId: string,
    group: Group | undefined,
    ordinal: number,
  ): Handle | undefined {
    const record = ledger.mint(objectId, group);
    if (record === undefined) return undefined;
    const { memory } = ledger;
    if (ordinal < policy.SUSPECTED_PER_MESSAGE) memory.suspected++;
    else memory.listed++;
    if (++memory.mints >= memory.nextLookAt) memory.look();
    if (this.#keepsObjects) record.remoteObject = new WeakRef(remoteObject);
    this.#registry.register(remoteObject, record);
    return record;
  }
}

const full: Handle[][] = [];
let filling: Handle[] = [];
/** Whether the notes will be taken anyway, so that another note need not announce itself. */
let isAnnounced = false;
const job = new SlicedJob(takeUntil);

/** The finalizer. It must not throw: V8 would put off the finalizers that follow. */
function onCollected(record: Handle): void {
  const notes = filling.push(record);
  if (notes === 1 && !isAnnounced) {
    isAnnounced = true;
    void afterThisJob(takeAtOnce);
  }
  if (notes === policy.STEPS_PER_LOOK) {
    full.push(filling);
    filling = [];
  }
}

/** Drops all handles that are noted as collected, in this very call. */
export function takeCollected(): void {
  takeUntil(Number.POSITIVE_INFINITY);
}

/** Resolves when all handles that were collected before the call have been dropped. */
export async function whenCollectedTaken(): Promise<void> {
  // Finalizers run before the next immediate: what was collected by now is noted.
  do await new Promise((resolve) => setImmediate(resolve));
  while (full.length + filling.length > 0);
}

function takeAtOnce(): void {
  const begunAt = monotonicNow();
  const isDone = takeUntil(begunAt + policy.NOTES_AT_ONCE_MS);
  chargeTurn(monotonicNow() - begunAt);
  if (!isDone) job.schedule();
}

/** Takes notes until the deadline. @returns whether none is left. */
function takeUntil(deadline: number): boolean {
  do {
    let records = full.shift();
    if (records === undefined) {
      records = filling;
      filling = [];
    }
    let next = 0;
    for (let record = records[0]; record !== undefined; record = records[next]) {
      next = record.context?.ledger.collect(records, next) ?? next + 1; // It may have ended before the collection.
    }
  } while (full.length + filling.length > 0 && monotonicNow() < deadline);
  isAnnounced = full.length + filling.length > 0;
  return !isAnnounced;
}

/*
 * Collections that we cause. There is one pressure for all attachments of a thread, since a collection finds the handles of all.
 *
 * The oldest rule of collectors holds across the wire: the garbage of the pages may grow in proportion to the heap of this
 * process, because a collection here costs in proportion to that heap. Collections that we cause take at most a tenth of the
 * time, unless the pages are in danger.
 *
 * Before a collection nobody knows which handles are garbage. We suspect those that were minted since the last collection and are
 * not disposed of.
 */

export interface PressureServices {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Bytes in use in this process's heap: what a collection has to mark. */
  heapBytes(): number;
  /** Has V8 begin a collection, or go on with it. It ends by itself; the observer then calls `noteEnd`, and later `noteFound`. */
  collect(): void;
}

/** Handles that were minted since the last collection, and the bytes of their pages that they stand for. */
class Tally {
  #handles = 0;
  #bytes = 0;
  /** How many of them were minted before the collection that is running. */
  #handlesBefore = 0;

  add(handles: number, bytes: number): void {
    this.#handles += handles;
    this.#bytes += bytes;
  }

  /** So many handles, or those of them that are still here, stand for `bytes` more than was counted: negative for less. */
  correct(handles: number, bytes: number): void {
    if (handles === 0) return;
    const part = Math.min(1, this.#handles / handles);
    this.#bytes = Math.max(0, this.#bytes + part * bytes);
  }

  /** Bytes that so many of the handles stand for. */
  bytesOf(handles: number): number {
    return this.#handles === 0 ? 0 : (Math.min(this.#handles, handles) * this.#bytes) / this.#handles;
  }

  /** How many were minted since the collection that is running began. */
  get mintedMeanwhile(): number {
    return this.#handles - this.#handlesBefore;
  }

  beginCollection(): void {
    this.#handlesBefore = this.#handles;
  }

  /** Those that were minted while it ran are still here: it could not find them. */
  endCollection(): void {
    const { mintedMeanwhile } = this;
    this.#bytes = this.bytesOf(mintedMeanwhile);
    this.#handles = mintedMeanwhile;
    this.#handlesBefore = mintedMeanwhile;
  }
}

/**
 * The handles of one attachment that may be garbage. They are counted twice, and the greater number of bytes is taken: each for so
 * many bytes at the least, but of long lists only the first; and all of them by what they were found to hold.
 */
export class Suspects {
  /** Bytes of pages that the suspects stand for, as of the last `count`. */
  bytes = 0;
  readonly #stats: { readonly live: number };
  readonly #leastBytes: number;
  readonly #first = new Tally();
  readonly #all = new Tally();
  /** Handles that lived after the last collection, and have not been disposed of since. */
  #survivors = 0;

  /** @param leastBytes what each counts for at the least. */
  constructor(stats: { readonly live: number }, leastBytes: number) {
    this.#stats = stats;
    this.#leastBytes = leastBytes;
  }

  /** Counts handles that have been minted, of so many bytes of their page each. */
  add({ suspected, listed }: Minted, bytesPerHandle: number): void {
    const handles = suspected + listed;
    this.#first.add(suspected, suspected * this.countedBytes(bytesPerHandle));
    this.#all.add(handles, handles * bytesPerHandle);
  }

  /** These handles, or those of them that are still suspected, were counted at `from` bytes each, and stand for `to`. */
  correct({ suspected, listed }: Minted, from: number, to: number): void {
    const handles = suspected + listed;
    this.#first.correct(suspected, suspected * (this.countedBytes(to) - this.countedBytes(from)));
    this.#all.correct(handles, handles * (to - from));
  }

  /** What a handle counts for that holds so much of its page. */
  countedBytes(bytesPerHandle: number): number {
    return Math.max(bytesPerHandle, this.#leastBytes);
  }

  /** Counts anew. @returns the bytes that have come since the last count, negative if some have gone. */
  count(): number {
    const before = this.bytes;
    const { live } = this.#stats;
    this.#survivors = Math.min(this.#survivors, live);
    this.bytes = this.#bytesOf(live - this.#survivors);
    return this.bytes - before;
  }

  /** @returns the bytes that are suspected. */
  beginCollection(): number {
    this.#first.beginCollection();
    this.#all.beginCollection();
    return this.bytes;
  }

  /**
   * The collection is over. Handles minted while it ran are still suspected.
   *
   * @returns the bytes of the others that it has found alive. The youngest are taken to have died.
   */
  endCollection(): number {
    const survivors = Math.max(0, this.#stats.live - this.#all.mintedMeanwhile);
    const survivingBytes = this.#bytesOf(Math.max(0, survivors - this.#survivors));
    this.#survivors = survivors;
    this.#first.endCollection();
    this.#all.endCollection();
    this.count();
    return survivingBytes;
  }

  /** Bytes that so many of the handles stand for. */
  #bytesOf(handles: number): number {
    return Math.max(this.#first.bytesOf(handles), this.#all.bytesOf(handles));
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

  /** @param leastBytes what each handle counts for at the least. */
  constructor(stats: PressureStats, leastBytes: number) {
    this.#suspects = new Suspects(stats, leastBytes);
    this.#stats = stats;
    forgotten.register(this, this.#suspects);
  }

  /** How many collections of this thread have ended, with all that they found dropped. */
  readonly collections = (): number => pressure.collections;

  /** Counts handles that have been minted, of so many bytes of their page each. */
  readonly add = (minted: Minted, bytesPerHandle: number): void => {
    this.#suspects.add(minted, bytesPerHandle);
    this.#weigh(bytesPerHandle);
  };

  /** Corrects a guess of the bytes of handles that were counted. */
  readonly correct = (minted: Minted, from: number, to: number): void => {
    this.#suspects.correct(minted, from, to);
    this.#weigh(to);
  };

  #weigh(bytesPerHandle: number): void {
    pressure.weigh(this.#suspects);
    this.#stats.bytesPerHandle = this.#suspects.countedBytes(bytesPerHandle);
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
