/**
 * How handles of a session come to be released by us: the program lets go of them, they are queued, one by
 * one or as a group, and leave the queue for the browser. And what puts that off: commands that name them.
 *
 * Invariant: a record leaves for the browser only when its state is `dropped`, no unanswered command names
 * it, and, with a whole group, when the same holds for each member and no command can mint into it.
 */
import { clearTimeout, setTimeout, unref } from '../../timers.ts';
import type { HandleRecord, Ledger, LedgerServices, ObjectGroup, Releases } from './handle-record.ts';
import type { SessionDebts } from './session-debts.ts';

/** Dead members that make a group worth seeing to at once. */
const LARGE_GROUP = 1_024;

/** How long the dead of a session are kept at the least that may be named by a command whose answer nobody sees. */
const UNSEEN_MS = 30_000;
/** Those found within so long of one another are released together. */
const UNSEEN_WINDOW_MS = 1_000;

/** Puts collections off, while the client may hold ids as bare strings. Nests. */
export interface CollectionHold {
  /**
   * @param longestMs the time after which it ends by itself.
   * @returns what ends it; to call it again does nothing.
   */
  hold(longestMs: number): () => void;
}

export class SessionReleases implements Releases, CollectionHold {
  readonly #ledger: Ledger;
  readonly #services: LedgerServices;
  readonly #debts: SessionDebts;
  /** Reasons not to trust a collection just now, each by what ends it; and what was collected meanwhile. */
  readonly #holds = new Set<() => void>();
  #held: HandleRecord[] = [];
  #isDistrusting = false;
  /** What was collected in the last moments while commands go unseen. */
  #unseen: HandleRecord[] | undefined;

  constructor(ledger: Ledger, debts: SessionDebts) {
    this.#ledger = ledger;
    this.#services = ledger.services;
    this.#debts = debts;
  }

  /** A command that names it is on its way. */
  pin(record: HandleRecord): void {
    record.pins++;
    if (record.pins > 1) return;
    if (record.group !== undefined) record.group.pinned++;
    if (record.state !== 'live') this.#debts.addPinned(record, 0); // Dropped before, nobody knows how long.
  }

  unpin(record: HandleRecord): void {
    record.pins--;
    if (record.pins > 0) return;
    if (record.group !== undefined) {
      record.group.pinned--;
      this.#ledger.noteAnswered(record.group);
    }
    this.#debts.removePinned(record);
    if (record.state !== 'dropped') return;
    if (!this.#isSweptWhole(record)) this.enqueue(record);
    this.#services.sweeper.noteChange();
  }

  /** The program let go of it. Safe to call in any state: only what lives can be dropped. */
  drop(record: HandleRecord, cause: 'disposed' | 'collected'): void {
    if (record.state !== 'live') return;
    if (cause === 'disposed' && record.group !== undefined) record.group.isUrgent = true;
    this.#dropLive(record, cause);
  }

  /**
   * The client let go of what it had made for itself: disposed of, but nobody waits for that. It goes out with what
   * the program disposes of next, or when its group is released.
   */
  tidy(record: HandleRecord): void {
    if (record.state === 'live') this.#dropLive(record, 'disposed');
  }

  #dropLive(record: HandleRecord, cause: 'disposed' | 'collected'): void {
    this.#markDropped(record, cause);
    this.#countDropped(record.group, 1, cause);
    if (!this.#isSweptWhole(record) && record.pins === 0) this.enqueue(record);
  }

  /** The scope of a handle has ended: `drop` for one that is in none of its groups. */
  dropWithScope(record: HandleRecord): void {
    if (record.state !== 'live') return;
    record.endedWithScope = true;
    this.drop(record, 'disposed');
  }

  /** The scope of a group has ended: `drop` for all that was minted inside and did not escape. */
  dropMembers(group: ObjectGroup): void {
    let dropped = 0;
    for (const record of group.members) {
      if (record.state !== 'live' || record.group !== group) continue;
      if (record.hasEscaped || record.isGuest) continue;
      this.#markDropped(record, 'disposed');
      record.endedWithScope = true;
      dropped++;
    }
    if (dropped > 0) group.isUrgent = true;
    this.#countDropped(group, dropped, 'disposed');
  }

  /**
   * The garbage collector found them unreachable. Takes the first, and those that follow as far as they go with it.
   * While an id may be on its way as a bare string they are dropped, but kept as if a command named them.
   *
   * @returns the index of the next.
   */
  collect(records: readonly HandleRecord[], first: number): number {
    const isHeld = this.#holds.size > 0 || this.#isDistrusting;
    if (!isHeld && !this.#ledger.isForsaken) return this.#dropCollected(records, first);
    const record = records[first];
    if (record === undefined) return first;
    record.unburden();
    if (!this.#ledger.isForsaken && record.state === 'live') this.#keepDropped(record);
    return first + 1;
  }

  #keepDropped(record: HandleRecord): void {
    this.pin(record);
    this.drop(record, 'collected');
    if (this.#holds.size > 0) this.#held.push(record);
    else this.#keepUnseen(record);
  }

  #keepUnseen(record: HandleRecord): void {
    if (this.#unseen === undefined) {
      const unseen: HandleRecord[] = [];
      this.#unseen = unseen;
      const release = (): void => this.#services.sweeper.unpin(this.#ledger, unseen);
      unref(
        setTimeout(() => {
          this.#unseen = undefined;
          unref(setTimeout(release, UNSEEN_MS));
        }, UNSEEN_WINDOW_MS),
      );
    }
    this.#unseen.push(record);
  }

  /** Of a hundred thousand, most share a group of ours with a thousand others: those are taken together. */
  #dropCollected(records: readonly HandleRecord[], first: number): number {
    let record = records[first];
    if (record === undefined) return first;
    const { group } = record;
    if (group === undefined || !this.#isSweptWhole(record)) {
      record.unburden();
      this.drop(record, 'collected');
      return first + 1;
    }
    let dropped = 0;
    let next = first;
    for (; record?.group === group; record = records[++next]) {
      record.unburden();
      if (record.state !== 'live') continue;
      this.#markDropped(record, 'collected');
      dropped++;
    }
    if (dropped > 0) this.#countDropped(group, dropped, 'collected');
    return next;
  }

  #markDropped(record: HandleRecord, cause: 'disposed' | 'collected'): void {
    record.state = 'dropped';
    record.isDisposed = cause === 'disposed';
    if (record.pins > 0) this.#debts.addPinned(record, this.#services.flushes.begun);
    record.origin?.end(cause);
  }

  #countDropped(group: ObjectGroup | undefined, count: number, cause: 'disposed' | 'collected'): void {
    const { stats, flushes, sweeper } = this.#services;
    stats.live -= count;
    stats.queued += count;
    stats[cause] += count;
    if (group === undefined) return;
    group.live -= count;
    if (group.dropped === 0) group.oldestDrop = flushes.begun;
    group.dropped += count;
    if (cause === 'disposed') group.disposed += count;
    this.#ledger.touch(group);
    if (group.live === 0 && group.dropped >= LARGE_GROUP) sweeper.hasten(group);
  }

  hold(longestMs: number): () => void {
    const end = (): void => {
      clearTimeout(timer);
      if (!this.#holds.delete(end) || this.#holds.size > 0) return;
      const held = this.#held;
      this.#held = [];
      if (held.length > 0) this.#services.sweeper.unpin(this.#ledger, held);
    };
    const timer = unref(setTimeout(end, longestMs));
    this.#holds.add(end);
    return end;
  }

  /** The session is over: nothing need be put off. */
  endHolds(): void {
    for (const end of this.#holds) end();
  }

  /**
   * From now on commands go unseen, and what they name. Where they are carried out in the order sent that is nothing to
   * wait for; where not, what is found collected is kept for a while.
   */
  distrustCollections(): void {
    this.#isDistrusting = !this.#ledger.isOrdered;
  }

  /** Whether something dropped is still to be sent: what is named, or was found under a hold. */
  get isOwing(): boolean {
    return this.#debts.hasPinnedDead;
  }

  /** Has a dropped, unpinned record released by a command of its own. */
  enqueue(record: HandleRecord): void {
    record.group?.removeDropped(record);
    record.state = 'queued';
    this.#services.dispatcher.enqueue(this.#ledger.queue, record);
  }

  /** Has a dead group released by one command. */
  enqueueGroup(group: ObjectGroup): void {
    group.stage = 'queued';
    this.#services.dispatcher.enqueue(this.#ledger.queue, group);
  }

  /**
   * Takes a record out of the ledger for a release that the caller sends himself, at once; its handle is in
   * the books as in flight from here on. False where it has been sent already.
   */
  take(record: HandleRecord): boolean {
    this.drop(record, 'disposed');
    if (record.state === 'ended') return false;
    const { stats } = this.#services;
    stats.queued--;
    stats.inFlight++;
    const { group } = record;
    if (group !== undefined) {
      if (record.state === 'dropped') group.removeDropped(record);
      group.releasedSingly++;
      this.#ledger.touch(group);
    }
    this.#ledger.end(record);
    return true;
  }

  /** Has released what the ledger does not know, minted before it began or released already: the browser knows. */
  enqueueUnknown(objectId: string): void {
    const { stats, dispatcher } = this.#services;
    stats.minted++;
    stats.disposed++;
    stats.queued++;
    dispatcher.enqueue(this.#ledger.queue, objectId);
  }

  /** `take` for what the ledger does not know. */
  takeUnknown(): void {
    const { stats } = this.#services;
    stats.minted++;
    stats.disposed++;
    stats.inFlight++;
  }

  /** Sends, ahead of whatever is sent next, the release of all that is known to be dropped. */
  sendAllNow(): void {
    const { sweeper, dispatcher } = this.#services;
    sweeper.flushNow(this.#ledger);
    dispatcher.drainNow(this.#ledger.queue);
  }

  /** A record leaves the queue: whether it may be sent. */
  claim(record: HandleRecord): boolean {
    if (record.context?.isDestroyed) this.#ledger.endings.elide(record);
    if (record.state === 'ended') return false;
    if (record.pins > 0) {
      record.state = 'dropped';
      if (record.group !== undefined) {
        record.group.addDropped(record);
        record.group.oldestDrop = 0; // Long ago, for all that is known.
        if (record.isDisposed) record.group.setOverdue();
      }
      return false;
    }
    if (record.group !== undefined) record.group.releasedSingly++;
    this.#ledger.strikeOut(record);
    return true;
  }

  /** A group leaves the queue: whether it may be sent. */
  claimGroup(group: ObjectGroup): boolean {
    if (group.stage !== 'queued') return false;
    if (!group.isDead || this.#ledger.hasEnded) {
      group.stage = 'closed'; // Named again since, or gone with its session: the sweep sees to it.
      this.#ledger.touch(group);
      return false;
    }
    group.stage = 'released';
    group.handles = group.dropped;
    group.dropped = 0;
    group.disposed = 0;
    this.#services.stats.groupFreed += group.handles;
    return true;
  }

  /** Members of own groups are left to the sweep, which may find a cheaper way than one command each. */
  #isSweptWhole(record: HandleRecord): boolean {
    return record.group !== undefined && record.group.owner === 'own' && !this.#ledger.isForsaken;
  }
}
