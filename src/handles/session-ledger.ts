/**
 * The ledger of one session: which remote objects the session minted, and every step by which a handle leaves the ledger. A
 * handle is dropped (the program no longer references it), queued, and sent to the browser for release. Or it ends with its
 * context, its session or a group that the user releases, and nothing is sent.
 *
 * Invariants: an id is valid in its own session only, so nothing is looked up by an id alone. What was minted is struck out
 * once. A handle leaves for the browser only when no unanswered command names it; a group only when it is dead.
 */
import type { Dispatcher } from '../batcher/dispatcher.ts';
import type { Outcome, Reach, Release, ReleaseOwner, ReleaseSession } from '../batcher/release.ts';
import type { SessionQueue } from '../batcher/session-queue.ts';
import { countMove, type DropCause, type Ending, refusesWrongMoves } from '../batcher/stats.ts';
import {
  DEAD_IN_A_LARGE_GROUP,
  ENDED_AT_ONCE,
  ENDED_LATER_MS,
  MOST_ENDED_AFTER_ANSWERS,
  STEPS_PER_LOOK,
} from '../policy.ts';
import type { DeferredTasks, SlicedWork, Waiters } from '../runtime/event-loop.ts';
import { EndedIds } from './ended-ids.ts';
import {
  COUNTED,
  type GroupStage,
  HandleContext,
  HandleRecord,
  type HandleState,
  type LedgerStats,
  NEXT_STAGES,
  NEXT_STATES,
  ObjectGroup,
  type ScopeKind,
} from './handle-table.ts';
import { fixedMemory, type PageMemory } from './page-memory.ts';
import { contextPrefixOf, hasContextPrefix, type RemoteObject } from './protocol.ts';
import type { TargetState } from './target-state.ts';
import { Barriers, CollectionHolds } from './unanswered.ts';

export type Handle = HandleRecord<SessionLedger>;
export type Group = ObjectGroup<SessionLedger>;
export type Context = HandleContext<SessionLedger>;

/** The services that the ledgers of one attachment share. */
export interface LedgerServices {
  readonly stats: LedgerStats;
  readonly dispatcher: Dispatcher;
  /** Answers that have come, and are not entered in the ledgers yet. */
  readonly answers: DeferredTasks;
  /** Groups to judge in the next sweep, each once. */
  readonly touched: Group[];
  /** Sessions whose client has sent a release itself: what it disposed of for itself follows in a while (`GroupSweep`). */
  readonly toTidy: Set<SessionLedger>;
  /** Work for the turns to come; a sweep follows it. */
  readonly work: SlicedWork;
  /** Woken when something that could not be released before may be. */
  readonly changes: Waiters;
  readonly usesGroups: boolean;
  readonly movesSurvivors: boolean;
  /** How many flushes have begun. A drop notes the number, so that a flush knows what came before it. */
  readonly flushes: { begun: number };
  /** Milliseconds, monotonic. */
  now(): number;
}

export class SessionLedger implements ReleaseOwner {
  readonly services: LedgerServices;
  /** The unhooked way to the browser. It keeps the session weakly: nothing that a ledger reaches is an object of the client's. */
  readonly queue: SessionQueue;
  /** Whether the browser takes its commands in the order sent: pages do, workers do not. */
  readonly isOrdered: boolean;
  /** What this session shares with other sessions of its target. */
  readonly target: TargetState;
  /** How much of the page the session's handles hold. Set by `AttachedSessions`, which opens the ledger. */
  memory: PageMemory = fixedMemory(0);
  /** The generation: the group that takes mints outside scopes now. See `groups.ts`. */
  openGroup: Group | undefined;
  /** When `shouldCloseNow` of `groups.ts` last found nearly all of a generation disposed of. */
  seenDeadAt = 0;
  /** Groups whose dead members wait for the others to die, oldest first. */
  readonly waiting: Set<Group> = new Set();
  /** Dead members of the waiting groups, as counted at each group's last look. */
  waitingDead = 0;
  /** Waiting groups in which only the client has disposed of handles, for itself (`tidy`). They are not urgent. */
  readonly tidied: Set<Group> = new Set();
  readonly barriers: Barriers;
  readonly holds: CollectionHolds<Handle>;
  /** Handles that the program has not dropped, and that have not ended. */
  live = 0;
  hasEnded = false;
  /** Detached: live handles are left to the program. */
  isAbandoned = false;
  /** Called once, when the session ends. `streams.ts` sets it: the session's streams end then, too. */
  onSessionEnd: () => void = () => {};
  readonly #contexts = new Map<string, Context>();
  /** The context of the id looked up last: mostly that of the next id, too. It is kept even when it is empty. */
  #recent: Context | undefined;
  /** The handle found last. It may have ended since. */
  #found: Handle | undefined;
  /** Moved handles by the ids that they had before. */
  readonly #formerIds = new Map<string, Handle>();
  /** Whether any handle has ended with its scope. */
  #hasEndedScopes = false;
  /** Ids of handles that a scope has ended, by how the scope was opened. */
  readonly #endedIds = new Map<ScopeKind, EndedIds>();
  /** Groups that we have not named: the user has, who may also release them, or the browser. */
  readonly #foreign = new Map<string, Group>();
  /** Groups whose release is answered, and whose members are not ended yet. */
  #answered: Group[] = [];
  /** How many members these have. */
  #answeredMembers = 0;
  /** How many groups' releases are sent and not answered. */
  #awaited = 0;
  /** Groups that have objects which the client did not keep. */
  readonly #withUnkept = new Set<Group>();
  /** Handles dropped while a command names them, each with the number of flushes begun by then. */
  readonly #pinnedDead = new Map<Handle, number>();

  constructor(services: LedgerServices, session: ReleaseSession, isOrdered: boolean, target: TargetState) {
    this.services = services;
    this.queue = services.dispatcher.weakQueue(session);
    this.isOrdered = isOrdered;
    this.target = target;
    this.barriers = new Barriers(services);
    this.holds = new CollectionHolds((records) =>
      services.work.add(eachInSteps(records, (record) => this.unpin(record))),
    );
  }

  /** How many handles the browser holds for the session, those included that are dropped and not released yet. */
  get size(): number {
    let size = 0;
    for (const { records } of this.#contexts.values()) size += records.size;
    return size;
  }

  // 1. Minted, and found again.

  /**
   * Enters a remote object that the client is about to get.
   *
   * @returns `undefined` if the object is entered already, the session has ended, or we have detached.
   */
  mint(objectId: string, group: Group | undefined): Handle | undefined {
    if (this.isAbandoned) return undefined;
    const { stats } = this.services;
    const context = this.#contextOf(objectId);
    if (this.hasEnded) {
      if (context.records.get(objectId) === undefined) countMove(stats, 'new', 'elided', 1);
      return undefined;
    }
    const record: Handle = new HandleRecord(objectId, context, group);
    if (!context.records.add(record)) return undefined; // A message seen twice.
    group?.add(record);
    countMove(stats, 'new', 'live', 1);
    this.live++;
    return record;
  }

  /** The record of an id, be it the object's present or a former one; `undefined` once the release is sent. */
  find(objectId: string): Handle | undefined {
    // A handle is mostly named by several commands in a row.
    const found = this.#found;
    const record =
      found !== undefined && found.objectId === objectId && found.state !== 'ended'
        ? found
        : this.#lookUp(objectId);
    this.#found = record;
    return record?.group?.stage === 'released' ? undefined : record;
  }

  /**
   * How the scope was opened that the handle has ended with; `undefined` if no scope ended it. Released handles are known too, as
   * long as their ids are remembered.
   */
  endedScopeOf(objectId: string): ScopeKind | undefined {
    const record = this.#lookUp(objectId);
    if (record !== undefined) return record.endedWithScope;
    for (const [kind, ids] of this.#endedIds) if (ids.has(objectId)) return kind;
    return undefined;
  }

  /** If one of these handles has ended with its scope: how that scope was opened. Otherwise `undefined`. */
  endedScopeAmong(objectIds: readonly string[]): ScopeKind | undefined {
    if (!this.#hasEndedScopes) return undefined;
    for (const objectId of objectIds) {
      const kind = this.endedScopeOf(objectId);
      if (kind !== undefined) return kind;
    }
    return undefined;
  }

  get hasFormerIds(): boolean {
    return this.#formerIds.size > 0;
  }

  /** Whether one of these is a former id of an object that was moved. */
  hasFormerAmong(objectIds: readonly string[]): boolean {
    return this.#formerIds.size > 0 && objectIds.some((id) => this.#formerIds.has(id));
  }

  /** Whether some ids do not tell their context. */
  get hasOddIds(): boolean {
    return this.#contexts.has('');
  }

  /** The id by which the browser knows the object now. */
  currentId(objectId: string): string {
    return this.#formerIds.get(objectId)?.objectId ?? objectId;
  }

  /** Makes a new group, named and released by us. */
  createGroup(): Group {
    return new ObjectGroup<SessionLedger>(this, nextGroupName(), 'own', this.services.now());
  }

  /** From now on the group takes no further mints. */
  closeGroup(group: Group): void {
    if (group.stage === 'open') this.setStage(group, 'closed');
    if (group === this.openGroup) this.openGroup = undefined;
  }

  get foreignGroups(): ReadonlyMap<string, Group> {
    return this.#foreign;
  }

  /** The group of that name that is not ours. It is entered when its name is first seen. */
  foreignGroup(name: string): Group {
    let group = this.#foreign.get(name);
    if (group === undefined) {
      group = new ObjectGroup<SessionLedger>(this, name, 'foreign', this.services.now());
      this.#foreign.set(name, group);
    }
    return group;
  }

  // 2. Named by commands.

  /** Keeps a handle from being released: a command that names it is being sent. */
  pin(record: Handle): void {
    record.pins++;
    if (record.pins > 1) return;
    if (record.group !== undefined) record.group.pinned++;
    if (record.state !== 'live') this.#pinnedDead.set(record, 0); // Nobody knows when it was dropped: so every flush waits for it.
  }

  /** Pins the handles of these ids. Ids that are not in the ledger are passed over. */
  pinEach(objectIds: readonly string[]): readonly Handle[] {
    const pinned: Handle[] = [];
    for (const objectId of objectIds) {
      const record = this.find(objectId);
      if (record === undefined) continue;
      this.pin(record);
      pinned.push(record);
    }
    return pinned;
  }

  /** A command that has pinned these is answered. */
  unpinEach(records: readonly Handle[]): void {
    for (const record of records) this.unpin(record);
  }

  /** A command that names the handle is answered. If it was the last, a dropped handle may be released now. */
  unpin(record: Handle): void {
    record.pins--;
    if (record.pins > 0) return;
    if (record.group !== undefined) {
      record.group.pinned--;
      this.noteAnswered(record.group);
    }
    if (record.state === 'live') return;
    this.#pinnedDead.delete(record);
    if (record.state !== 'dropped') return;
    if (!this.#isSwept(record)) this.enqueue(record);
    else if (record.group !== undefined) this.touch(record.group);
    this.services.changes.wake();
  }

  /**
   * A command that names a member, or may have minted one, is answered. The group is looked at again only if it may be released
   * now: no member lives, or survivors could not leave it because such a command was unanswered.
   */
  noteAnswered(group: Group): void {
    if (group.kind === 'foreign') this.touch(group);
    else if (group.dropped + group.releasedSingly > 0 && (group.live === 0 || group.failedMoves > 0)) {
      this.touch(group);
    }
  }

  /** Something about a group has changed: an own one is judged, a foreign one that is empty is forgotten. */
  touch(group: Group): void {
    if (group.kind === 'foreign') {
      if (group.size + group.pending === 0) this.#foreign.delete(group.name);
      return;
    }
    if (!group.isTouched) {
      group.isTouched = true;
      this.services.touched.push(group);
    }
    if (!this.#waitsForTimer(group)) this.services.work.schedule();
    else if (group.isUrgent && group.disposedSince === Number.POSITIVE_INFINITY) {
      group.disposedAt ??= this.services.now(); // The sweep that the timer brings notes it as the time of the disposal.
    }
  }

  /** Whether the timers of the sweep judge the group soon enough: nothing of it can be released before. */
  #waitsForTimer(group: Group): boolean {
    const mayGo = group.disposed >= DEAD_IN_A_LARGE_GROUP || group.failedMoves > 0 || group.live === 0;
    if ((mayGo && group.stage !== 'open') || group.disposedSince === Number.NEGATIVE_INFINITY) return false;
    return this.waiting.has(group);
  }

  // 3. Dropped.

  /** Drops a handle: the program disposed of it, or the collector found it. Does nothing unless the handle is live. */
  drop(record: Handle, cause: DropCause): void {
    if (record.state !== 'live') return;
    if (cause === 'disposed' && record.group !== undefined) record.group.isUrgent = true;
    this.#dropLive(record, cause);
  }

  /**
   * The client disposed of a handle that it had made for itself. Nobody waits for that: the handle is released together
   * with the program's next disposal, `TIDIED_AFTER_MS` after one that the client has sent itself, or with its group.
   */
  tidy(record: Handle): void {
    if (record.state === 'live') this.#dropLive(record, 'disposed');
  }

  /**
   * Enters an object that the client did not keep of an answer. It is released as what the client has disposed of for itself. Nobody
   * names it again, so that it needs no record.
   */
  dropUnkept(objectId: string, group: Group | undefined): void {
    if (this.isAbandoned) return;
    const { memory, services } = this;
    memory.disposed++;
    if (++memory.mints >= memory.nextLookAt) memory.look();
    if (this.hasEnded) countMove(services.stats, 'new', 'elided', 1);
    else if (group?.kind !== 'own') this.enqueueUnknown(objectId);
    else {
      countMove(services.stats, 'new', 'queued', 1, 'disposed');
      if (group.dropped === 0) group.oldestDrop = services.flushes.begun;
      if (group.unkept.length === 0) this.#withUnkept.add(group);
      group.addUnkept(objectId);
      this.touch(group);
    }
  }

  /** Drops one handle of a scope that has ended: it is outside the scope's groups, or its answer came after the end. */
  dropWithScope(record: Handle, kind: ScopeKind): void {
    if (record.state !== 'live') return;
    record.endedWithScope = kind;
    this.#hasEndedScopes = true;
    this.drop(record, 'disposed');
  }

  /** Drops, at the end of a scope, the members of one of its groups, but for those that escaped and for guests. */
  dropMembers(group: Group, kind: ScopeKind): void {
    let dropped = 0;
    for (const record of group.members) {
      if (record.state !== 'live' || record.group !== group) continue;
      if (record.hasEscaped || record.isGuest) continue;
      this.#mark(record, 'disposed');
      record.endedWithScope = kind;
      dropped++;
    }
    if (dropped === 0) return;
    this.#hasEndedScopes = true;
    group.isUrgent = true;
    this.#countDropped(group, dropped, 'disposed');
  }

  /**
   * Drops handles that the garbage collector found: `records[first]`, and those right behind it in the same group, which are
   * counted together. While ids may be on their way as bare strings (`holds`), one handle is dropped at a time, and it stays
   * pinned.
   *
   * @returns the index to go on with.
   */
  collect(records: readonly Handle[], first: number): number {
    let record = records[first];
    if (record === undefined) return first;
    const { group } = record;
    if (group === undefined || !this.holds.isTrusting || !this.#isSwept(record)) {
      if (this.isAbandoned || record.state !== 'live') return first + 1;
      if (!this.holds.isTrusting) this.pin(record);
      this.drop(record, 'collected');
      if (!this.holds.isTrusting) this.holds.keep(record);
      return first + 1;
    }
    let dropped = 0;
    let next = first;
    for (; record?.group === group; record = records[++next]) {
      if (record.state !== 'live') continue;
      this.#mark(record, 'collected');
      dropped++;
    }
    if (dropped > 0) this.#countDropped(group, dropped, 'collected');
    return next;
  }

  #dropLive(record: Handle, cause: DropCause): void {
    this.#mark(record, cause);
    this.#countDropped(record.group, 1, cause);
    if (!this.#isSwept(record) && record.pins === 0) this.enqueue(record);
  }

  /** Marks a live handle as dropped. The caller counts all that it has marked by `#countDropped`. */
  #mark(record: Handle, cause: DropCause): void {
    record.state = 'dropped';
    record.isDisposed = cause === 'disposed';
    if (record.pins > 0) this.#pinnedDead.set(record, this.services.flushes.begun);
    record.origin?.end(cause);
  }

  #countDropped(group: Group | undefined, count: number, cause: DropCause): void {
    const { stats, flushes, work } = this.services;
    countMove(stats, 'live', 'queued', count, cause);
    this.live -= count;
    if (cause === 'disposed') this.memory.disposed += count;
    if (group === undefined) return;
    if (group.dropped === 0) group.oldestDrop = flushes.begun;
    group.live -= count;
    group.dropped += count;
    if (cause === 'disposed') group.disposed += count;
    this.touch(group);
    if (group.live === 0 && group.dropped >= DEAD_IN_A_LARGE_GROUP) work.hasten();
  }

  /** Whether the sweep decides how the handle is released: members of our own groups may go by fewer commands than one each. */
  #isSwept(record: Handle): boolean {
    return record.group?.kind === 'own' && !this.isAbandoned;
  }

  // 4. Queued, and taken from the queue for the browser.

  /** Queues a dropped, unpinned handle: it is released by a command of its own. */
  enqueue(record: Handle): void {
    this.#setState(record, 'queued');
    this.services.dispatcher.enqueue(this.queue, record);
  }

  /** Queues a dead group: it is released by one command. */
  enqueueGroup(group: Group): void {
    this.setStage(group, 'queued');
    this.services.dispatcher.enqueue(this.queue, group);
  }

  /** Queues what the client did not keep of a group's objects: each is released by a command of its own. */
  enqueueUnkept(group: Group): void {
    this.#withUnkept.delete(group);
    const unkept = group.takeUnkept();
    group.releasedSingly += unkept.length;
    for (const objectId of unkept) this.services.dispatcher.enqueue(this.queue, objectId);
  }

  /** Queues an id that is not in the ledger: minted before the ledger was opened, or released already. */
  enqueueUnknown(objectId: string): void {
    countMove(this.services.stats, 'new', 'queued', 1, 'disposed');
    this.services.dispatcher.enqueue(this.queue, objectId);
  }

  /**
   * The client is sending the release of a handle itself: the handle is counted as in flight, and struck out.
   *
   * @returns false if a release of it was sent before.
   */
  take(record: Handle): boolean {
    this.tidy(record);
    if (record.state === 'ended') return false;
    const { group } = record;
    if (group !== undefined) group.releasedSingly++;
    this.#end(record, 'inFlight');
    if (group === undefined) return true;
    this.touch(group);
    if (group.disposed > 0 || this.tidied.size > 0) this.services.toTidy.add(this);
    return true;
  }

  /** `take` for an id that is not in the ledger. */
  takeUnknown(): void {
    countMove(this.services.stats, 'new', 'inFlight', 1, 'disposed');
  }

  /** Part of `ReleaseOwner`. */
  claim(release: Release): boolean {
    if (release instanceof ObjectGroup) return this.#claimGroup(release);
    return release instanceof HandleRecord && this.#claimHandle(release);
  }

  #claimHandle(record: Handle): boolean {
    if (record.context?.isDestroyed) this.#endElided(record);
    if (record.state === 'ended') return false;
    if (record.pins > 0) {
      this.#setState(record, 'dropped');
      const { group } = record;
      if (group !== undefined) group.oldestDrop = 0; // Nobody knows when it was dropped: so every flush waits for it.
      if (record.isDisposed) group?.setOverdue();
      return false;
    }
    if (record.group !== undefined) record.group.releasedSingly++;
    this.#strikeOut(record);
    return true;
  }

  #claimGroup(group: Group): boolean {
    if (group.stage !== 'queued') return false;
    if (!group.isDead || this.hasEnded) {
      this.setStage(group, 'closed'); // A command has named a member since, or the session has ended: the sweep sees to it.
      this.touch(group);
      return false;
    }
    this.setStage(group, 'released');
    group.handles = group.dropped;
    this.#withUnkept.delete(group);
    group.unkept = [];
    group.dropped = 0;
    group.disposed = 0;
    this.#awaited++;
    return true;
  }

  /** Part of `ReleaseOwner`. */
  settled(release: Release, outcome: Outcome, reach: Reach): void {
    if (release instanceof HandleRecord) {
      const { context } = release as Handle;
      release.letGo();
      if (outcome === 'gone') this.onRefused(context, reach);
    } else if (release instanceof ObjectGroup) {
      const group: Group = release;
      if (outcome === 'released') this.services.stats.groupFreed += group.handles;
      else if (outcome === 'gone')
        this.onRefused(group.members.find(({ state }) => state !== 'ended')?.context, reach);
      this.#awaited--;
      this.#endAnswered(group);
    }
  }

  /** Ends the members of a group whose release is answered: after the answers to come, which would have to wait for that work. */
  #endAnswered(group: Group): void {
    this.#answered.push(group);
    this.#answeredMembers += group.members.length;
    if (this.#awaited > 0 && this.#answeredMembers < MOST_ENDED_AFTER_ANSWERS) return;
    for (const each of this.#answered) this.services.work.add(this.#endMembers(each));
    this.#answered = [];
    this.#answeredMembers = 0;
  }

  // The two functions that change a state.

  /**
   * Gives a handle another state, and changes the counts of the attachment and of the handle's group. `#mark` and `#countDropped`
   * do the same for handles that are dropped, which may be many.
   *
   * @param counted for `ended` only: the count that the handle goes to; left out where the batcher counts its release.
   */
  #setState(record: Handle, to: HandleState, counted?: Ending | 'inFlight', cause?: DropCause): void {
    const { state: from, group } = record;
    if (refusesWrongMoves && !NEXT_STATES[from].includes(to))
      throw new Error(`A handle went from ${from} to ${to}.`);
    record.state = to;
    if (to === 'dropped') group?.addDropped(record);
    else if (from === 'dropped') group?.removeDropped(record);
    if (from === 'live') {
      this.live--;
      if (group !== undefined) group.live--;
    }
    const after = to === 'ended' ? counted : 'queued';
    if (from !== 'ended' && after !== undefined && COUNTED[from] !== after) {
      countMove(this.services.stats, COUNTED[from], after, 1, cause);
    }
  }

  /** Gives a group another stage. */
  setStage(group: Group, to: GroupStage): void {
    const { stage: from } = group;
    if (refusesWrongMoves && !NEXT_STAGES[from].includes(to))
      throw new Error(`A group went from ${from} to ${to}.`);
    group.stage = to;
  }

  // 5. Ended: what ends many handles, then how each of them ends.

  /** The browser has refused a command. If the reason is that the handle's context or its session is gone, that is ended here. */
  onRefused(context: Context | undefined, reach: Reach): void {
    if (reach === 'object') return;
    this.services.answers.run(); // Answers that came before the refusal: their handles end with the others.
    if (reach === 'session') this.endSession();
    else if (context !== undefined && context.prefix !== '') this.#endContext(context);
  }

  /** `Runtime.executionContextDestroyed`. */
  onContextDestroyed(executionContextId: number): void {
    for (const context of this.#contexts.values()) {
      if (context.executionContextId === executionContextId) this.#endContext(context);
    }
  }

  /** Ends all handles that the session has minted so far: a navigation. */
  onContextsCleared(): void {
    for (const context of this.#contexts.values()) this.#endContext(context);
    for (const group of this.#withUnkept) {
      countMove(this.services.stats, 'queued', 'elided', group.takeUnkept().length);
      this.touch(group);
    }
    this.#withUnkept.clear();
  }

  /** The target crashed. Its objects are gone, and nothing is answered until it is reloaded. The session goes on. */
  crash(): void {
    if (this.hasEnded) return;
    this.onContextsCleared();
    this.#giveUpUnanswered();
  }

  /** The session is over, and its objects with it. Unanswered releases are given up here, because a client need not reject them. */
  endSession(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.onSessionEnd();
    this.queue.letGo();
    this.holds.endAll();
    this.#pinnedDead.clear();
    for (const group of this.waiting) this.touch(group); // The next sweep no longer waits for them.
    this.onContextsCleared();
    this.#giveUpUnanswered();
  }

  #endContext(context: Context): void {
    if (context.isDestroyed) return;
    context.isDestroyed = true;
    this.#forgetContext(context);
    // Most contexts end because the program closes a page, and it waits for that. Nothing has to be sent for their handles, so the
    // records of a large context are struck out later, unless leaks are traced.
    const { work } = this.services;
    const ending = this.hasEnded
      ? this.#endWithSession(context)
      : eachInSteps(context.records.values(), (record) => this.#endElided(record));
    if (context.records.size <= ENDED_AT_ONCE || isTraced(context)) work.add(ending);
    else work.addLater(ending, ENDED_LATER_MS);
  }

  #giveUpUnanswered(): void {
    this.services.dispatcher.lose(this.queue);
    this.barriers.giveUp();
    this.services.changes.wake();
  }

  /** Ends what a session that is over had in a context. Its groups and lists end with it: so nothing is struck out of them. */
  *#endWithSession({ records }: Context): Generator<void> {
    const { stats } = this.services;
    for (const part of records.parts()) {
      let live = 0;
      let queued = 0;
      for (const record of part) {
        if (record === undefined || record.state === 'ended') continue;
        if (record.state === 'live') {
          record.origin?.end('elided');
          live++;
        } else if (!isCountedWithGroup(record)) queued++;
        record.state = 'ended';
        record.group = undefined;
        record.letGo();
      }
      this.live -= live;
      countMove(stats, 'live', 'elided', live);
      countMove(stats, 'queued', 'elided', queued);
      yield;
    }
  }

  /** Ends a handle of a destroyed context. It is counted as `elided`: ended without a command. */
  #endElided(record: Handle): void {
    const { group, state } = record;
    if (state === 'ended') return;
    if (isCountedWithGroup(record)) {
      this.#end(record);
      return;
    }
    if (state === 'live') record.origin?.end('elided');
    this.#end(record, 'elided');
    if (group !== undefined) this.touch(group);
  }

  /**
   * Ends the handles of a group that the user has released: the first few now, the rest turn by turn. They are counted as
   * `released`, and nothing is sent.
   */
  endFreed(group: Group, freed: readonly Handle[]): void {
    const work = eachInSteps(freed, (record) => {
      if (record.state === 'ended' || record.group !== group) return;
      const isDropped = record.state !== 'live';
      if (!isDropped) record.origin?.end('disposed');
      this.#end(record, 'released', isDropped ? undefined : 'disposed');
    });
    if (work.next().done !== true) this.services.work.add(work);
  }

  /** Ends the members of a group whose release is answered. Not by `eachInSteps`: that calls a function for each, of a million perhaps. */
  *#endMembers(group: Group): Generator<void> {
    const { members } = group;
    group.members = [];
    let step = 0;
    for (const record of members) {
      if (record.group === group && record.state === 'dropped') this.#end(record);
      if (++step % STEPS_PER_LOOK === 0) yield;
    }
  }

  /** Ends a handle. `counted` is the count that it goes to, left out where the batcher counts its release. */
  #end(record: Handle, counted?: Ending | 'inFlight', cause?: DropCause): void {
    if (counted !== undefined) this.#setState(record, 'ended', counted, cause);
    this.#strikeOut(record);
    record.letGo();
  }

  /**
   * Takes a handle out of every list, but keeps its context: if the browser refuses the release, `settled` needs it. `#claimHandle`
   * calls this alone, as the release is sent. `#end` calls this, and then empties the record.
   */
  #strikeOut(record: Handle): void {
    record.state = 'ended';
    if (record.pins > 0) this.#pinnedDead.delete(record);
    const { context, group, formerIds } = record;
    if (record.endedWithScope !== undefined) {
      let ids = this.#endedIds.get(record.endedWithScope);
      if (ids === undefined) {
        ids = new EndedIds();
        this.#endedIds.set(record.endedWithScope, ids);
      }
      ids.add(context?.prefix ?? '', record.objectId, record.idNumber);
      for (const id of formerIds) ids.add(context?.prefix ?? '', id);
    }
    context?.records.delete(record);
    if (context?.records.size === 0 && context !== this.#recent) this.#forgetContext(context);
    for (const formerId of formerIds) this.#formerIds.delete(formerId);
    if (group === undefined) return;
    group.remove(record);
    if (group.kind === 'foreign') this.touch(group);
  }

  // 6. What waits for a command of the client's, and what is left after a detach.

  /** Detached: live handles are left to the program, dropped ones are still released. */
  abandon(): void {
    this.isAbandoned = true;
    this.barriers.close();
  }

  /** Whether dropped handles still wait for the answer to a command that names them, or for the end of a hold. */
  get isOwing(): boolean {
    return this.#pinnedDead.size > 0;
  }

  /** Whether handles that were dropped before that flush wait for the answer to a command of the client's. */
  owes(flush: number): boolean {
    for (const begun of this.#pinnedDead.values()) if (begun < flush) return true;
    return this.barriers.owes(flush);
  }

  /** Detached, and out of time: dropped handles that commands still name are given up, and count as `dropped`. */
  giveUpPinned(): void {
    for (const record of [...this.#pinnedDead.keys()]) this.#end(record, 'dropped');
  }

  // 7. Moved: a survivor joins another group, so that its own can be released whole.

  /**
   * Gives a survivor its new id, in another group.
   *
   * @returns false, with nothing changed in the ledger, if the handle is pinned or not live, its context is destroyed, the session
   * is detached, or its RemoteObject is gone or frozen.
   */
  rebind(record: Handle, objectId: string, target: Group): boolean {
    if (record.state !== 'live' || record.pins > 0 || record.context?.isDestroyed !== false) return false;
    if (this.isAbandoned) return false; // Nobody would translate the old id.
    if (!rewriteId(record, objectId)) return false;
    const { context, group } = record;
    context.records.delete(record);
    this.#formerIds.set(record.objectId, record);
    record.formerIds = [...record.formerIds, record.objectId];
    record.objectId = objectId;
    context.records.add(record);
    if (group !== undefined) {
      group.live--;
      group.releasedSingly++; // Its former id is bound there until the group is released.
      group.remove(record);
      if (!record.isGuest) group.onMovedOut?.(record);
    }
    record.group = target;
    target.add(record);
    this.services.stats.moved++;
    return true;
  }

  // How records are found by their ids.

  #lookUp(objectId: string): Handle | undefined {
    return this.#knownContextOf(objectId)?.records.get(objectId) ?? this.#formerIds.get(objectId);
  }

  #contextOf(objectId: string): Context {
    let context = this.#knownContextOf(objectId);
    if (context === undefined) {
      context = new HandleContext<SessionLedger>(this, contextPrefixOf(objectId));
      this.#contexts.set(context.prefix, context);
      this.#use(context);
    }
    return context;
  }

  #knownContextOf(objectId: string): Context | undefined {
    const recent = this.#recent;
    if (recent !== undefined && hasContextPrefix(objectId, recent.prefix)) return recent;
    const context = this.#contexts.get(contextPrefixOf(objectId));
    if (context !== undefined) this.#use(context);
    return context;
  }

  #use(context: Context): void {
    const before = this.#recent;
    this.#recent = context;
    if (before !== context && before?.records.size === 0) this.#forgetContext(before);
  }

  #forgetContext(context: Context): void {
    if (this.#contexts.get(context.prefix) === context) this.#contexts.delete(context.prefix);
    if (this.#recent === context) this.#recent = undefined;
  }
}

/**
 * All copies of this package in the process count their groups here: two copies with the same group name in one session
 * would release each other's handles. The count starts at a random number, so that another realm or an older version, which
 * does not see it, uses other names.
 */
const COUNT = Symbol.for('cdp-release-batcher:groups');

/**
 * A name has ten characters. The browser copies a longer one to the heap for each id, and then the release of 20,000 handles takes
 * half as long again.
 */
const PREFIX = 'crb:';
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const PLACES = 6;
const NAMES = DIGITS.length ** PLACES;

function nextGroupName(): string {
  const counting = globalThis as typeof globalThis & { [COUNT]?: { next: number } };
  counting[COUNT] ??= { next: Math.floor(Math.random() * NAMES) };
  let rest = counting[COUNT].next++ % NAMES;
  let digits = '';
  for (let place = 0; place < PLACES; place++) {
    digits += DIGITS[rest % DIGITS.length];
    rest = Math.floor(rest / DIGITS.length);
  }
  return PREFIX + digits;
}

/** Rewrites the id in the client's own object. @returns false if the object is gone or frozen. */
function rewriteId(record: Handle, objectId: string): boolean {
  const remoteObject: RemoteObject | undefined = record.remoteObject?.deref();
  if (remoteObject === undefined) return false;
  try {
    remoteObject.objectId = objectId;
  } catch {
    return false;
  }
  return remoteObject.objectId === objectId;
}

/**
 * Whether the handle was counted with the release of its group. A handle that was queued before, by itself, was not: it is still
 * in the queue where the group's release has ended first, unsent, because the page had crashed or the queue was full.
 */
function isCountedWithGroup({ group, state }: Handle): boolean {
  return state === 'dropped' && group?.stage === 'released';
}

/** Whether the leak report is told how each handle of a context ends. Either all of them are traced, or none. */
function isTraced({ records }: Context): boolean {
  for (const { origin } of records.values()) return origin !== undefined;
  return false;
}

/** Work for the turns to come (`SlicedWork`): visits each item, and pauses after every `STEPS_PER_LOOK`. */
export function* eachInSteps<Item>(items: Iterable<Item>, visit: (item: Item) => void): Generator<void> {
  let step = 0;
  for (const item of items) {
    visit(item);
    if (++step % STEPS_PER_LOOK === 0) yield;
  }
}
