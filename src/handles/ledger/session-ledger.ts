/**
 * The ledger of one session: which remote objects it minted, under which id, in which group. How they leave it
 * is told in `session-releases.ts`, where we release them, and in `session-endings.ts`, where we need not.
 *
 * Invariant: ids are valid in their own session only, so nothing is ever looked up by an id alone; and what
 * was minted is in the books until it is struck out, once, by `end`.
 */

import type { Release, ReleaseSession } from '../../batcher/release.ts';
import type { SessionQueue } from '../../batcher/session-queue.ts';
import type { RemoteObject } from '../protocol.ts';
import type { TargetState } from '../target-state.ts';
import type { HandleWeight } from '../weight/gc-weight.ts';
import type { SessionWeights } from '../weight/session-weights.ts';
import type { CollectionWatch } from './collection-watch.ts';
import { EndedIds } from './ended-ids.ts';
import { ForeignGroups } from './foreign-groups.ts';
import { Generations } from './generations.ts';
import { HandleIndex } from './handle-index.ts';
import {
  type ContextRecords,
  HandleRecord,
  type Ledger,
  type LedgerServices,
  ObjectGroup,
} from './handle-record.ts';
import { PartlyDead } from './partly-dead.ts';
import { SessionDebts } from './session-debts.ts';
import { SessionEndings } from './session-endings.ts';
import { SessionReleases } from './session-releases.ts';

/** What all ledgers of one attachment share, and only they use. */
export interface SessionServices extends LedgerServices {
  readonly watch: CollectionWatch;
  /** What the handles of each session are to weigh. */
  readonly weights: SessionWeights<SessionLedger>;
}

export class SessionLedger implements Ledger {
  readonly services: SessionServices;
  /** The unhooked way to the browser, which keeps the session weakly. */
  readonly queue: SessionQueue;
  /** Whether the browser takes this session's commands in order: pages do, workers do not. */
  readonly isOrdered: boolean;
  /** What the session has in common with others of its target. */
  readonly target: TargetState;
  readonly generations: Generations;
  readonly #weight: HandleWeight;
  readonly #index: HandleIndex = new HandleIndex(this);
  /** Groups whose dead wait for the rest to die, oldest first; kept by the sweeper. */
  readonly partlyDead: PartlyDead = new PartlyDead();
  readonly debts: SessionDebts;
  readonly foreignGroups: ForeignGroups = new ForeignGroups(this);
  readonly #endedIds = new EndedIds();
  readonly releases: SessionReleases;
  readonly endings: SessionEndings;
  #isForsaken = false;

  /** @param session the unhooked way to the browser: whoever opens the books sees that it lives while the client's session does. */
  constructor(services: SessionServices, session: ReleaseSession, isOrdered: boolean, target: TargetState) {
    this.services = services;
    this.queue = services.dispatcher.weakQueue(session);
    this.queue.onRefused = (release, reach) => this.endings.onRefused(contextOf(release), reach);
    this.isOrdered = isOrdered;
    this.target = target;
    this.generations = new Generations(this);
    this.debts = new SessionDebts(services);
    this.releases = new SessionReleases(this, this.debts);
    this.endings = new SessionEndings(this, this.debts, this.#index);
    this.#weight = services.weights.create(this);
  }

  /** How many handles the browser holds for the session, those included that are dropped and not released yet. */
  get size(): number {
    return this.#index.size;
  }

  get pageBytesPerHandle(): number {
    return this.#weight.pageBytesPerHandle;
  }

  /**
   * Notes a remote object that the client is about to get, and watches for its collection.
   *
   * @param remoteObject what the client's handle will hold: its life is the handle's.
   * @param ordinal its place among the remote objects of its message.
   */
  mint(
    remoteObject: RemoteObject,
    objectId: string,
    group: ObjectGroup | undefined,
    ordinal: number,
  ): HandleRecord | undefined {
    if (this.#isForsaken) return undefined;
    const { stats, watch } = this.services;
    const context = this.#index.contextOf(objectId);
    if (context.records.get(objectId) !== undefined) return undefined; // A message seen twice.
    stats.minted++;
    if (this.hasEnded) {
      stats.elided++;
      return undefined;
    }
    stats.live++;
    const record = new HandleRecord(objectId, context, group);
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

  /** Whether an id is that of a handle which ended with its scope, be it released by now or not. */
  hasEndedWithScope(objectId: string): boolean {
    const record = this.#index.find(objectId);
    return record === undefined ? this.#endedIds.has(objectId) : record.endedWithScope;
  }

  #noteEnded({ objectId, formerIds, context }: HandleRecord): void {
    const prefix = context?.prefix ?? '';
    this.#endedIds.add(prefix, objectId);
    for (const formerId of formerIds) this.#endedIds.add(prefix, formerId);
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

  /** Strikes a record out, its books being settled elsewhere. */
  end(record: HandleRecord): void {
    this.strikeOut(record);
    record.letGo();
  }

  /** `end` of one whose release is about to be sent: by its context it is told what a refusal means for others. */
  strikeOut(record: HandleRecord): void {
    record.state = 'ended';
    if (record.pins > 0) this.debts.removePinned(record);
    if (record.endedWithScope) this.#noteEnded(record);
    this.#index.remove(record);
    const { group } = record;
    if (group === undefined) return;
    group.remove(record);
    if (group.owner === 'foreign') this.foreignGroups.touch(group);
  }

  /**
   * The object has a new id, in another group. False, with all left as it is, where it is pinned or no
   * longer lives; the group that it stays in is not released over its head.
   */
  rebind(record: HandleRecord, objectId: string, target: ObjectGroup): boolean {
    if (record.state !== 'live' || record.pins > 0 || record.context?.isDestroyed !== false) return false;
    if (this.#isForsaken) return false; // Nobody would translate the old id.
    if (!rewriteId(record, objectId)) return false;
    this.#index.rename(record, objectId);
    const { group } = record;
    if (group !== undefined) {
      group.live--;
      group.releasedSingly++; // Its former id is bound there until the group is released.
      group.remove(record);
    }
    record.group = target;
    if (!record.isGuest) group?.scope?.follow(record);
    target.add(record);
    this.services.stats.moved++;
    return true;
  }

  get isForsaken(): boolean {
    return this.#isForsaken;
  }

  /** Gives up the books: what lives is the client's own affair from now on. */
  forsake(): void {
    this.#isForsaken = true;
  }

  /** A command that names a member, or could have made one, is answered. Where all members live that changes nothing. */
  noteAnswered(group: ObjectGroup): void {
    if (group.owner === 'foreign' || group.dropped + group.releasedSingly > 0) this.touch(group);
  }

  /** Something about a group has changed. */
  touch(group: ObjectGroup): void {
    if (group.owner === 'own') this.services.sweeper.touch(group);
    else this.foreignGroups.touch(group);
  }
}

/** The context of what a release frees. */
function contextOf(release: Release | string): ContextRecords | undefined {
  if (release instanceof HandleRecord) return release.context;
  if (!(release instanceof ObjectGroup)) return undefined;
  return release.members.find(({ state }) => state !== 'ended')?.context;
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
