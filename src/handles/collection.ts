/**
 * What the garbage collector tells, and is told. A registry finds the RemoteObjects that the program let go of. External
 * memory is reported to V8 for those that live, so that a growing page triggers collections here, which nothing else
 * would: a handle is 200 bytes here, and may be 200 KB there.
 *
 * All finalizers of a collection run in one job that nothing can slice, so that each only makes a note: of a hundred
 * thousand records none is in the processor's cache, and fetching them is most of the cost. The notes are taken when that
 * job is over, so that the browser hears of them as soon as possible, and the rest turn by turn. There is one list for all
 * attachments, and the finalizer is bound to none: V8 throws optimised code away with an object that it was made for.
 */
import {
  CHARGED_PER_MESSAGE,
  FIRST_BYTES_PER_HANDLE,
  FULL_WEIGHT_UP_TO,
  LARGE_BUFFER,
  LARGE_WEIGHT,
  NOTES_AT_ONCE_MS,
  NOTES_PER_LOOK,
  SMALL_BUFFER,
} from '../policy.ts';
import { afterThisJob, chargeTurn, SlicedJob } from '../runtime/event-loop.ts';
import { monotonicNow, setImmediate } from '../timers.ts';
import { type AskablePage, type ExternalMemory, FollowingMemory, fixedMemory } from './external-memory.ts';
import type { LedgerStats } from './handle-table.ts';
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
  readonly #stats: LedgerStats;
  readonly #keepsObjects: boolean;
  /** Buffers by the RemoteObject whose life they share. Not a property: the client's objects stay as they are. */
  #buffers = new WeakMap<RemoteObject, ArrayBuffer>();
  /** Bytes not reported yet. */
  #unreported = 0;

  constructor(stats: LedgerStats, options: CollectionWatchOptions) {
    this.#stats = stats;
    this.#keepsObjects = options.keepsObjects;
    this.#registry = options.createRegistry(onCollected);
  }

  /**
   * Enters a remote object that the client is about to get in the ledger, and watches for its collection. Registered
   * without a token: to unregister would cost ten times what an outdated callback does.
   *
   * @param remoteObject what the client's handle will hold: its life is the handle's.
   * @param ordinal its place among the remote objects of its message. Of a long list only the first are charged:
   * thousands of handles at once are a weight of their own here.
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
    if (++memory.mints >= memory.nextLookAt) memory.look();
    this.#stats.bytesPerHandle = memory.bytes;
    if (memory.bytes > 0 && ordinal < CHARGED_PER_MESSAGE) {
      // A handle is charged fully while few live. Once they weigh `FULL_WEIGHT_UP_TO` together, one more is charged the less
      // the more there are, so that the sum grows with its logarithm: a collection comes each time the handles alive have
      // grown by about the same factor, and a million of them do not cost gigabytes.
      this.#unreported += Math.min(memory.bytes, FULL_WEIGHT_UP_TO / this.#stats.live);
      if (this.#unreported >= (memory.bytes < LARGE_WEIGHT ? SMALL_BUFFER : LARGE_BUFFER)) {
        this.#report(remoteObject, record);
      }
    }
    if (this.#keepsObjects) record.remoteObject = new WeakRef(remoteObject);
    this.#registry.register(remoteObject, record);
    return record;
  }

  /** Takes all external memory back, that of objects that live on, too. */
  uncharge(): void {
    this.#buffers = new WeakMap();
  }

  /** Reports what was saved up, for as long as this object lives. */
  #report(remoteObject: RemoteObject, record: Handle): void {
    const bytes = Math.floor(this.#unreported);
    this.#unreported -= bytes;
    try {
      // Zeroed by the system and never touched: it costs address space and a promise, not memory.
      this.#buffers.set(remoteObject, new ArrayBuffer(bytes));
    } catch {
      return; // No room for so much as a promise. The handle is tracked without its weight.
    }
    record.charge = { bytes, stats: this.#stats };
    this.#stats.chargedBytes += bytes;
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
  if (notes === NOTES_PER_LOOK) {
    full.push(filling);
    filling = [];
  }
}

/** Drops all that was collected, in this very call. */
export function takeCollected(): void {
  takeUntil(Number.POSITIVE_INFINITY);
}

/** Resolves when nothing waits that was collected by now. */
export async function collectedTaken(): Promise<void> {
  // Finalizers run before the next immediate: what was collected by now is noted.
  do await new Promise((resolve) => setImmediate(resolve));
  while (full.length + filling.length > 0);
}

function takeAtOnce(): void {
  const begunAt = monotonicNow();
  const isDone = takeUntil(begunAt + NOTES_AT_ONCE_MS);
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
      if (record.context !== undefined) next = record.context.ledger.collect(records, next);
      else {
        if (record.charge !== undefined) record.uncharge(); // It ended before its object did.
        next++;
      }
    }
  } while (full.length + filling.length > 0 && monotonicNow() < deadline);
  isAnnounced = full.length + filling.length > 0;
  return !isAnnounced;
}

/** Of the kinds of collection that `perf_hooks` tells apart: mark-compact, and the steps of its marking. */
const MAJOR_KINDS: readonly unknown[] = [4, 8];

let collectingMs = 0;
let watchers = 0;
let observer: PerformanceObserver | undefined;

/** Whether one watches: apart from itself, so that it is known of one that is collected. */
interface Watch {
  isOn: boolean;
}

/** Whoever is forgotten while it watches watches no more. */
const forgotten = new FinalizationRegistry<Watch>(turnOff);

/**
 * How long this process has been in major collections, by what Node tells of them. There is one observer in the process,
 * however many watch, between `start` and `stop`: each would cost as much of every collection.
 */
class CollectingTime {
  readonly #watch: Watch = { isOn: false };

  constructor() {
    forgotten.register(this, this.#watch);
  }

  /** Milliseconds, of the time in which somebody watched; told a turn late. Only differences mean something. */
  get ms(): number {
    return collectingMs;
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

/** The external memory of the sessions of one attachment. */
export interface SessionMemories {
  /** @param countHandles how many handles the browser holds for the session. */
  open(page: AskablePage, countHandles: () => number, onLook: OnLook): ExternalMemory;
  /** A session for which one was opened is over. Once for each. */
  end(): void;
  /** Stops watching this process, for good. */
  stop(): void;
}

/** Told of each look at a page: its heap, and what a handle stands for there, in bytes; 0 while unknown. */
export type OnLook = (pageBytes: number, pageBytesPerHandle: number) => void;

/** The same number of bytes for all. */
export function fixedMemories(bytes: number): SessionMemories {
  return { open: () => fixedMemory(bytes), end: () => {}, stop: () => {} };
}

/** Each follows its page. A new page is taken to be like the last one looked at: in a farm pages live for a second. */
export function followingMemories(now: () => number): SessionMemories {
  const collecting = new CollectingTime();
  let lastBytes = FIRST_BYTES_PER_HANDLE;
  let sessions = 0;
  let isStopped = false;
  return {
    open: (page, countHandles, onLook) => {
      sessions++;
      if (!isStopped) collecting.start();
      return new FollowingMemory(page, {
        firstBytes: lastBytes,
        countHandles,
        collectingMs: () => collecting.ms,
        now,
        onLook,
        onWeighed: (bytes) => {
          lastBytes = bytes;
        },
      });
    },
    end: () => {
      if (--sessions === 0) collecting.stop();
    },
    stop: () => {
      isStopped = true;
      collecting.stop();
    },
  };
}

function note(list: PerformanceObserverEntryList): void {
  for (const { duration, detail } of list.getEntries() as (PerformanceEntry & {
    readonly detail?: unknown;
  })[]) {
    if (MAJOR_KINDS.includes((detail as { kind?: unknown } | undefined)?.kind)) collectingMs += duration;
  }
}
