/**
 * What is known of remote objects: of each by itself, of those that share an execution context, and of those
 * that share an object group. A record goes one way only:
 *
 * ```text
 *   live ──▶ dropped ──▶ queued ──▶ ended
 *              ▲            │
 *              └── pinned ──┘     (a command that names it was sent meanwhile)
 * ```
 *
 * It never refers to its RemoteObject strongly: the registry holds records, and a record that held its object
 * would keep it from ever being collected. What moves a record is the ledger's doing; what is asked of a
 * ledger stands here as well, since all these name one another.
 */
import type { Dispatcher } from '../../batcher/dispatcher.ts';
import type { Reach, Release } from '../../batcher/release.ts';
import type { SessionQueue } from '../../batcher/session-queue.ts';
import type { TracedMint } from '../../observe/traced-mint.ts';
import type { AnsweredCommands } from '../answered-commands.ts';
import type { Params, RemoteObject } from '../protocol.ts';
import type { LedgerStats } from './ledger-stats.ts';
import { executionContextIdOf } from './object-id.ts';
import type { PartlyDead } from './partly-dead.ts';
import { RecordTable } from './record-table.ts';

/** Shared by all that never moved. */
const NONE: readonly string[] = [];

export type HandleState = 'live' | 'dropped' | 'queued' | 'ended';

/** Is its own `Release`, so that queueing one allocates nothing. */
export class HandleRecord implements Release {
  // In this order: the first six are read of each that is collected, and of what may be a hundred thousand records none is
  // in the processor's cache, so they stand side by side.
  /** `undefined` once it has ended: whoever keeps its object is to keep a record, and not a ledger. */
  context: ContextRecords | undefined;
  /** The group that the browser counts it in; `undefined` where it belongs to none that is known, and once it has ended. */
  group: ObjectGroup | undefined;
  state: HandleState = 'live';
  /** Unanswered commands that name it. While there are any it is not released. */
  pins = 0;
  /** What is charged to the local heap on its behalf, until its object is collected. */
  charge: Charge | undefined;
  /** Where it was minted; known only while leaks are traced. */
  origin: TracedMint | undefined;
  /** Rewritten when the object is moved to another group. */
  objectId: string;
  /** Dropped by a command of the client's, or by the end of a scope; what else is dropped, the collector found. */
  isDisposed = false;
  /** No scope ends it. Its scope's group then lives on with it, and is judged as any that is partly dead. */
  hasEscaped = false;
  /** It is in the group of a scope by inheritance, and was minted outside that scope. */
  isGuest = false;
  /** Whether it was dropped as its scope ended. */
  endedWithScope = false;
  /** The ids that it had before it was moved, oldest first. */
  formerIds: readonly string[] = NONE;
  /** Kept where it may be moved, which rewrites the object's id. */
  remoteObject: WeakRef<RemoteObject> | undefined;

  constructor(objectId: string, context: ContextRecords, group: ObjectGroup | undefined) {
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

  /** Part of `Release`: whether it may still be sent, asked as it leaves the queue. */
  claim(): boolean {
    return this.context?.ledger.releases.claim(this) ?? false;
  }

  /** Part of `Release`. */
  settled(): void {
    this.letGo();
  }

  /** The local heap is rid of what was charged to it on the record's behalf. */
  unburden(): void {
    if (this.charge === undefined) return;
    this.charge.stats.chargedBytes -= this.charge.bytes;
    this.charge = undefined;
  }

  /** It has ended: from now on it is a few words for as long as its object lives. */
  letGo(): void {
    this.context = undefined;
    this.origin = undefined;
    this.formerIds = NONE;
    this.remoteObject = undefined;
  }
}

/** Bytes charged to the local heap, and the books that they are in. */
export interface Charge {
  readonly bytes: number;
  readonly stats: LedgerStats;
}

/** The handles of one execution context, which end together when the context does. */
export class ContextRecords {
  readonly ledger: Ledger;
  /** What all its ids begin with; `''` for the ids that do not tell their context. */
  readonly prefix: string;
  readonly records: RecordTable<HandleRecord>;
  /** The protocol's `executionContextId`; `undefined` where the ids do not tell. */
  readonly executionContextId: number | undefined;
  isDestroyed = false;

  constructor(ledger: Ledger, prefix: string) {
    this.ledger = ledger;
    this.prefix = prefix;
    this.records = new RecordTable(prefix);
    this.executionContextId = executionContextIdOf(prefix);
  }

  /** Whether the ids tell which context it is; if not, what holds for one of them says nothing of the others. */
  get isNamed(): boolean {
    return this.prefix !== '';
  }
}

/** What ends the handles of its groups, and those that were moved from there. */
export interface OwningScope {
  follow(record: HandleRecord): void;
}

/** `own`: named here, released here. `foreign`: named by the user, who may release it as well. */
export type GroupOwner = 'own' | 'foreign';

export type GroupStage = 'open' | 'closed' | 'moving' | 'queued' | 'released';

/**
 * One object group of one session, as the browser keeps it: a name under which many objects are
 * released by one command. The books here decide when that command may be sent: no member lives, none is
 * pinned, and no command that could still mint into the group is unanswered.
 */
export class ObjectGroup implements Release {
  readonly method = 'Runtime.releaseObjectGroup';
  readonly ledger: Ledger;
  readonly name: string;
  readonly owner: GroupOwner;
  /** In the order of their mint. Those that left stay listed for a while: never more of them than of those that did not. */
  members: HandleRecord[] = [];
  /** How many were ever minted into it. */
  minted = 0;
  /** Of these, how many are in it still: neither ended nor moved to another. */
  size = 0;
  /** Members that the program may still use. */
  live = 0;
  /** Members dropped whose release is not queued one by one. */
  dropped = 0;
  /** Of these, members that were disposed of, rather than found by the collector. */
  disposed = 0;
  /** Whether the program disposed of one of these, and not only the client of what it had made for itself. */
  isUrgent = false;
  /**
   * Since when what the program disposed of has been waiting; `Infinity` while nothing has, and `-Infinity` for what
   * could not be sent when its time had come, and is when that has changed.
   */
  disposedSince: number = Number.POSITIVE_INFINITY;
  /** How many flushes had begun when the first of those dropped was. */
  oldestDrop = 0;
  /** Members that an unanswered command names. */
  pinned = 0;
  /** Unanswered commands that may mint into it. */
  pending = 0;
  /** Members released one by one, or moved away; the browser's list of the group still has a number for each. */
  releasedSingly = 0;
  stage: GroupStage = 'open';
  /** The scope whose mints go into it; `undefined` for all other groups. */
  scope: OwningScope | undefined;
  /** Part of `Release`: what the command frees, fixed by `claim`. */
  handles = 0;
  readonly openedAt: number;
  /** When it last changed. */
  touchedAt: number;
  /** When a member was last dropped. */
  lostAt = 0;
  /** Since when dropped members have been waiting; `Infinity` while there are none. */
  staleSince: number = Number.POSITIVE_INFINITY;
  /** What `dropped` was when the sweep last passed by. */
  droppedAtLastLook = 0;
  /** Waits to be judged in the next sweep. */
  isTouched = false;
  /** Moving its survivors was tried and failed: its dead go one by one. */
  isUnmovable = false;
  constructor(ledger: Ledger, name: string, owner: GroupOwner, now: number) {
    this.ledger = ledger;
    this.name = name;
    this.owner = owner;
    this.openedAt = now;
    this.touchedAt = now;
  }

  get params(): Params {
    return { objectGroup: this.name };
  }

  /** Nothing lives in it, nothing names a member, nothing can be born into it. */
  get isDead(): boolean {
    return this.live === 0 && this.pinned === 0 && this.pending === 0;
  }

  add(record: HandleRecord): void {
    this.members.push(record);
    this.minted++;
    this.size++;
    this.live++;
  }

  /** A dropped member waits for the release of the group, or for one of its own. */
  addDropped({ isDisposed }: HandleRecord): void {
    this.dropped++;
    if (isDisposed) this.disposed++;
  }

  /** A dropped member waits no longer. */
  removeDropped({ isDisposed }: HandleRecord): void {
    this.dropped--;
    if (isDisposed && --this.disposed === 0) this.#endUrgency();
  }

  /** What the program disposed of has been due already. */
  setOverdue(): void {
    this.isUrgent = true;
    this.disposedSince = Number.NEGATIVE_INFINITY;
  }

  #endUrgency(): void {
    this.isUrgent = false;
    this.disposedSince = Number.POSITIVE_INFINITY;
  }

  /** A member has ended, or was moved to another group: it is forgotten with as many others, so that it costs each the same. */
  remove(record: HandleRecord): void {
    this.size--;
    if (record.pins > 0) this.pinned--;
    record.group = undefined;
    if (this.members.length - this.size <= Math.max(MOST_LEFT_LISTED, this.size)) return;
    this.members = this.members.filter((member) => member.group === this);
  }

  /** Part of `Release`. */
  claim(): boolean {
    return this.ledger.releases.claimGroup(this);
  }

  /** Part of `Release`. */
  settled(): void {
    // Not before the answer, which would have to wait for it.
    this.ledger.services.sweeper.retire(this);
  }
}

/** So few that left are not worth clearing away. */
const MOST_LEFT_LISTED = 8;

/** What a session's ledger does for its handles, and for those who decide over them. */
export interface Ledger {
  readonly services: LedgerServices;
  /** The unhooked way to the browser, which keeps the session weakly. */
  readonly queue: SessionQueue;
  /** Whether the browser takes this session's commands in order: pages do, workers do not. */
  readonly isOrdered: boolean;
  readonly target: { readonly isWatched: boolean };
  readonly hasEnded: boolean;
  readonly isForsaken: boolean;
  /** What a handle stands for in the page, in bytes; 0 while that is not known. */
  readonly pageBytesPerHandle: number;
  readonly releases: Releases;
  readonly endings: Endings;
  readonly generations: { create(): ObjectGroup; close(group: ObjectGroup): void };
  /** Groups whose dead wait for the rest to die, oldest first; kept by the sweep. */
  readonly partlyDead: PartlyDead;
  end(record: HandleRecord): void;
  strikeOut(record: HandleRecord): void;
  rebind(record: HandleRecord, objectId: string, target: ObjectGroup): boolean;
  noteAnswered(group: ObjectGroup): void;
  touch(group: ObjectGroup): void;
}

/** How handles come to be released by us. */
export interface Releases {
  pin(record: HandleRecord): void;
  unpin(record: HandleRecord): void;
  drop(record: HandleRecord, cause: 'disposed' | 'collected'): void;
  tidy(record: HandleRecord): void;
  dropMembers(group: ObjectGroup): void;
  dropWithScope(record: HandleRecord): void;
  collect(records: readonly HandleRecord[], first: number): number;
  enqueue(record: HandleRecord): void;
  take(record: HandleRecord): boolean;
  enqueueGroup(group: ObjectGroup): void;
  endHolds(): void;
  claim(record: HandleRecord): boolean;
  claimGroup(group: ObjectGroup): boolean;
}

/** How handles end without a release of ours. */
export interface Endings {
  elide(record: HandleRecord): void;
  endFreed(record: HandleRecord, group: ObjectGroup): void;
  onRefused(context: ContextRecords | undefined, reach: Reach): void;
}

/** What the ledgers of one attachment share. */
export interface LedgerServices {
  /** What the ledgers do not know yet of what has been answered. */
  readonly answers: AnsweredCommands;
  readonly stats: LedgerStats;
  readonly dispatcher: Dispatcher;
  readonly sweeper: Sweep;
  readonly usesGroups: boolean;
  readonly movesSurvivors: boolean;
  /** How many flushes have begun. A drop notes the number, so that a flush can tell what came before it. */
  readonly flushes: { begun: number };
  /** Milliseconds, monotonic. */
  now(): number;
}

/** Where a ledger reports what has to be seen to, though not now. */
export interface Sweep {
  touch(group: ObjectGroup): void;
  hasten(group: ObjectGroup): void;
  retire(group: ObjectGroup): void;
  free(group: ObjectGroup, freed: readonly HandleRecord[]): void;
  elide(context: ContextRecords): void;
  unpin(ledger: Ledger, records: readonly HandleRecord[]): void;
  noteChange(): void;
  flushNow(ledger: Ledger): void;
}
