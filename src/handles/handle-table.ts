/**
 * The records of remote objects: of each one, of those that share an execution context, and of those that share an object group;
 * with their states, and the counts that follow from them. The session's ledger moves them from state to state. They refer to
 * their ledger, and call nothing of it.
 *
 * ```text
 *   handle   live ──▶ dropped ──▶ queued ──▶ ended        group   open ──▶ closed ──▶ queued ──▶ released
 *              │         ▲ │        │  │                                  ▲ │   ▲       │
 *              │         └─┼─pinned─┘  │                            moving┘◀┘   └─named─┘
 *              └───────────┴───────────┴─▶ ended
 * ```
 *
 * Invariant: a record never refers to its RemoteObject strongly. The registry holds records, so that the object would
 * never be collected.
 */
import type { Release, ReleaseOwner } from '../batcher/release.ts';
import { emptyStats, type ReleaseStats } from '../batcher/stats.ts';
import type { TracedMint } from '../observe/traced-mint.ts';
import { FEWEST_CLEARED, ID_PAGE_BITS } from '../policy.ts';
import { executionContextIdOf, type Params, type RemoteObject } from './protocol.ts';

/** The batcher's counts, and those of handles alone. */
export interface LedgerStats extends ReleaseStats {
  /** Handles freed as members of a group released whole. */
  groupFreed: number;
  /** Handles that survived their group by being moved to another. */
  moved: number;
  /** Bytes of pages that may be garbage: of handles minted since the last collection here, as of the last look. */
  chargedBytes: number;
  /** Bytes of its page that one handle is taken to stand for; of those that are Blink's each counts eightfold. */
  bytesPerHandle: number;
  /** Heap of the page that was looked at last, in bytes, its garbage included; 0 until one was looked at. */
  pageBytes: number;
  /** What one handle was found to stand for in that page, in bytes; 0 while that is not known. */
  pageBytesPerHandle: number;
}

/** The counts as `stats()` shows them: a copy, with what follows from them. */
export interface AttachmentStats extends LedgerStats {
  /** Commands sent for each handle that the browser let go of; 0 while there is none. */
  commandsPerFreedHandle: number;
}

export function emptyLedgerStats(): LedgerStats {
  return {
    ...emptyStats(),
    groupFreed: 0,
    moved: 0,
    chargedBytes: 0,
    bytesPerHandle: 0,
    pageBytes: 0,
    pageBytesPerHandle: 0,
  };
}

/** How a scope was opened: by which method. */
export type ScopeKind = 'scope()' | 'openScope()';

export type HandleState = 'live' | 'dropped' | 'queued' | 'ended';

export const NEXT_STATES: Readonly<Record<HandleState, readonly HandleState[]>> = {
  live: ['dropped', 'ended'],
  dropped: ['queued', 'ended'],
  queued: ['dropped', 'ended'],
  ended: [],
};
/** The count that each state belongs to. A handle that has ended is counted by its ending. */
export const COUNTED = { live: 'live', dropped: 'queued', queued: 'queued' } as const;

/** Shared by all records of handles that were never moved. */
const NO_IDS: readonly string[] = [];

/** The owner of a record that has ended while its release waited: the release is withdrawn. */
const ENDED: ReleaseOwner = { claim: () => false, settled: () => {} };

/** One handle. It is its own `Release`, so that queueing allocates nothing. */
export class HandleRecord<Ledger extends ReleaseOwner> implements Release {
  // The order matters: the first six are read of each record as its handle is collected and ends. Of a hundred thousand records
  // none is in the processor's cache, so these fields stand side by side.
  /** `undefined` once the handle has ended: a program that keeps its object keeps a record then, but no ledger. */
  context: HandleContext<Ledger> | undefined;
  /** The object's group in the browser; `undefined` if none is known, and once the handle has ended. */
  group: ObjectGroup<Ledger> | undefined;
  state: HandleState = 'live';
  /** The number at the end of its id. See `Identified`. */
  idNumber = -1;
  /** How many unanswered commands name it. While there are any it is not released. */
  pins = 0;
  /** The line that minted it; known only while leaks are traced. */
  origin: TracedMint | undefined;
  /** Rewritten when the object is moved to another group. */
  objectId: string;
  /** Of a dropped handle: whether a command of the client's or the end of a scope dropped it. If not, the collector found it. */
  isDisposed = false;
  /** Whether no scope ends it. The scope's group then lives on with it, and is judged like any group that is partly dead. */
  hasEscaped = false;
  /** Whether it inherited the group of a scope outside of which it was minted. */
  isGuest = false;
  /** How the scope was opened whose end dropped it; `undefined` if none did. */
  endedWithScope: ScopeKind | undefined;
  /** The ids that it had before it was moved, oldest first. */
  formerIds: readonly string[] = NO_IDS;
  /** Kept if the handle may be moved, which rewrites the id in this object. */
  remoteObject: WeakRef<RemoteObject> | undefined;

  constructor(objectId: string, context: HandleContext<Ledger>, group: ObjectGroup<Ledger> | undefined) {
    this.objectId = objectId;
    this.context = context;
    this.group = group;
  }

  get method(): 'Runtime.releaseObject' {
    return 'Runtime.releaseObject';
  }

  get handles(): number {
    return 1;
  }

  get params(): Params {
    return { objectId: this.objectId };
  }

  get owner(): ReleaseOwner {
    return this.context?.ledger ?? ENDED;
  }

  /** Empties the record of a handle that has ended: it lives on as long as its object does. */
  letGo(): void {
    this.context = undefined;
    this.origin = undefined;
    this.formerIds = NO_IDS;
    this.remoteObject = undefined;
  }
}

/** The handles of one execution context, which end together when the context does. */
export class HandleContext<Ledger extends ReleaseOwner> {
  readonly ledger: Ledger;
  /** The beginning of all ids of the context. `''` for ids that do not tell their context: no context ends these handles. */
  readonly prefix: string;
  readonly records: IdTable<HandleRecord<Ledger>>;
  /** The protocol's `executionContextId`; `undefined` if the ids do not tell it. */
  readonly executionContextId: number | undefined;
  isDestroyed = false;

  constructor(ledger: Ledger, prefix: string) {
    this.ledger = ledger;
    this.prefix = prefix;
    this.records = new IdTable(prefix);
    this.executionContextId = executionContextIdOf(prefix);
  }
}

export type GroupStage = 'open' | 'closed' | 'moving' | 'queued' | 'released';

export const NEXT_STAGES: Readonly<Record<GroupStage, readonly GroupStage[]>> = {
  open: ['closed'],
  closed: ['moving', 'queued'],
  moving: ['closed'],
  queued: ['closed', 'released'],
  released: [],
};

/**
 * One object group of one session, as the browser keeps it: a name under which many objects are released by one command.
 * It is dead when that command may be sent: no member lives, none is pinned, no unanswered command may mint into it.
 */
export class ObjectGroup<Ledger extends ReleaseOwner> implements Release {
  readonly method = 'Runtime.releaseObjectGroup';
  readonly params: { readonly objectGroup: string };
  readonly ledger: Ledger;
  readonly owner: Ledger;
  readonly name: string;
  /** `own`: named and released by us. `foreign`: named by the user, who may release it as well, or by the browser. */
  readonly kind: 'own' | 'foreign';
  /** In the order of their mint. Members that have left stay listed for a while: never more than those that are in it, and 8. */
  members: HandleRecord<Ledger>[] = [];
  /** Ids in it that the client did not keep: dropped when they came, and in no table. */
  unkept: string[] = [];
  /** How many were ever minted into it. */
  minted = 0;
  /** How many members it has: neither ended nor moved to another group. */
  size = 0;
  /** Members that the program may still use. */
  live = 0;
  /** Dropped members whose release is not queued by itself. */
  dropped = 0;
  /** Dropped members that were disposed of, rather than found by the collector. */
  disposed = 0;
  /** Whether the program disposed of one of them. If not, only the client did, of handles that it had made for itself. */
  isUrgent = false;
  /** Time of the program's first disposal that waits; `Infinity` without one, `-Infinity` if it was due and could not be sent. */
  disposedSince: number = Number.POSITIVE_INFINITY;
  /** That time until a sweep notes it, where none is scheduled for that; `undefined` otherwise. */
  disposedAt: number | undefined;
  /** How many flushes had begun when the first of the dropped members was dropped. */
  oldestDrop = 0;
  /** How many members unanswered commands name. */
  pinned = 0;
  /** How many unanswered commands may mint into it. */
  pending = 0;
  /** How many members were released one by one, or moved: the browser's list of the group still has a number for each. */
  releasedSingly = 0;
  /** Called for a live member that is moved to another group. Set by the scope whose mints go into this one. */
  onMovedOut: ((record: HandleRecord<Ledger>) => void) | undefined;
  /** The scope whose mints go into it; `undefined` for all other groups. */
  scope: object | undefined;
  /** How many handles its release frees; fixed as the release leaves the queue. */
  handles = 0;
  readonly openedAt: number;
  /** When it last changed. */
  touchedAt: number;
  /** Time since which dropped members have been waiting; `Infinity` while there are none. */
  staleSince: number = Number.POSITIVE_INFINITY;
  /** The value of `dropped` at the sweep's last look. */
  droppedAtLastLook = 0;
  /** How many of its dead the ledger counts in `waitingDead`. */
  countedDead = 0;
  /** Whether it waits to be judged in the next sweep. */
  isTouched = false;
  /** How many moves of its survivors have failed: some of them stayed. */
  failedMoves = 0;
  /** After a failed move: the time until which disposed members wait for another try. */
  triedAgainUntil: number | undefined;
  /** Changed by the ledger's `setStage` alone. */
  stage: GroupStage = 'open';

  constructor(ledger: Ledger, name: string, kind: 'own' | 'foreign', now: number) {
    this.params = { objectGroup: name };
    this.ledger = ledger;
    this.owner = ledger;
    this.name = name;
    this.kind = kind;
    this.openedAt = now;
    this.touchedAt = now;
  }

  /** Whether one command may release it whole. */
  get isDead(): boolean {
    return this.live === 0 && this.pinned === 0 && this.pending === 0;
  }

  add(record: HandleRecord<Ledger>): void {
    this.members.push(record);
    this.minted++;
    this.size++;
    this.live++;
  }

  addUnkept(objectId: string): void {
    this.unkept.push(objectId);
    this.minted++;
    this.dropped++;
    this.disposed++;
  }

  /** Takes the ids that the client did not keep: they are released one by one, or have ended. */
  takeUnkept(): readonly string[] {
    const { unkept } = this;
    if (unkept.length === 0) return unkept;
    this.unkept = [];
    this.dropped -= unkept.length;
    this.disposed -= unkept.length;
    if (this.disposed === 0) this.#endDisposals();
    return unkept;
  }

  addDropped({ isDisposed }: HandleRecord<Ledger>): void {
    this.dropped++;
    if (isDisposed) this.disposed++;
  }

  /** Takes a member that no longer waits from the counts of the dropped. */
  removeDropped({ isDisposed }: HandleRecord<Ledger>): void {
    this.dropped--;
    if (isDisposed && --this.disposed === 0) this.#endDisposals();
  }

  #endDisposals(): void {
    this.isUrgent = false;
    this.disposedAt = undefined;
    this.disposedSince = Number.POSITIVE_INFINITY;
  }

  /** Marks the program's disposals as due: they were due before, and could not be sent. */
  setOverdue(): void {
    this.isUrgent = true;
    this.disposedSince = Number.NEGATIVE_INFINITY;
  }

  /** Removes a member that has ended or was moved. The list is cleared of many such members at once: so each costs the same. */
  remove(record: HandleRecord<Ledger>): void {
    this.size--;
    if (record.pins > 0) this.pinned--;
    record.group = undefined;
    if (this.members.length - this.size <= Math.max(FEWEST_CLEARED, this.size)) return;
    this.members = this.members.filter((member) => member.group === this);
  }
}

/** The longest number that is read as one: below 2³¹ V8 needs no allocation for it. */
const MOST_DIGITS = 9;
const ZERO = 48;

/** The number at the end of an id; -1 if there is none, it is too large, or it is not spelled as the browser spells it. */
export function idNumberOf(objectId: string, prefixLength: number): number {
  const digits = objectId.length - prefixLength;
  if (digits < 1 || digits > MOST_DIGITS) return -1;
  let number = 0;
  for (let index = prefixLength; index < objectId.length; index++) {
    const digit = objectId.charCodeAt(index) - ZERO;
    if (digit < 0 || digit > 9) return -1;
    number = number * 10 + digit;
    if (number === 0 && digits > 1) return -1; // A leading zero.
  }
  return number;
}

/** How many numbers have a place in a page. */
const PAGE_SIZE = 2 ** ID_PAGE_BITS;

class Page<Item> {
  readonly key: number;
  readonly slots: (Item | undefined)[] = new Array(PAGE_SIZE).fill(undefined);
  used = 0;

  constructor(key: number) {
    this.key = key;
  }
}

/** What an `IdTable` keeps. */
export interface Identified {
  readonly objectId: string;
  /** The number of its id; -1 if it has none. Set by the table: a million ids are then struck out without being read. */
  idNumber: number;
}

/**
 * The items of one context by their ids. The browser counts the ids' numbers up, and handles are mostly looked up and struck out
 * in the order of their mint. So items stand in pages by number: the next item is one step away in memory, while a look-up in a map
 * of strings takes several far steps.
 *
 * Invariant: an id that is found by its number has no other spelling, so two ids never share a place.
 */
export class IdTable<Item extends Identified> {
  readonly #prefixLength: number;
  readonly #pages = new Map<number, Page<Item>>();
  /** The page used last. It is kept when it is empty: a loop that disposes of each handle would make it anew each time. */
  #recent: Page<Item> = new Page(-1);
  readonly #others = new Map<string, Item>();
  size = 0;

  /** @param prefix the beginning of all ids of the context. */
  constructor(prefix: string) {
    this.#prefixLength = prefix.length;
  }

  get(objectId: string): Item | undefined {
    const number = idNumberOf(objectId, this.#prefixLength);
    if (number < 0) return this.#others.get(objectId);
    return this.#pageOf(number)?.slots[number % PAGE_SIZE];
  }

  /** Does nothing if the table has an item of that id. @returns whether it had none. */
  add(item: Item): boolean {
    const { objectId } = item;
    const number = idNumberOf(objectId, this.#prefixLength);
    item.idNumber = number;
    if (number < 0) {
      if (this.#others.has(objectId)) return false;
      this.#others.set(objectId, item);
    } else {
      const page = this.#pageOf(number) ?? this.#addPage(number >>> ID_PAGE_BITS);
      if (page.slots[number % PAGE_SIZE] !== undefined) return false;
      page.slots[number % PAGE_SIZE] = item;
      page.used++;
    }
    this.size++;
    return true;
  }

  /** @param item one that was added, and need not be in the table any more. */
  delete(item: Item): void {
    const number = item.idNumber;
    if (number < 0) {
      if (this.#others.get(item.objectId) === item && this.#others.delete(item.objectId)) this.size--;
      return;
    }
    const page = this.#pageOf(number);
    if (page?.slots[number % PAGE_SIZE] !== item) return;
    page.slots[number % PAGE_SIZE] = undefined;
    page.used--;
    this.size--;
  }

  /** All items; any may be deleted meanwhile. */
  *values(): Generator<Item> {
    for (const part of this.parts()) {
      for (const item of part) if (item !== undefined) yield item;
    }
  }

  /** The same, many at a time, with gaps between them. */
  *parts(): Generator<Iterable<Item | undefined>> {
    for (const { slots } of this.#pages.values()) yield slots;
    yield this.#others.values();
  }

  #pageOf(number: number): Page<Item> | undefined {
    const key = number >>> ID_PAGE_BITS;
    if (this.#recent.key === key) return this.#recent;
    const page = this.#pages.get(key);
    if (page !== undefined) this.#use(page);
    return page;
  }

  #addPage(key: number): Page<Item> {
    const page = new Page<Item>(key);
    this.#pages.set(key, page);
    this.#use(page);
    return page;
  }

  #use(page: Page<Item>): void {
    if (this.#recent.used === 0) this.#pages.delete(this.#recent.key);
    this.#recent = page;
  }
}
