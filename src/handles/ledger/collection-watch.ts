/**
 * Learns from the garbage collector which RemoteObjects the program let go of, and makes the collector
 * feel what they weigh in the page: charged to the local heap, a page that grows makes V8 collect here,
 * which nothing else would (a handle is 200 bytes here, and may be 200 KB there).
 */
import type { RemoteObject } from '../protocol.ts';
import { onCollected } from './collected-handles.ts';
import type { HandleRecord } from './handle-record.ts';
import type { LedgerStats } from './ledger-stats.ts';

/** The part of `FinalizationRegistry` that is used; a test plays the collector. */
export interface Registry {
  register(target: object, record: HandleRecord): void;
}

/** Makes the registry, given what it is to call for each object collected. */
export type RegistryFactory = (onCollected: (record: HandleRecord) => void) => Registry;

export const garbageCollector: RegistryFactory = (onCollected) => new FinalizationRegistry(onCollected);

export interface CollectionWatchOptions {
  /** Whether records get a weak way back to their RemoteObject. */
  readonly keepsObjects: boolean;
  readonly createRegistry: RegistryFactory;
}

export class CollectionWatch {
  readonly #registry: Registry;
  readonly #stats: LedgerStats;
  readonly #keepsObjects: boolean;
  /** Buffers by the RemoteObject whose life they share. Not a property: the client's objects stay as they are. */
  #weights = new WeakMap<RemoteObject, ArrayBuffer>();
  #debt = 0;

  constructor(stats: LedgerStats, options: CollectionWatchOptions) {
    this.#stats = stats;
    this.#keepsObjects = options.keepsObjects;
    this.#registry = options.createRegistry(onCollected);
  }

  /**
   * Without a token: to unregister would cost ten times what an outdated callback does.
   *
   * @param bytes what it weighs at full weight; 0 for nothing.
   * @param live how many handles live, this one included.
   * @param ordinal the object's place among those of its message. Of a long list only the first are charged:
   * thousands of handles at once are a weight of their own here, and charging each would cost more than it
   * tells.
   */
  register(
    remoteObject: RemoteObject,
    record: HandleRecord,
    bytes: number,
    live: number,
    ordinal: number,
  ): void {
    this.#stats.bytesPerHandle = bytes;
    if (bytes > 0 && ordinal < MOST_CHARGED_PER_MESSAGE) this.#charge(remoteObject, record, bytes, live);
    if (this.#keepsObjects) record.remoteObject = new WeakRef(remoteObject);
    this.#registry.register(remoteObject, record);
  }

  /** Takes all weights off: of the objects that live on, too. */
  unburden(): void {
    this.#weights = new WeakMap();
  }

  /**
   * A handle weighs its full weight while few live. Once they weigh `FULL_WEIGHT_UP_TO` together, the weight
   * of one more falls as the number alive rises, so that the sum grows with its logarithm: a collection comes
   * each time the handles alive have grown by about the same factor, and a million of them do not cost
   * gigabytes.
   */
  #charge(remoteObject: RemoteObject, record: HandleRecord, fullWeight: number, live: number): void {
    this.#debt += Math.min(fullWeight, FULL_WEIGHT_UP_TO / live);
    if (this.#debt < (fullWeight < LARGE_WEIGHT ? SMALL_BUFFER : LARGE_BUFFER)) return;
    const bytes = Math.floor(this.#debt);
    this.#debt -= bytes;
    try {
      // Zeroed by the system and never touched: it costs address space and a promise, not memory.
      this.#weights.set(remoteObject, new ArrayBuffer(bytes));
    } catch {
      return; // No room for so much as a promise. The handle is tracked without its weight.
    }
    record.charge = { bytes, stats: this.#stats };
    this.#stats.chargedBytes += bytes;
  }
}

const MOST_CHARGED_PER_MESSAGE = 64;
/** Bytes. */
const FULL_WEIGHT_UP_TO = 64 * 2 ** 20;
/**
 * Weights are saved up for one buffer: an ArrayBuffer and its place in a WeakMap take more time than all else
 * that is done for a handle, when it is made and in each collection.
 */
const SMALL_BUFFER = 2 ** 18;
/**
 * Large weights are saved up as well, for one buffer that makes V8 collect by itself. Charged bit by bit, they
 * have it begin a new marking at any time once half a semi-space of them is there: twice the collections,
 * many of them for a handful of handles.
 */
const LARGE_WEIGHT = 2 ** 18;
const LARGE_BUFFER = 33 * 2 ** 20;
