/**
 * The life of an object group: which group takes the next mint, when it takes no more, and when and how its dead members are
 * released. A closed group without survivors is released by one command, in the next sweep. An open one is closed before: when it
 * is full, 70 ms after a disposal, with its scope, or 100 ms after its last change. A group with some survivors waits for a while,
 * for the rest to die too. Then the cheaper way is chosen: release the dead one by one, or move the survivors to a new group
 * and release the old one whole.
 *
 * Invariant: what the program disposed of is on its way within 100 ms, whatever else is in its group. Only what the
 * collector found has the longer grace.
 */
import { type DiagnosticsChannel, diagnosticsChannel } from '../builtins.ts';
import * as policy from '../policy.ts';
import { setTimeout, unref } from '../timers.ts';
import { takeCollected, whenCollectedTaken } from './collection.ts';
import {
  eachInSteps,
  type Group,
  type Handle,
  type LedgerServices,
  type SessionLedger,
} from './session-ledger.ts';
import { costOfMoving, isSoonMoved, isWorthMoving, moveSurvivors } from './survivors.ts';

/**
 * The group for the next mint of a session outside scopes. Such a group is called a generation: it takes all these mints for a
 * while, then the next one does.
 */
export function currentGroup(ledger: SessionLedger): Group {
  const now = ledger.services.now();
  const open = ledger.openGroup;
  if (open !== undefined && (isFull(open, now) || shouldCloseNow(open, now))) endGroup(open);
  ledger.openGroup ??= ledger.createGroup();
  return ledger.openGroup;
}

/** A group takes no further mints. The next sweep decides what becomes of it. */
export function endGroup(group: Group): void {
  group.ledger.closeGroup(group);
  group.ledger.touch(group);
}

/**
 * Whether a generation is old or large enough to take no more mints. Dense mints make long generations, so that bulk work is
 * released by one command. Sparse mints make short ones, so that the garbage of a slow loop does not wait for hundreds of
 * others.
 */
export function isFull(group: Group, now: number): boolean {
  const age = now - group.openedAt;
  const { minted } = group;
  if (minted >= policy.MOST_IN_GENERATION || age >= policy.LONGEST_GENERATION_MS) return true;
  if (age < policy.GENERATION_MS) return false;
  if (minted < policy.FEWEST_IN_GENERATION) {
    return minted * group.ledger.memory.pageBytesPerHandle >= policy.MOST_HELD_BACK;
  }
  return age >= policy.GENERATION_OF_LIGHT_MS || !areLight(group.ledger, minted);
}

/** Whether so many handles are known to hold next to nothing of the page, so that there is no hurry to release them. */
function areLight({ memory }: SessionLedger, handles: number): boolean {
  const { pageBytesPerHandle } = memory;
  return pageBytesPerHandle > 0 && handles * pageBytesPerHandle < policy.MOST_HELD_BY_LIGHT;
}

/**
 * Whether to close the open generation before the next mint. Nearly all of it is disposed of. If the next round of the program's
 * loop takes twice as long as this one, `CLOSED_AFTER_MS` will have passed since the first disposal.
 */
function shouldCloseNow(group: Group, now: number): boolean {
  if (!group.isUrgent || group.pending + group.pinned > 0) return false;
  if (group.live > group.disposed * policy.MOST_ALIVE_AT_END) return false;
  const { ledger } = group;
  const next = now + 2 * (now - ledger.seenDeadAt);
  ledger.seenDeadAt = now;
  return next - Math.min(group.disposedSince, now) >= policy.CLOSED_AFTER_MS;
}

/** The release of a foreign group that the browser has not answered yet. */
export interface PendingRelease {
  done(): void;
  refused(): void;
}

/** The group in which V8 binds what an event of the Runtime domain carries. */
export const CONSOLE_GROUP = 'console';

/**
 * The release of a foreign group is being sent: by the user or, for the group of console messages, by us. The browser's answer
 * says that the members are freed. Answers come in the order of their commands, so all members are freed that are entered by
 * then. Events may overtake answers, so of the console group only those are freed that it has now.
 */
export function beginForeignRelease(ledger: SessionLedger, name: string): PendingRelease {
  const before = name === CONSOLE_GROUP ? takeMembers(ledger, name) : undefined;
  return {
    done: () => {
      const { group, members } = before ?? takeMembers(ledger, name);
      if (group !== undefined) ledger.endFreed(group, members);
    },
    refused: () => {
      const { group, members = [] } = before ?? {};
      if (group === undefined) return;
      group.members = [...members.filter((member) => member.group === group), ...group.members];
    },
  };
}

/** Takes from a foreign group the members that it has. The group goes on: what is on its way may still be minted into it. */
function takeMembers(
  ledger: SessionLedger,
  name: string,
): { readonly group: Group | undefined; readonly members: readonly Handle[] } {
  const group = ledger.foreignGroups.get(name);
  const members = group?.members ?? [];
  if (group !== undefined) group.members = [];
  return { group, members };
}

/**
 * Which waiting groups a sweep judges besides the touched ones. `urgent`: those in which the program disposed of something
 * `CLOSED_AFTER_MS` ago or earlier. `due`: those that are open, or whose grace may be over. `all`: then no group has grace, to wait
 * for the rest of its members to die.
 */
type LooksAt = 'touched' | 'urgent' | 'due' | 'all';

/** Judges the groups of all sessions of an attachment, after each turn of the event loop in which something happened to them. */
export class GroupSweep {
  readonly #services: LedgerServices;
  /**
   * Groups that wait for the rest of their members to die, each with the time at which its grace may be over, the earliest
   * first. There may be a hundred thousand: a look by a timer stops at the first that is not due.
   */
  readonly #waiting = new Map<Group, number>();
  /** Waiting groups that still take mints: they may be closed at any time. */
  readonly #openWaiting = new Set<Group>();
  /**
   * Waiting groups in which the program disposed of something that is not due yet, the oldest first: of two that were noted in one
   * sweep, the later may be older, by `LOOK_AT_DUE_MS` at the most.
   */
  readonly #urgent = new Set<Group>();
  /** Whether the last look at these groups, or at those whose grace is over, left some for the next look. */
  #urgentLeft = false;
  #dueLeft = false;
  /** Sessions that still have too many dead waiting after the last sweep: see `#relieve`. */
  readonly #crowded = new Set<SessionLedger>();
  /** Groups whose survivors are on the move, each with the number of flushes that had begun when the move did. */
  readonly #moving = new Map<Group, number>();
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #urgentTimer: ReturnType<typeof setTimeout> | undefined;
  #tidyTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(services: LedgerServices) {
    this.#services = services;
  }

  /** The work of this turn is done: judges the groups that it changed. */
  afterWork(): void {
    this.sweep('touched');
    if (!this.#services.changes.isEmpty) this.#services.changes.wake(); // A flush need not wait for handles that were struck out.
  }

  /** Judges all groups without grace. Resolves when all releases are queued, except those that wait for a move. */
  async flush(): Promise<void> {
    await whenCollectedTaken();
    await this.#services.work.idle();
    this.#services.answers.run(); // Until then a command counts as one that may mint into its group.
    this.sweep('all');
  }

  /** As `flush`, for one session, in this very call: for a command that must find the heap clean. Nothing is moved. */
  sendNow(ledger: SessionLedger): void {
    takeCollected();
    for (const group of this.#moving.keys()) if (group.ledger === ledger) releaseSingly(group);
    for (const group of this.#judgeAll('all', ledger)) releaseSingly(group);
    this.#services.dispatcher.drainNow(ledger.queue);
  }

  /**
   * As `flush`, for a program that detaches. Dead groups are queued in this very call: soon, commands that we no longer see may put
   * new objects into them. Of the other groups the dead are queued one by one, turn by turn.
   */
  flushLast(): void {
    takeCollected();
    const groups = [...this.#moving.keys(), ...this.#judgeAll('all')];
    for (const group of groups) group.ledger.enqueueUnkept(group);
    const work = eachInSteps(groups.flatMap(deadOf), releaseUnlessNamed);
    if (work.next().done !== true) this.#services.work.add(work);
  }

  /**
   * Whether groups with members dropped before that flush began have to be looked at again. A move that began before it is
   * waited for in any case: for survivors that die meanwhile it leaves ids of its own.
   */
  owes(flush: number): boolean {
    const isOwing = (group: Group): boolean => group.dropped > 0 && group.oldestDrop < flush;
    if (this.#services.touched.some(isOwing)) return true;
    for (const group of this.#waiting.keys()) if (isOwing(group)) return true;
    for (const [group, begun] of this.#moving) {
      const { hasEnded, queue } = group.ledger;
      if (isOwing(group) || (begun < flush && !hasEnded && !queue.isLost)) return true;
    }
    return false;
  }

  /** Judges the touched groups, and the waiting groups that are named. */
  sweep(looksAt: LooksAt): void {
    const movable: Group[] = [];
    for (const group of this.#judgeAll(looksAt)) {
      if (isWorthMoving(group)) movable.push(group);
      else releaseSingly(group);
    }
    if (movable.length > 0) this.#move(movable);
  }

  /**
   * Judges groups, of one session or all, and carries all verdicts out but `outOfTime`.
   *
   * @returns the groups with that verdict.
   */
  #judgeAll(looksAt: LooksAt, ledger?: SessionLedger): Group[] {
    const now = this.#services.now();
    for (const crowded of this.#crowded) if (crowded.hasEnded) this.#crowded.delete(crowded);
    const groups = this.#takeGroups(looksAt, ledger, now);
    const counts = sweepDone.hasSubscribers ? new VerdictCounts() : undefined;
    const wait: Group[] = [];
    const outOfTime: Group[] = [];
    const sendDisposed: Group[] = [];
    for (const group of groups) {
      const verdict = judge(group, now, looksAt !== 'all');
      counts?.add(verdict);
      if (verdict === 'wait') {
        wait.push(group);
        continue;
      }
      this.#endGrace(group);
      if (verdict === 'release') releaseWhole(group);
      else if (verdict === 'outOfTime') outOfTime.push(group);
      else if (verdict === 'sendDisposed') sendDisposed.push(group);
    }
    if (sendDisposed.length > 0) this.#sendDisposed(sendDisposed, wait);
    if (wait.length > 0) this.#letWait(wait, outOfTime, now);
    if (this.#waiting.size > 0) this.#startGraceTimer();
    if (this.#urgent.size > 0) this.#startUrgentTimer(now);
    if (this.#services.toTidy.size > 0) this.#startTidyTimer();
    if (counts !== undefined && counts.groups > 0) {
      sweepDone.publish({ ...counts, elapsedMs: this.#services.now() - now } satisfies SweepDone);
    }
    return outOfTime;
  }

  /** Takes the groups to judge: the touched ones, and the waiting ones that `looksAt` names. */
  #takeGroups(looksAt: LooksAt, ledger: SessionLedger | undefined, now: number): Iterable<Group> {
    const touched = this.#services.touched.splice(0);
    for (const group of touched) {
      this.#noteChange(group, now);
      group.isTouched = false;
    }
    if (looksAt === 'touched') return touched;
    const groups = new Set<Group>();
    for (const group of touched) {
      if (ledger === undefined || group.ledger === ledger) groups.add(group);
      else group.ledger.touch(group);
    }
    if (looksAt === 'urgent') this.#addUrgent(groups, now);
    else if (looksAt === 'due') this.#addDue(groups, now);
    else for (const group of ledger?.waiting ?? this.#waiting.keys()) groups.add(group);
    return groups;
  }

  #addUrgent(groups: Set<Group>, now: number): void {
    let left = policy.MOST_PER_LOOK;
    for (const group of this.#urgent) {
      const waitedMs = now - group.disposedSince;
      if (waitedMs < policy.CLOSED_AFTER_MS - policy.LOOK_AT_DUE_MS) return;
      if (waitedMs < policy.CLOSED_AFTER_MS) continue;
      if (left-- === 0) {
        this.#urgentLeft = true;
        return;
      }
      groups.add(group);
    }
  }

  #addDue(groups: Set<Group>, now: number): void {
    for (const group of this.#openWaiting) groups.add(group);
    let left = policy.MOST_PER_LOOK;
    for (const [group, dueAt] of this.#waiting) {
      if (dueAt > now) return;
      if (left-- === 0) {
        this.#dueLeft = true;
        return;
      }
      groups.add(group);
      this.#waiting.delete(group); // If it goes on waiting, it is entered again as the last.
    }
  }

  /** Times are noted here, once a turn: there may be thousands of changes in one. */
  #noteChange(group: Group, now: number): void {
    group.touchedAt = now;
    if (group.dropped === 0) group.staleSince = Number.POSITIVE_INFINITY;
    else group.staleSince = Math.min(group.staleSince, now);
    if (!group.isUrgent || group.disposedSince !== Number.POSITIVE_INFINITY) return;
    const since = group.disposedAt ?? now;
    group.disposedAt = undefined;
    group.disposedSince = since;
    this.#urgent.delete(group); // It is entered again as the last.
    this.#makeTidiedUrgent(group.ledger, since);
  }

  /**
   * The program has disposed of something, then. Tidied groups become urgent, too: there the client may have disposed of a second
   * handle of the same element, which keeps the node alive.
   */
  #makeTidiedUrgent({ tidied }: SessionLedger, since: number): void {
    for (const group of tidied) {
      group.isUrgent = true;
      group.disposedSince = since;
      this.#urgent.add(group);
    }
    tidied.clear();
  }

  /** Lets groups wait. If too many dead of a session wait then, its oldest groups are due instead. */
  #letWait(groups: readonly Group[], due: Group[], now: number): void {
    for (const group of groups) {
      const { ledger } = group;
      this.#crowded.add(ledger);
      if (!this.#waiting.has(group)) this.#waiting.set(group, now + policy.LOOK_AT_WAITING_MS);
      if (group.stage === 'open') this.#openWaiting.add(group);
      else this.#openWaiting.delete(group);
      ledger.waiting.add(group);
      ledger.waitingDead += group.dropped - group.countedDead;
      group.countedDead = group.dropped;
      if (group.isUrgent && group.disposedSince > Number.NEGATIVE_INFINITY) this.#urgent.add(group);
      else this.#urgent.delete(group);
      if (group.disposed > 0 && !group.isUrgent) ledger.tidied.add(group);
    }
    for (const ledger of this.#crowded) if (this.#relieve(ledger, due, now)) this.#crowded.delete(ledger);
    for (const group of groups) {
      const { droppedAtLastLook } = group;
      group.droppedAtLastLook = group.dropped;
      // To be judged again soon: if no more have died by then, there is nothing to wait for.
      if (group.dropped > droppedAtLastLook && isAsGoodAsDead(group)) group.ledger.touch(group);
    }
  }

  /**
   * Makes a session's oldest groups due, if they are unlikely to die soon, until no more than `mostWaiting` dead wait. The
   * groups are walked only if more dead wait than that: there may be a hundred thousand groups.
   *
   * @returns whether there are no longer too many.
   */
  #relieve(ledger: SessionLedger, due: Group[], now: number): boolean {
    const most = mostWaiting(ledger.memory.pageBytesPerHandle);
    if (ledger.hasEnded || ledger.waitingDead <= most) return true;
    let passedOver = 0;
    for (const oldest of ledger.waiting) {
      if (ledger.waitingDead <= most) return true;
      if (due.length >= policy.MOST_PER_LOOK) this.#dueLeft = true;
      if (due.length >= policy.MOST_PER_LOOK || passedOver >= policy.MOST_PER_LOOK) return false;
      if (oldest.stage !== 'closed' || !isUnlikelyToDieSoon(oldest, now)) {
        passedOver++;
        continue;
      }
      this.#endGrace(oldest);
      due.push(oldest);
    }
    return ledger.waitingDead <= most;
  }

  #endGrace(group: Group): void {
    const { ledger } = group;
    if (!ledger.waiting.delete(group)) return;
    ledger.waitingDead -= group.countedDead;
    group.countedDead = 0;
    ledger.tidied.delete(group);
    this.#urgent.delete(group);
    this.#openWaiting.delete(group);
    this.#waiting.delete(group);
  }

  /** Releases what the program disposed of, by the cheaper way. What the collector found goes on waiting. */
  #sendDisposed(groups: readonly Group[], waiting: Group[]): void {
    const movable: Group[] = [];
    for (const group of groups) {
      if (isWorthMoving(group) && costOfMoving(group) < group.disposed && isSoonMoved(group)) {
        movable.push(group);
        continue;
      }
      if (this.#isTriedAgain(group)) {
        waiting.push(group);
        continue;
      }
      // All members are dead, and only an answer is missing. In a large group the dead wait for that answer, because then one
      // command releases them all.
      const isWaitedFor = group.live === 0 && group.disposed >= policy.DEAD_IN_A_LARGE_GROUP;
      if (!isWaitedFor) {
        group.ledger.enqueueUnkept(group);
        deadOf(group)
          .filter(({ isDisposed }) => isDisposed)
          .forEach(releaseUnlessNamed);
      }
      if (group.disposed > 0) group.setOverdue();
      if (group.dropped > 0) waiting.push(group);
    }
    if (movable.length === 0) return;
    this.#move(movable);
    const timer = setTimeout(() => {
      for (const group of movable) {
        if (group.disposed <= policy.BATCH_SIZE && this.#moving.has(group)) releaseSingly(group);
      }
    }, policy.MOVED_WITHIN_MS);
    unref(timer);
  }

  /**
   * Whether to wait for another try of a move, for `MOVED_WITHIN_MS` at most: survivors stayed, and a command that may be the
   * reason is unanswered.
   */
  #isTriedAgain(group: Group): boolean {
    if (group.failedMoves === 0 || group.pinned + group.pending === 0) return false;
    if (costOfMoving(group) >= group.disposed) return false;
    const now = this.#services.now();
    group.triedAgainUntil ??= now + policy.MOVED_WITHIN_MS;
    return now < group.triedAgainUntil;
  }

  /** Each session by itself: a page that hangs does not hold up the others. */
  #move(groups: readonly Group[]): void {
    const bySession = new Map<SessionLedger, Group[]>();
    for (const group of groups) {
      const list = bySession.get(group.ledger);
      if (list === undefined) bySession.set(group.ledger, [group]);
      else list.push(group);
    }
    for (const ofSession of bySession.values()) void this.#moveOfSession(ofSession);
  }

  async #moveOfSession(groups: readonly Group[]): Promise<void> {
    for (const group of groups) this.#moving.set(group, this.#services.flushes.begun);
    await moveSurvivors(groups);
    for (const group of groups) this.#moving.delete(group);
    this.#services.changes.wake();
  }

  #startGraceTimer(): void {
    if (this.#graceTimer !== undefined) return;
    this.#graceTimer = setTimeout(
      () => {
        this.#graceTimer = undefined;
        this.sweep('due');
      },
      this.#dueLeft ? policy.FEWEST_MS_BETWEEN_LOOKS : policy.LOOK_AT_DUE_MS,
    );
    this.#dueLeft = false;
    unref(this.#graceTimer);
  }

  #startTidyTimer(): void {
    if (this.#tidyTimer !== undefined) return;
    this.#tidyTimer = setTimeout(() => {
      this.#tidyTimer = undefined;
      const { toTidy, now } = this.#services;
      for (const ledger of toTidy) this.#makeTidiedUrgent(ledger, now());
      toTidy.clear();
      this.sweep('touched');
    }, policy.TIDIED_AFTER_MS);
    unref(this.#tidyTimer);
  }

  /** Wakes when the first of the groups is to be closed, or sent. */
  #startUrgentTimer(now: number): void {
    if (this.#urgentTimer !== undefined) return;
    let next = Number.POSITIVE_INFINITY;
    for (const group of this.#urgent) {
      const closedAt = group.disposedSince + policy.CLOSED_AFTER_MS;
      if (closedAt - policy.LOOK_AT_DUE_MS >= next || next <= now) break; // So are all that follow.
      const afterMs = group.stage === 'open' ? policy.CLOSED_AFTER_MS : policy.SENT_AFTER_MS;
      next = Math.min(next, group.disposedSince + afterMs);
    }
    this.#urgentTimer = setTimeout(
      () => {
        this.#urgentTimer = undefined;
        this.sweep('urgent');
      },
      Math.max(this.#urgentLeft ? 0 : policy.FEWEST_MS_BETWEEN_LOOKS, next - now),
    );
    this.#urgentLeft = false;
    unref(this.#urgentTimer);
  }
}

/**
 * `keep`: nothing of the group is to be released, or it is being dealt with. `wait`: its dead wait for the rest to die.
 * `release`: it is released whole, now. `outOfTime`: its dead are released one by one, or its survivors are moved.
 * `sendDisposed`: the same for what the program disposed of; what the collector found goes on waiting.
 */
type Verdict = 'keep' | 'wait' | 'release' | 'outOfTime' | 'sendDisposed';

/**
 * Decides what becomes of a group, and first closes one that is old or large enough. `#judgeAll` carries the verdict out. The
 * ledger may still withdraw the group's release when that leaves the queue (`#claimGroup`).
 */
function judge(group: Group, now: number, hasGrace: boolean): Verdict {
  const { ledger } = group;
  if (ledger.hasEnded) return 'keep'; // Its members are being struck out.
  if (group.stage === 'open') {
    if (group.dropped === 0) return 'keep';
    const isClosing = isToBeClosed(group, now);
    const isIdle = now - group.touchedAt >= policy.IDLE_MS && group.isDead;
    const staysOpen = hasGrace && !isIdle && !isClosing && !isFull(group, now);
    if (staysOpen) return isDue(group, now) ? 'sendDisposed' : 'wait';
    ledger.closeGroup(group);
    if (isIdle && !ledger.isAbandoned) return 'release';
    // Commands that were sent before may still mint into it: their answers are awaited.
    if (hasGrace && isClosing && !group.isDead) return 'wait';
  }
  if (group.stage !== 'closed') return 'keep';
  // Detached: commands that we no longer see may have put new objects into the group. So its dead are released one by one.
  if (ledger.isAbandoned) return group.dropped > 0 ? 'outOfTime' : 'keep';
  // Dead and closed: one command, if the browser still has something in the group.
  if (group.isDead) return group.dropped + group.releasedSingly > 0 ? 'release' : 'keep';
  if (group.dropped === 0) return 'keep';
  if (hasGrace && isDue(group, now)) return 'sendDisposed';
  const graceMs = areLight(ledger, group.dropped) ? policy.GRACE_OF_LIGHT_MS : policy.GRACE_MS;
  return hasGrace && now - group.staleSince < graceMs ? 'wait' : 'outOfTime';
}

/** Whether an open group should take no more mints, so that it can be released whole, or its few survivors moved, in time. */
function isToBeClosed(group: Group, now: number): boolean {
  if (now - group.disposedSince < policy.CLOSED_AFTER_MS) return false;
  return group.live === 0 || (group.disposed >= policy.FEWEST_WAITING && group.live <= 2 * group.disposed);
}

/** Whether the handles that the program disposed of have waited long enough for the rest of their group. */
function isDue(group: Group, now: number): boolean {
  return now - group.disposedSince >= policy.SENT_AFTER_MS || isAsGoodAsDead(group);
}

/** Whether all but a few of very many members are dead, and none has died since the last look: waiting would gain nothing. */
function isAsGoodAsDead(group: Group): boolean {
  return (
    group.isUrgent &&
    group.disposed >= policy.DEAD_IN_A_LARGE_GROUP &&
    group.dropped === group.droppedAtLastLook &&
    group.live <= policy.MOST_BOUND_SINGLY &&
    group.pending + group.pinned === 0 &&
    group.failedMoves === 0
  );
}

/** Whether it is unlikely that the whole group will be dead soon: then its dead need not wait. */
function isUnlikelyToDieSoon(group: Group, now: number): boolean {
  // A long list is being disposed of, or a query's commands are under way.
  const isInTheMiddle =
    group.pending > 0 ||
    group.pinned > 0 ||
    group.dropped > group.droppedAtLastLook || // However long the garbage collector took meanwhile.
    now - group.touchedAt < policy.IDLE_MS;
  if (!isInTheMiddle) return true;
  const isSoonDead = (group.dropped - group.droppedAtLastLook) * policy.LOOKS_TO_COME >= group.live;
  return !isSoonDead && isWorthMoving(group);
}

/**
 * How many dead a session may have waiting for the rest of their groups to die.
 *
 * @param pageBytes bytes of the page that one handle holds; 0 while that is not known.
 */
export function mostWaiting(pageBytes: number): number {
  if (pageBytes === 0) return policy.MOST_UNKNOWN_WAITING;
  const most = Math.floor(policy.MOST_BYTES_WAITING / pageBytes);
  return Math.min(policy.MOST_WAITING, Math.max(policy.FEWEST_WAITING, most));
}

/** Releases a large group that is closed and dead, without waiting for the sweep: the browser begins while its caller goes on. */
export function releaseIfLarge(group: Group): void {
  const isReady = group.stage === 'closed' && group.isDead && !group.ledger.hasEnded;
  if (isReady && group.dropped >= policy.DEAD_IN_A_LARGE_GROUP) releaseWhole(group);
}

function releaseWhole(group: Group): void {
  const isLarge = group.dropped >= policy.DEAD_IN_A_LARGE_GROUP;
  group.ledger.enqueueGroup(group);
  // Sent now, so that the browser is done when the program's own calls return.
  if (isLarge) group.ledger.services.dispatcher.dispatchNow(group.ledger.queue);
}

function releaseSingly(group: Group): void {
  group.ledger.enqueueUnkept(group);
  deadOf(group).forEach(releaseUnlessNamed);
}

function deadOf(group: Group): Handle[] {
  const dead: Handle[] = [];
  for (const member of group.members) {
    if (member.group === group && member.state === 'dropped') dead.push(member);
  }
  return dead;
}

/** Queues the release of a dead handle, unless a command names it. */
function releaseUnlessNamed(record: Handle): void {
  if (record.state === 'dropped' && record.pins === 0) record.context?.ledger.enqueue(record);
}

/** Published when a sweep has judged the groups that something had happened to. docs/diagnostics.md describes it. */
export interface SweepDone {
  /** Groups judged. */
  readonly groups: number;
  /** Of these: wholly dead, to be released by one command each. */
  readonly released: number;
  /** Partly dead, given time for the rest to die. */
  readonly waiting: number;
  /** Partly dead and out of time: their dead go one by one, or their survivors are moved. */
  readonly resolved: number;
  /** As good as alive, or being dealt with already. */
  readonly kept: number;
  /** Milliseconds, by the attachment's clock. */
  readonly elapsedMs: number;
}

/** Messages are `SweepDone`. Nothing is computed while nobody listens. */
const sweepDone: DiagnosticsChannel = /* @__PURE__ */ diagnosticsChannel('cdp-release-batcher:sweep:done');

class VerdictCounts implements Omit<SweepDone, 'elapsedMs'> {
  groups = 0;
  released = 0;
  waiting = 0;
  resolved = 0;
  kept = 0;

  add(verdict: Verdict): void {
    this.groups++;
    if (verdict === 'keep') this.kept++;
    else if (verdict === 'wait') this.waiting++;
    else if (verdict === 'release') this.released++;
    else this.resolved++;
  }
}
