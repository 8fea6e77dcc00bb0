/**
 * Learns from the garbage collector which RemoteObjects the program has let go of.
 *
 * All finalizers of a collection run in one job that cannot be sliced. So each finalizer only makes a note: of a hundred thousand
 * records none is in the processor's cache, and fetching them is most of the cost. The first notes are taken when that job is
 * over, so that the browser hears of them soon, and the rest turn by turn. There is one list for all attachments, and the finalizer
 * is bound to none: V8 throws optimised code away together with the object that it was made for.
 */
import * as policy from '../policy.ts';
import { afterThisJob, chargeTurn, SlicedJob } from '../runtime/event-loop.ts';
import { monotonicNow, setImmediate } from '../timers.ts';
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
