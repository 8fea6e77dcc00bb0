/**
 * The ledger of one session: which remote objects it minted, who still names them, and how each ended.
 * Ids are valid in their own session only, so nothing here is ever looked up by an id alone.
 *
 * Invariant: a record leaves for the browser only when its state is `dropped`, no unanswered command names
 * it, and, with a whole group, when the same holds for each member and no command can mint into it.
 */
import type { Lane } from '../batcher/lane.ts';
import type { ReleaseSession } from '../batcher/release.ts';
import type { CollectionWatch } from './collection-watch.ts';
import { ForeignGroups } from './foreign-groups.ts';
import type { HandleWeight } from './gc-weight.ts';
import { Generations } from './generations.ts';
import { HandleIndex } from './handle-index.ts';
import {
  HandleRecord,
  LARGE_GROUP,
  type Ledger,
  type LedgerServices,
  type ObjectGroup,
} from './handle-record.ts';
import type { RemoteObject } from './protocol.ts';
import { SessionDebts } from './session-debts.ts';
import { SessionEndings } from './session-endings.ts';
import type { Sweeper } from './sweeper.ts';

/** What all ledgers of one attachment share, and only they use. */
export interface SessionServices extends LedgerServices {
  readonly sweeper: Sweeper;
  readonly watch: CollectionWatch;
  /** What the handles of a session are to weigh. */
  createWeight(ledger: SessionLedger): HandleWeight;
}

export class SessionLedger implements Ledger {
  readonly services: SessionServices;
  /** The unhooked way to the browser. */
  readonly session: ReleaseSession;
  readonly lane: Lane;
  /** Whether the browser takes this session's commands in order: pages do, workers do not. */
  readonly isOrdered: boolean;
  readonly generations: Generations;
  readonly #weight: HandleWeight;
  readonly #index: HandleIndex = new HandleIndex(this);
  /** Groups whose dead wait for the rest to die, oldest first; kept by the sweeper. */
  readonly partlyDead: Set<ObjectGroup> = new Set();
  readonly debts: SessionDebts = new SessionDebts();
  readonly foreignGroups: ForeignGroups = new ForeignGroups(this);
  readonly endings: SessionEndings = new SessionEndings(this, this.#index);
  /** Reasons not to trust a collection just now, and what was collected meanwhile. */
  #holds = 0;
  #held: HandleRecord[] = [];
  #isForsaken = false;

  constructor(services: SessionServices, session: ReleaseSession, isOrdered: boolean) {
    this.services = services;
    this.session = session;
    this.lane = services.dispatcher.lane(session);
    this.isOrdered = isOrdered;
    this.generations = new Generations(this);
    this.#weight = services.createWeight(this);
  }

  /** How many handles the browser holds for the session, those included that are dropped and not released yet. */
  get size(): number {
    return this.#index.size;
  }

  get pageBytesPerHandle(): number {
    return this.#weight.pageBytes;
  }

  /**
   * Notes a remote object that the client is about to get, and watches for its collection.
   *
   * @param ordinal its place among the remote objects of its message.
   */
  mint(
    remoteObject: RemoteObject & { objectId: string },
    group: ObjectGroup | undefined,
    ordinal: number,
  ): HandleRecord | undefined {
    if (this.#isForsaken) return undefined;
    const { stats, watch } = this.services;
    const context = this.#index.contextOf(remoteObject.objectId);
    if (context.records.has(remoteObject.objectId)) return undefined; // A message seen twice.
    stats.minted++;
    if (this.hasEnded) {
      stats.elided++;
      return undefined;
    }
    stats.live++;
    const record = new HandleRecord(remoteObject.objectId, context, group);
    this.#index.add(record);
    group?.add(record);
    this.#weight.onMint();
    watch.register(remoteObject, record, this.#weight.bytes, stats.live, ordinal);
    return record;
  }

  /** The record of an id, whichever it had; `undefined` for one that is not in the ledger. */
  find(objectId: string): HandleRecord | undefined {
    const record = this.#index.find(objectId);
    return record?.group?.stage === 'released' ? undefined : record;
  }

  get hasEnded(): boolean {
    return this.endings.hasEnded;
  }

  get hasFormerIds(): boolean {
    return this.#index.hasFormerIds;
  }

  /** The id by which the browser knows the object now. */
  currentId(objectId: string): string {
    return this.#index.currentId(objectId);
  }

  pin(record: HandleRecord): void {
    record.pins++;
    if (record.pins > 1) return;
    if (record.group !== undefined) record.group.pinned++;
    if (record.state !== 'live') this.debts.addPinned(record, 0); // Dropped before, nobody knows how long.
  }

  unpin(record: HandleRecord): void {
    record.pins--;
    if (record.pins > 0) return;
    if (record.group !== undefined) {
      record.group.pinned--;
      this.touch(record.group);
    }
    this.debts.removePinned(record);
    if (record.state !== 'dropped') return;
    if (!this.#isSweptWhole(record)) this.releaseSingly(record);
    this.services.sweeper.noteChange();
  }

  /** The program let go of it. Safe to call in any state: only what lives can be dropped. */
  drop(record: HandleRecord, cause: 'disposed' | 'collected'): void {
    if (record.state !== 'live') return;
    const { stats } = this.services;
    record.state = 'dropped';
    if (record.pins > 0) this.debts.addPinned(record, this.services.flushes.begun);
    stats.live--;
    stats.queued++;
    stats[cause]++;
    record.origin?.end(cause);
    const { group } = record;
    if (group !== undefined) {
      group.live--;
      if (group.dropped === 0) group.oldestDrop = this.services.flushes.begun;
      group.dropped++;
      this.touch(group);
      if (group.live === 0 && group.dropped >= LARGE_GROUP) this.services.sweeper.hasten(group);
    }
    if (!this.#isSweptWhole(record) && record.pins === 0) this.releaseSingly(record);
  }

  /** The program let go of all that lives in a group of ours, but for what is spared: `drop` for many at once. */
  dropMembers(group: ObjectGroup, spared: { has(record: HandleRecord): boolean }): void {
    const { begun } = this.services.flushes;
    if (group.dropped === 0) group.oldestDrop = begun;
    let dropped = 0;
    for (const record of group.members) {
      if (record.state !== 'live' || record.group !== group || spared.has(record)) continue;
      record.state = 'dropped';
      if (record.pins > 0) this.debts.addPinned(record, begun);
      record.origin?.end('disposed');
      dropped++;
    }
    const { stats } = this.services;
    stats.live -= dropped;
    stats.queued += dropped;
    stats.disposed += dropped;
    group.live -= dropped;
    group.dropped += dropped;
    this.touch(group);
    if (group.live === 0 && group.dropped >= LARGE_GROUP) this.services.sweeper.hasten(group);
  }

  /** The garbage collector found it unreachable. Put off while an id may be on its way as a bare string. */
  collect(record: HandleRecord): void {
    if (this.#isForsaken) return;
    if (this.#holds > 0) this.#held.push(record);
    else this.drop(record, 'collected');
  }

  /** From now until `unhold`, collections are put off. Nests. */
  hold(): void {
    this.#holds++;
  }

  unhold(): void {
    this.#holds--;
    if (this.#holds > 0) return;
    const held = this.#held;
    this.#held = [];
    for (const record of held) this.drop(record, 'collected');
    this.services.sweeper.noteChange();
  }

  /** Has a dropped, unpinned record released by a command of its own. */
  releaseSingly(record: HandleRecord): void {
    if (record.group !== undefined) record.group.dropped--;
    record.state = 'queued';
    this.services.dispatcher.enqueue(this.lane, record);
  }

  /**
   * Takes a record out of the ledger for a release that the caller sends himself, at once; its handle is in
   * the books as in flight from here on. False where it has been sent already.
   */
  takeForRelease(record: HandleRecord): boolean {
    this.drop(record, 'disposed');
    if (record.state === 'ended') return false;
    const { stats } = this.services;
    stats.queued--;
    stats.inFlight++;
    const { group } = record;
    if (group !== undefined) {
      if (record.state === 'dropped') group.dropped--;
      group.releasedSingly++;
      this.touch(group);
    }
    this.end(record);
    return true;
  }

  /** Has a dead group released by one command. */
  releaseWhole(group: ObjectGroup): void {
    group.stage = 'queued';
    this.services.dispatcher.enqueue(this.lane, group);
  }

  /** A record leaves the queue: whether it may be sent. */
  claimRecord(record: HandleRecord): boolean {
    if (record.context.isDestroyed) this.endings.elide(record);
    if (record.state === 'ended') return false;
    if (record.pins > 0) {
      record.state = 'dropped';
      if (record.group !== undefined) {
        record.group.dropped++;
        record.group.oldestDrop = 0; // Long ago, for all that is known.
      }
      return false;
    }
    if (record.group !== undefined) record.group.releasedSingly++;
    this.end(record);
    return true;
  }

  /** A group leaves the queue: whether it may be sent. */
  claimGroup(group: ObjectGroup): boolean {
    if (group.stage !== 'queued') return false;
    if (!group.isDead || this.hasEnded) {
      group.stage = 'closed'; // Named again since, or gone with its session: the sweep sees to it.
      this.touch(group);
      return false;
    }
    group.stage = 'released';
    group.handles = group.dropped;
    group.dropped = 0;
    this.services.stats.groupFreed += group.handles;
    return true;
  }

  /** Strikes a record out, its books being settled elsewhere. */
  end(record: HandleRecord): void {
    record.state = 'ended';
    if (record.pins > 0) this.debts.removePinned(record);
    this.#index.remove(record);
  }

  /**
   * The object has a new id, in another group. False, with all left as it is, where it is pinned or no
   * longer lives; the group that it stays in is not released over its head.
   */
  rebind(record: HandleRecord, objectId: string, target: ObjectGroup): boolean {
    if (record.state !== 'live' || record.pins > 0 || record.context.isDestroyed) return false;
    if (this.#isForsaken) return false; // Nobody would translate the old id.
    if (!rewriteId(record, objectId)) return false;
    this.#index.rename(record, objectId);
    if (record.group !== undefined) record.group.live--;
    record.group = target;
    target.add(record);
    this.services.stats.moved++;
    return true;
  }

  /** Whether, being forsaken, it still has something to release: what is named, or was found under a hold. */
  get isOwing(): boolean {
    return this.debts.hasPinnedDead || this.#held.length > 0;
  }

  get isForsaken(): boolean {
    return this.#isForsaken;
  }

  /** Gives up the books: what lives is the client's own affair from now on. */
  forsake(): void {
    this.#isForsaken = true;
  }

  /** Members of own groups are left to the sweep, which may find a cheaper way than one command each. */
  #isSweptWhole(record: HandleRecord): boolean {
    return record.group !== undefined && record.group.owner === 'own' && !this.#isForsaken;
  }

  /** Something about a group has changed. */
  touch(group: ObjectGroup): void {
    if (group.owner === 'own') this.services.sweeper.touch(group);
    else this.foreignGroups.touch(group);
  }
}

/** Rewrites the id in the client's own object; false where there is none any more, or it is frozen. */
function rewriteId(record: HandleRecord, objectId: string): boolean {
  const remoteObject = record.remoteObject?.deref();
  if (remoteObject === undefined) return false;
  try {
    remoteObject.objectId = objectId;
  } catch {
    return false;
  }
  return remoteObject.objectId === objectId;
}
