/**
 * What the garbage collector tells: a registry finds the RemoteObjects that the program let go of. What handles hold of
 * their pages is counted as they are minted, so that a growing page causes collections here: see `collection-pressure.ts`.
 *
 * All finalizers of a collection run in one job that nothing can slice, so that each only makes a note: of a hundred
 * thousand records none is in the processor's cache, and fetching them is most of the cost. The notes are taken when that
 * job is over, so that the browser hears of them as soon as possible, and the rest turn by turn. There is one list for all
 * attachments, and the finalizer is bound to none: V8 throws optimised code away with an object that it was made for.
 */
import {
  FIRST_BYTES_PER_HANDLE,
  NOTES_AT_ONCE_MS,
  STEPS_PER_LOOK,
  SUSPECTED_PER_MESSAGE,
} from '../policy.ts';
import { afterThisJob, chargeTurn, SlicedJob } from '../runtime/event-loop.ts';
import { monotonicNow, setImmediate } from '../timers.ts';
import { SuspectsOfAttachment } from './collection-pressure.ts';
import type { LedgerStats } from './handle-table.ts';
import { type AskablePage, FollowingMemory, fixedMemory, type PageMemory } from './page-memory.ts';
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
    if (ordinal < SUSPECTED_PER_MESSAGE) memory.suspected++;
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
  if (notes === STEPS_PER_LOOK) {
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
      next = record.context?.ledger.collect(records, next) ?? next + 1; // It may have ended before its object did.
    }
  } while (full.length + filling.length > 0 && monotonicNow() < deadline);
  isAnnounced = full.length + filling.length > 0;
  return !isAnnounced;
}

/** What the sessions of one attachment hold of their pages. */
export interface SessionMemories {
  /** @param countHandles how many handles the browser holds for the session. */
  open(page: AskablePage, countHandles: () => number, onLook: OnLook): PageMemory;
  /** A session for which one was opened is over. Once for each. */
  end(): void;
  /** Stops watching this process, for good. */
  stop(): void;
}

/** Told of each look at a page: its heap, and what a handle stands for there, in bytes; 0 while unknown. */
export type OnLook = (pageBytes: number, pageBytesPerHandle: number) => void;

/** The counts that the memories of an attachment keep, and the one that they read. */
export type MemoryStats = Pick<LedgerStats, 'live' | 'chargedBytes' | 'bytesPerHandle'>;

/** Each handle is taken to hold the same number of bytes; with 0 no collection is ever caused. */
export function fixedMemories(bytes: number, stats: MemoryStats): SessionMemories {
  if (bytes === 0) return { open: () => fixedMemory(0), end: () => {}, stop: () => {} };
  return memoriesBy(stats, (_page, onMinted) => fixedMemory(bytes, onMinted));
}

/** Each follows its page. A new page is taken to be like the last one looked at: in a farm pages live for a second. */
export function followingMemories(now: () => number, stats: MemoryStats): SessionMemories {
  let lastBytes = FIRST_BYTES_PER_HANDLE;
  const onWeighed = (bytes: number): void => {
    lastBytes = bytes;
  };
  return memoriesBy(
    stats,
    (page, onMinted, countHandles, onLook) =>
      new FollowingMemory(page, { firstBytes: lastBytes, countHandles, now, onMinted, onLook, onWeighed }),
  );
}

type OpenMemory = (
  page: AskablePage,
  onMinted: (handles: number, bytesPerHandle: number) => void,
  countHandles: () => number,
  onLook: OnLook,
) => PageMemory;

function memoriesBy(stats: MemoryStats, open: OpenMemory): SessionMemories {
  const suspects = new SuspectsOfAttachment(stats);
  const onMinted = (handles: number, bytesPerHandle: number): void => {
    stats.bytesPerHandle = bytesPerHandle;
    stats.chargedBytes = suspects.add(handles, bytesPerHandle);
  };
  let sessions = 0;
  let isStopped = false;
  return {
    open: (page, countHandles, onLook) => {
      sessions++;
      if (!isStopped) suspects.start();
      return open(page, onMinted, countHandles, onLook);
    },
    end: () => {
      if (--sessions === 0) suspects.stop();
    },
    stop: () => {
      isStopped = true;
      suspects.stop();
    },
  };
}
