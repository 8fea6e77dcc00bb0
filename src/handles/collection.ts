/**
 * What the garbage collector tells, and is told. A registry finds the RemoteObjects that the program let go of. Collections
 * are caused where forgotten handles hold much of their pages: a handle is 200 bytes here, and may be 200 KB there, so that V8
 * by itself has no reason to collect.
 *
 * All finalizers of a collection run in one job that nothing can slice, so that each only makes a note: of a hundred
 * thousand records none is in the processor's cache, and fetching them is most of the cost. The notes are taken when that
 * job is over, so that the browser hears of them as soon as possible, and the rest turn by turn. There is one list for all
 * attachments, and the finalizer is bound to none: V8 throws optimised code away with an object that it was made for.
 */
import { builtin } from '../builtins.ts';
import * as policy from '../policy.ts';
import { afterThisJob, chargeTurn, SlicedJob } from '../runtime/event-loop.ts';
import { monotonicNow, setImmediate } from '../timers.ts';
import type { RemoteObject } from './protocol.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';

/** The part of `FinalizationRegistry` that is used; a test plays the collector. */
export interface Registry {
  register(target: object, record: Handle): void;
}

/** Makes the registry, given what it is to call for each object collected. */
export type RegistryFactory = (onCollected: (record: Handle) => void) => Registry;

export const garbageCollector: RegistryFactory = (onCollected) => new FinalizationRegistry(onCollected);

export interface CollectionWatchOptions {
  /** Whether records get a weak way back to their RemoteObject. */
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
   * @param remoteObject what the client's handle will hold: its life is the handle's.
   * @param ordinal its place among the remote objects of its message. Of a long list only the first are suspected.
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
    if (++memory.mints >= memory.nextLookAt) memory.look();
    if (this.#keepsObjects) record.remoteObject = new WeakRef(remoteObject);
    this.#registry.register(remoteObject, record);
    return record;
  }
}

const full: Handle[][] = [];
let filling: Handle[] = [];
/** Whether the notes are going to be taken. */
let isAnnounced = false;
const job = new SlicedJob(takeUntil);

/** The finalizer. It must not throw: V8 would put the rest off. */
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

/** Drops all that was collected, in this very call. */
export function takeCollected(): void {
  takeUntil(Number.POSITIVE_INFINITY);
}

/** Resolves when nothing waits that was collected by now. */
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

/** @returns whether nothing is left. */
function takeUntil(deadline: number): boolean {
  do {
    let records = full.shift();
    if (records === undefined) {
      records = filling;
      filling = [];
    }
    let next = 0;
    for (let record = records[0]; record !== undefined; record = records[next]) {
      next = record.context?.ledger.collect(records, next) ?? next + 1; // It may have ended before its object did.
    }
  } while (full.length + filling.length > 0 && monotonicNow() < deadline);
  isAnnounced = full.length + filling.length > 0;
  return !isAnnounced;
}

/*
 * Collections that are caused. There is one pressure for all attachments of a thread, since a collection finds the handles of
 * all.
 *
 * The oldest rule of collectors holds across the wire: what may be garbage there may grow in proportion to what lives here,
 * because that is what a collection here costs. Collections that we cause take at most a tenth of the time, unless the pages
 * are in danger.
 *
 * Nobody knows which handles are garbage before a collection. What is suspected are those that were minted since the last
 * one and are not disposed of.
 */

export interface PressureServices {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Bytes in use in this process's heap: what a collection has to mark. */
  heapBytes(): number;
  /** Has V8 begin a collection, or go on with it. It ends by itself; whoever watches calls `noteEnd`, then `noteFound`. */
  collect(): void;
}

/** The handles of one attachment that may be garbage. */
export class Suspects {
  /** Bytes of pages that they stand for, as of the last look. */
  bytes = 0;
  /** Bytes of pages that the handles stand for that outlived the last collection. */
  survivingBytes = 0;
  readonly #stats: { readonly live: number };
  #minted = 0;
  #mintedBytes = 0;
  /** Handles that lived after the last collection, and have not been disposed of since. */
  #survivors = 0;
  /** Minted before the collection that is under way. */
  #mintedBefore = 0;

  constructor(stats: { readonly live: number }) {
    this.#stats = stats;
  }

  /** So many more handles have been minted, of so many bytes each. */
  add(handles: number, bytesPerHandle: number): void {
    this.#minted += handles;
    this.#mintedBytes += handles * bytesPerHandle;
  }

  /** Counts anew. @returns the bytes that have come since the last count, or gone. */
  count(): number {
    const before = this.bytes;
    const { live } = this.#stats;
    this.#survivors = Math.min(this.#survivors, live);
    this.bytes = Math.min(this.#minted, live - this.#survivors) * this.#bytesEach;
    return this.bytes - before;
  }

  beginCollection(): void {
    this.#mintedBefore = this.#minted;
  }

  /** What was minted while the collection ran is not found by it. */
  endCollection(): void {
    const mintedMeanwhile = this.#minted - this.#mintedBefore;
    this.#survivors = Math.max(0, this.#stats.live - mintedMeanwhile);
    this.survivingBytes = this.#survivors * this.#bytesEach;
    this.#mintedBytes = mintedMeanwhile * this.#bytesEach;
    this.#minted = mintedMeanwhile;
    this.#mintedBefore = mintedMeanwhile;
    this.count();
  }

  get #bytesEach(): number {
    return this.#minted === 0 ? 0 : this.#mintedBytes / this.#minted;
  }
}

export class CollectionPressure {
  readonly #services: PressureServices;
  readonly #all = new Set<Suspects>();
  /** Bytes that all suspects stand for. */
  #bytes = 0;
  #survivingBytes = 0;
  /** When the collection began that was caused and has not ended. */
  #begunAt: number | undefined;
  #restsUntil = 0;

  constructor(services: PressureServices) {
    this.#services = services;
  }

  add(suspects: Suspects): void {
    this.#all.add(suspects);
  }

  remove(suspects: Suspects): void {
    if (!this.#all.delete(suspects)) return;
    this.#bytes -= suspects.bytes;
    this.#survivingBytes -= suspects.survivingBytes;
  }

  /** Counts these suspects anew, and causes a collection where there are too many now. */
  weigh(suspects: Suspects): void {
    if (!this.#all.has(suspects)) return;
    this.#bytes += suspects.count();
    if (this.#bytes < policy.LEAST_SUSPECTED) return;
    const now = this.#services.now();
    if (this.#begunAt !== undefined) {
      if (now - this.#begunAt >= policy.LONGEST_COLLECTION_MS)
        this.noteFound(0); // Nobody tells of its end.
      else if (this.#bytes >= policy.MOST_SUSPECTED_MEANWHILE) this.#services.collect();
      return;
    }
    const isInDanger = this.#bytes >= policy.MOST_SUSPECTED;
    if (!isInDanger && (now < this.#restsUntil || this.#bytes < this.#allowance)) return;
    this.#begunAt = now;
    for (const each of this.#all) each.beginCollection();
    this.#services.collect();
  }

  /** V8 has ended a major collection, ours or another: what is minted from now on it has not looked at. */
  noteEnd(): void {
    if (this.#begunAt !== undefined) return; // What was minted since ours began does not count either.
    for (const each of this.#all) each.beginCollection();
  }

  /**
   * What that collection found has been dropped: what lives now has outlived it.
   *
   * @param ms for which it held up this thread.
   */
  noteFound(ms: number): void {
    this.#bytes = 0;
    this.#survivingBytes = 0;
    for (const each of this.#all) {
      each.endCollection();
      this.#bytes += each.bytes;
      this.#survivingBytes += each.survivingBytes;
    }
    if (this.#begunAt === undefined) return;
    this.#begunAt = undefined;
    const costMs = Math.max(ms, this.#services.heapBytes() * policy.COLLECTING_MS_PER_BYTE);
    this.#restsUntil = this.#services.now() + costMs * (1 / policy.MOST_COLLECTING - 1);
  }

  /** Bytes that may be garbage before a collection is caused. */
  get #allowance(): number {
    const inProportion = this.#services.heapBytes() * policy.SUSPECTED_PER_HEAP_BYTE;
    return Math.min(
      policy.MOST_SUSPECTED,
      Math.max(policy.LEAST_SUSPECTED, inProportion, this.#survivingBytes),
    );
  }
}

interface Heap {
  getHeapStatistics?(): { readonly used_heap_size: number };
}

/** 0 where nobody tells. */
function heapBytes(): number {
  const heap = builtin('node:v8') as Heap | undefined;
  return heap?.getHeapStatistics?.().used_heap_size ?? 0;
}

/**
 * A buffer that takes external memory past the 64 MB at which V8 begins a collection, in Node 20, 22 and 24. It is garbage
 * at once. The system zeroes it when it is touched, which it never is: it costs address space, not memory.
 */
function allocateTooMuch(): void {
  try {
    void new ArrayBuffer(policy.COLLECTING_BUFFER);
  } catch {
    // No room for so much as a promise.
  }
}

/** That of this thread. */
const pressure = new CollectionPressure({ now: monotonicNow, heapBytes, collect: allocateTooMuch });

/** Of the kinds of collection that `perf_hooks` tells apart: mark-compact, and the steps of its marking. */
const MAJOR = 4;
const MARKING_STEP = 8;

/** Milliseconds that the steps of the collection under way have taken. */
let stepsMs = 0;
let watchers = 0;
let observer: PerformanceObserver | undefined;

/** Whether one watches: apart from itself, so that it is known of one that is collected. */
interface Watch {
  readonly suspects: Suspects;
  isOn: boolean;
}

/** Whoever is forgotten while it watches watches no more. */
const forgotten = new FinalizationRegistry<Watch>(turnOff);

/**
 * One attachment's part of the pressure. There is one observer of collections in the process, however many attachments there
 * are, between `start` and `stop`: each would cost as much of every collection.
 */
export class SuspectsOfAttachment {
  readonly #watch: Watch;

  constructor(stats: { readonly live: number }) {
    this.#watch = { suspects: new Suspects(stats), isOn: false };
    forgotten.register(this, this.#watch);
  }

  /** So many more handles have been minted, of so many bytes of their page each. @returns the bytes that are suspected now. */
  add(handles: number, bytesPerHandle: number): number {
    const { suspects } = this.#watch;
    suspects.add(handles, bytesPerHandle);
    pressure.weigh(suspects);
    return suspects.bytes;
  }

  /** Holds neither the process nor, once stopped, anything else. */
  start(): void {
    if (this.#watch.isOn) return;
    this.#watch.isOn = true;
    pressure.add(this.#watch.suspects);
    if (watchers++ > 0 || typeof PerformanceObserver !== 'function') return;
    // A browser has no entries of this type, and prints a warning where it is asked for them.
    if (!PerformanceObserver.supportedEntryTypes?.includes('gc')) return;
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
  pressure.remove(watch.suspects);
  if (--watchers > 0) return;
  observer?.disconnect();
  observer = undefined;
}

/** Node tells of a collection a turn later, before the finalizers run: until they have, all is alive that was forgotten. */
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
