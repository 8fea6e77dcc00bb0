/**
 * Judges the groups that something happened to. One wholly dead goes by one command, at once. One partly
 * dead is given a grace, in which the rest may die too; then the cheaper is chosen: its dead one by one, or,
 * where few are alive, the survivors moved to a new group and the old one released whole.
 *
 * Invariant: what the program disposed of is on its way within 100 ms, whatever else is in its group. Only what the
 * collector found has the longer grace.
 */

import { setTimeout, unref } from '../../timers.ts';
import { areLight, isFull } from '../ledger/generations.ts';
import type { HandleRecord, Ledger, ObjectGroup } from '../ledger/handle-record.ts';
import { type SweepDone, sweepDone } from './diagnostics.ts';
import { costOfMoving, isWorthMoving, moveSurvivors } from './survivors.ts';

/** An open generation in which nothing has happened for this long, and all is dead, may go. */
const IDLE_MS = 100;
/** How long the dead of a group wait for the rest to die: a collection or two come in that time. */
const GRACE_MS = 2_000;
/** The same where they hold next to nothing; then collections are rare as well. */
const GRACE_OF_LIGHT_MS = 10_000;
/** How many dead a session may have waiting so while nobody knows what they hold: of 200 KB each they would be 100 MB. */
const MOST_UNKNOWN_WAITING = 512;
/** Bytes of the page that they may hold where that is known. */
const MOST_BYTES_WAITING = 100e6;
/**
 * What the program disposed of has waited that long when its group takes no more mints, so that the commands which may
 * still mint into it are answered in time, and when it is sent, by the whole group or one by one: within 100 ms, with
 * what a timer and a turn of the event loop may be late.
 */
const CLOSED_AFTER_MS = 70;
const SENT_AFTER_MS = 85;
/** The same where nothing lives in the group, and only an answer is awaited: then it goes by one command. */
const ALL_DEAD_SENT_AFTER_MS = 95;
/** Survivors that are not moved by then are not waited for, where the dead are no more than one batch. */
const MOVED_WITHIN_MS = 20;
const MOST_SENT_BEFORE_MOVED = 64;
/** Of more than these, in a group where all is dead but a command is unanswered, the answer is waited for. */
const MOST_SENT_SINGLY = 1_024;
/** Groups that are due one after another are looked at together; where many are due at once, so many at a time. */
const FEWEST_MS_BETWEEN_LOOKS = 8;
const MOST_PER_LOOK = 1_024;
/** Groups are asked in the order in which they began to wait: behind so many that are not ripe there is hardly one that is. */
const MOST_UNRIPE = 64;
/** However little they hold, and however much: fewer are not worth moving others for. */
const MOST_WAITING = 16_384;
const FEWEST_WAITING = 8;

/** How much a sweep is pressed for time. */
export interface Urgency {
  /** Whether a group partly dead may wait for the rest to die. */
  readonly hasGrace: boolean;
  /** Whether there is time to move survivors. */
  readonly mayMove: boolean;
  /** Which of the groups that wait are judged again, besides those that something has happened to: `due` by their grace. */
  readonly looksAt: 'none' | 'urgent' | 'due' | 'all';
}
export const WITH_GRACE: Urgency = { hasGrace: true, mayMove: true, looksAt: 'none' };
const URGENT_ONLY: Urgency = { hasGrace: true, mayMove: true, looksAt: 'urgent' };
const GRACE_ENDING: Urgency = { hasGrace: true, mayMove: true, looksAt: 'due' };
export const WITHOUT_GRACE: Urgency = { hasGrace: false, mayMove: true, looksAt: 'all' };
export const AT_ONCE: Urgency = { hasGrace: false, mayMove: false, looksAt: 'all' };

/** A group that would be dead after so many sweeps more, at the pace of the last, is waited for. */
const LOOKS_TO_COME = 8;

export class GroupSweep {
  readonly #now: () => number;
  readonly #onMoved: () => void;
  /** Groups to judge in the next sweep, each once. */
  #touched: ObjectGroup[] = [];
  /**
   * Groups to judge again, each with the time at which its grace may be over, the earliest first. There may be a hundred
   * thousand: whoever looks at them by a timer stops at the first that is not due.
   */
  readonly #inGrace = new Map<ObjectGroup, number>();
  /** Of these, groups that still take mints: they may be closed at any time. */
  readonly #openInGrace = new Set<ObjectGroup>();
  /** Of these, groups with something that the program disposed of, which is not due yet: the oldest first. */
  readonly #urgent = new Set<ObjectGroup>();
  /** Whether the last look left some for the next that it could have seen to. */
  #urgentLeft = false;
  #dueLeft = false;
  /** Sessions with too many dead waiting, of which none is to be released just now. */
  readonly #crowded = new Set<Ledger>();
  /** By session, groups in grace with something that the client disposed of for itself. */
  readonly #tidied = new WeakMap<Ledger, Set<ObjectGroup>>();
  /** Groups whose survivors are on the move, each with the number of flushes that had begun when the move did. */
  readonly #moving = new Map<ObjectGroup, number>();
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #urgentTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param onMoved called when moves have ended, and with them what kept a group from being released. */
  constructor(now: () => number, onMoved: () => void) {
    this.#now = now;
    this.#onMoved = onMoved;
  }

  /** Has a group judged in the next sweep. */
  touch(group: ObjectGroup): void {
    if (group.isTouched) return;
    group.isTouched = true;
    this.#touched.push(group);
  }

  /**
   * Whether there are groups to be judged, or moving, with members dropped before that flush began. A move that began
   * before it is waited for in any case: of the survivors that die meanwhile it leaves ids of its own.
   */
  owes(flush: number): boolean {
    for (const groups of [this.#touched, this.#inGrace.keys(), this.#moving.keys()]) {
      for (const group of groups) if (group.dropped > 0 && group.oldestDrop < flush) return true;
    }
    for (const [{ ledger }, begun] of this.#moving) {
      if (begun < flush && !ledger.hasEnded && !ledger.queue.isLost) return true;
    }
    return false;
  }

  /** Judges what was touched, in one session or all, and what waits, where the urgency has it looked at. */
  sweep(urgency: Urgency, ledger?: Ledger): void {
    if (!urgency.mayMove) for (const group of this.#movingOf(ledger)) releaseDeadSingly(group);
    this.#resolve(this.#judgeAll(urgency, ledger), urgency);
  }

  /**
   * Judges all groups without grace, for the last time. Moves are not waited for.
   *
   * @returns the groups of which the dead are to be released one by one, and have not been yet.
   */
  sweepLast(): ObjectGroup[] {
    return [...this.#movingOf(undefined), ...this.#judgeAll(AT_ONCE, undefined)];
  }

  /** @returns the groups that are partly dead, and out of time. */
  #judgeAll(urgency: Urgency, ledger: Ledger | undefined): ObjectGroup[] {
    const now = this.#now();
    for (const group of this.#touched) this.#noteChange(group, now);
    const groups = this.#groupsToJudge(urgency, ledger, now);
    const due: ObjectGroup[] = [];
    const urged: ObjectGroup[] = [];
    const waiting: ObjectGroup[] = [];
    const verdicts = sweepDone.hasSubscribers ? { ...NO_VERDICTS } : undefined;
    for (const group of groups) {
      const verdict = judge(group, now, urgency);
      if (verdicts !== undefined) verdicts[verdict]++;
      if (verdict === 'release') group.ledger.releases.enqueueGroup(group);
      else if (verdict === 'resolve') due.push(group);
      else if (verdict === 'urge') urged.push(group);
      if (verdict === 'wait') waiting.push(group);
      else this.#endGrace(group);
    }
    this.#urge(urged, waiting);
    this.#letWait(waiting, due);
    if (this.#inGrace.size > 0) this.#startGraceTimer();
    if (this.#urgent.size > 0) this.#startUrgentTimer(now);
    if (verdicts !== undefined) publish(verdicts, this.#now() - now);
    return due;
  }

  /** Times are noted here, once a turn, rather than with each of what may be thousands of changes. */
  #noteChange(group: ObjectGroup, now: number): void {
    group.touchedAt = now;
    if (group.dropped > group.droppedAtLastLook) group.lostAt = now;
    if (group.dropped === 0) group.staleSince = Number.POSITIVE_INFINITY;
    else group.staleSince = Math.min(group.staleSince, now);
    if (group.isUrgent && group.disposedSince === Number.POSITIVE_INFINITY) {
      group.disposedSince = now;
      this.#urgent.delete(group); // It is the youngest now.
      this.#urgeTidied(group.ledger, now);
    }
  }

  /** An element that the program disposes of may have a double that the client disposed of before: both hold the node. */
  #urgeTidied(ledger: Ledger, now: number): void {
    for (const group of this.#tidied.get(ledger) ?? []) {
      group.isUrgent = true;
      group.disposedSince = now;
      this.#urgent.add(group);
    }
    this.#tidied.delete(ledger);
  }

  /** Takes the groups that were touched, and where they are looked at those that wait. */
  #groupsToJudge({ looksAt }: Urgency, ledger: Ledger | undefined, now: number): Iterable<ObjectGroup> {
    const touched = this.#touched;
    this.#touched = [];
    for (const group of touched) group.isTouched = false;
    if (looksAt === 'none') return touched;
    const groups = new Set<ObjectGroup>();
    for (const group of touched) {
      if (ledger === undefined || group.ledger === ledger) groups.add(group);
      else this.touch(group);
    }
    if (looksAt === 'urgent') this.#addUrgent(groups, now);
    else if (looksAt === 'due') this.#addDue(groups, now);
    else {
      for (const group of this.#inGrace.keys()) {
        if (ledger === undefined || group.ledger === ledger) groups.add(group);
      }
    }
    return groups;
  }

  #addUrgent(groups: Set<ObjectGroup>, now: number): void {
    let left = MOST_PER_LOOK;
    for (const group of this.#urgent) {
      if (now - group.disposedSince < CLOSED_AFTER_MS) return;
      if (left-- === 0) {
        this.#urgentLeft = true;
        return;
      }
      groups.add(group);
    }
  }

  #addDue(groups: Set<ObjectGroup>, now: number): void {
    for (const group of this.#openInGrace) groups.add(group);
    let left = MOST_PER_LOOK;
    for (const [group, dueAt] of this.#inGrace) {
      if (dueAt > now) return;
      if (left-- === 0) {
        this.#dueLeft = true;
        return;
      }
      groups.add(group);
      this.#inGrace.delete(group); // It comes last, should it go on waiting.
    }
  }

  /** Lets groups wait; where a session has too many dead waiting, its oldest groups are due instead. */
  #letWait(groups: readonly ObjectGroup[], due: ObjectGroup[]): void {
    for (const group of groups) {
      this.#wait(group);
      this.#crowded.add(group.ledger);
    }
    for (const ledger of this.#crowded) if (this.#relieve(ledger, due)) this.#crowded.delete(ledger);
    for (const group of groups) group.droppedAtLastLook = group.dropped;
  }

  #wait(group: ObjectGroup): void {
    if (!this.#inGrace.has(group)) this.#inGrace.set(group, this.#now() + GRACE_MS);
    if (group.stage === 'open') this.#openInGrace.add(group);
    else this.#openInGrace.delete(group);
    group.ledger.partlyDead.add(group);
    if (group.isUrgent && group.disposedSince > Number.NEGATIVE_INFINITY) this.#urgent.add(group);
    else this.#urgent.delete(group);
    if (group.disposed > 0 && !group.isUrgent) this.#tidiedOf(group.ledger).add(group);
  }

  /**
   * Walks the groups only where there are too many dead: of groups that wait there may be a hundred thousand.
   *
   * @returns whether there are no longer too many.
   */
  #relieve({ partlyDead, pageBytesPerHandle, hasEnded }: Ledger, due: ObjectGroup[]): boolean {
    const most = mostWaiting(pageBytesPerHandle);
    if (hasEnded || partlyDead.dead <= most) return true;
    const now = this.#now();
    let unripe = 0;
    for (const oldest of partlyDead) {
      if (partlyDead.dead <= most) return true;
      if (due.length >= MOST_PER_LOOK) this.#dueLeft = true;
      if (due.length >= MOST_PER_LOOK || unripe >= MOST_UNRIPE) return false;
      if (oldest.stage !== 'closed' || !isRipe(oldest, now)) {
        unripe++;
        continue;
      }
      this.#endGrace(oldest);
      due.push(oldest);
    }
    return partlyDead.dead <= most;
  }

  #endGrace(group: ObjectGroup): void {
    this.#inGrace.delete(group);
    this.#openInGrace.delete(group);
    this.#urgent.delete(group);
    this.#tidied.get(group.ledger)?.delete(group);
    group.ledger.partlyDead.delete(group);
  }

  #tidiedOf(ledger: Ledger): Set<ObjectGroup> {
    let groups = this.#tidied.get(ledger);
    if (groups === undefined) {
      groups = new Set();
      this.#tidied.set(ledger, groups);
    }
    return groups;
  }

  /** What the program disposed of is due, by whichever is cheaper. What the collector found there goes on waiting. */
  #urge(groups: readonly ObjectGroup[], waiting: ObjectGroup[]): void {
    const movable: ObjectGroup[] = [];
    for (const group of groups) {
      if (isWorthMoving(group) && costOfMoving(group) < group.disposed) {
        movable.push(group);
        continue;
      }
      // All dead but for a command that is unanswered: it dies by one command soon, where the page answers at all.
      const isWaitedFor = group.live === 0 && group.disposed > MOST_SENT_SINGLY;
      if (!isWaitedFor) releaseSingly(group, ({ isDisposed }) => isDisposed);
      if (group.disposed > 0) group.setOverdue();
      if (group.dropped > 0) waiting.push(group);
    }
    if (movable.length === 0) return;
    void this.#move(movable);
    const timer = setTimeout(() => {
      for (const group of movable) {
        if (group.disposed <= MOST_SENT_BEFORE_MOVED && this.#moving.has(group)) releaseDeadSingly(group);
      }
    }, MOVED_WITHIN_MS);
    unref(timer);
  }

  #resolve(due: readonly ObjectGroup[], { mayMove }: Urgency): void {
    const movable: ObjectGroup[] = [];
    for (const group of due) {
      if (mayMove && isWorthMoving(group)) movable.push(group);
      else releaseDeadSingly(group);
    }
    if (movable.length > 0) void this.#move(movable);
  }

  #movingOf(ledger: Ledger | undefined): ObjectGroup[] {
    return [...this.#moving.keys()].filter((group) => ledger === undefined || group.ledger === ledger);
  }

  async #move(groups: readonly ObjectGroup[]): Promise<void> {
    for (const group of groups) this.#moving.set(group, group.ledger.services.flushes.begun);
    await moveSurvivors(groups);
    for (const group of groups) this.#moving.delete(group);
    this.#onMoved();
  }

  #startGraceTimer(): void {
    if (this.#graceTimer !== undefined) return;
    this.#graceTimer = setTimeout(
      () => {
        this.#graceTimer = undefined;
        this.sweep(GRACE_ENDING);
      },
      this.#dueLeft ? FEWEST_MS_BETWEEN_LOOKS : IDLE_MS / 2,
    );
    this.#dueLeft = false;
    unref(this.#graceTimer);
  }

  /** Wakes when the first of the groups is to be closed, or sent. */
  #startUrgentTimer(now: number): void {
    if (this.#urgentTimer !== undefined) return;
    let next = Number.POSITIVE_INFINITY;
    for (const group of this.#urgent) {
      if (group.disposedSince + CLOSED_AFTER_MS >= next || next <= now) break; // So are all that follow.
      const afterMs = group.stage === 'open' ? CLOSED_AFTER_MS : sentAfterMs(group);
      next = Math.min(next, group.disposedSince + afterMs);
    }
    this.#urgentTimer = setTimeout(
      () => {
        this.#urgentTimer = undefined;
        this.sweep(URGENT_ONLY);
      },
      Math.max(this.#urgentLeft ? 0 : FEWEST_MS_BETWEEN_LOOKS, next - now),
    );
    this.#urgentLeft = false;
    unref(this.#urgentTimer);
  }
}

/**
 * How many dead a session may have waiting for the rest of their groups to die.
 *
 * @param pageBytes what one handle holds of the page; 0 where that is not known.
 */
export function mostWaiting(pageBytes: number): number {
  if (pageBytes === 0) return MOST_UNKNOWN_WAITING;
  return Math.min(MOST_WAITING, Math.max(FEWEST_WAITING, Math.floor(MOST_BYTES_WAITING / pageBytes)));
}

function publish({ keep, wait, release, resolve, urge }: Verdicts, elapsedMs: number): void {
  const groups = keep + wait + release + resolve + urge;
  if (groups === 0) return;
  const done: SweepDone = {
    groups,
    released: release,
    waiting: wait,
    resolved: resolve + urge,
    kept: keep,
    elapsedMs,
  };
  sweepDone.publish(done);
}

type Verdict = 'keep' | 'wait' | 'release' | 'resolve' | 'urge';
type Verdicts = Record<Verdict, number>;
const NO_VERDICTS: Readonly<Verdicts> = { keep: 0, wait: 0, release: 0, resolve: 0, urge: 0 };

/** What is to be done with a group as it stands now. Closes a generation that has had its time. */
function judge(group: ObjectGroup, now: number, { hasGrace }: Urgency): Verdict {
  const { ledger } = group;
  if (ledger.hasEnded) return 'keep'; // Its members are being struck out.
  if (group.stage === 'open') {
    if (group.dropped === 0) return 'keep';
    const isIdle = group.isDead && now - group.touchedAt >= IDLE_MS;
    const isClosing = isToBeClosed(group, now);
    if (hasGrace && !isIdle && !isFull(group, now) && !isClosing) return isDue(group, now) ? 'urge' : 'wait';
    ledger.generations.close(group);
    // However late that is: its last commands are answered in a moment.
    if (hasGrace && isClosing && !group.isDead) return 'wait';
  }
  if (group.stage !== 'closed') return 'keep';
  // Detached: since then children of its members may have joined it unseen. What was dropped goes one by one.
  if (ledger.isForsaken) return group.dropped > 0 ? 'resolve' : 'keep';
  if (group.isDead) return group.dropped + group.releasedSingly > 0 ? 'release' : 'keep';
  if (group.dropped === 0) return 'keep';
  if (hasGrace && isDue(group, now)) return 'urge';
  const graceMs = areLight(ledger, group.dropped) ? GRACE_OF_LIGHT_MS : GRACE_MS;
  return hasGrace && now - group.staleSince < graceMs ? 'wait' : 'resolve';
}

/** Whether an open group is to take no more mints, so that it can be released whole, or left by few, in time. */
function isToBeClosed(group: ObjectGroup, now: number): boolean {
  if (now - group.disposedSince < CLOSED_AFTER_MS) return false;
  return group.live === 0 || (group.disposed >= FEWEST_WAITING && group.live <= 2 * group.disposed);
}

/** Whether what the program disposed of may wait no longer for the rest of its group. */
function isDue(group: ObjectGroup, now: number): boolean {
  return now - group.disposedSince >= sentAfterMs(group);
}

function sentAfterMs({ live }: ObjectGroup): number {
  return live === 0 ? ALL_DEAD_SENT_AFTER_MS : SENT_AFTER_MS;
}

/** Whether a group may as well be resolved now: it does not look as if it would soon die whole. */
function isRipe(group: ObjectGroup, now: number): boolean {
  if (!isInTheMiddle(group, now)) return true;
  const isSoonDead = (group.dropped - group.droppedAtLastLook) * LOOKS_TO_COME >= group.live;
  return !isSoonDead && isWorthMoving(group);
}

/**
 * Whether something is going on in a group that may soon leave it dead as a whole: a long list being
 * disposed of, a query whose commands are under way.
 */
function isInTheMiddle(group: ObjectGroup, now: number): boolean {
  return (
    group.pending > 0 ||
    group.pinned > 0 ||
    group.dropped > group.droppedAtLastLook || // However long the garbage collector took meanwhile.
    now - group.lostAt < IDLE_MS
  );
}

function releaseDeadSingly(group: ObjectGroup): void {
  releaseSingly(group, () => true);
}

function releaseSingly(group: ObjectGroup, isMeant: (member: HandleRecord) => boolean): void {
  for (const member of group.members) if (isMeant(member)) releaseIfDead(group, member);
}

/** Queues the release of one that is dead, unless a command names it, or it left the group meanwhile. */
export function releaseIfDead(group: ObjectGroup, member: HandleRecord): void {
  if (member.group !== group || member.state !== 'dropped' || member.pins > 0) return;
  group.ledger.releases.enqueue(member);
}
