/**
 * Judges the groups that something happened to. One wholly dead goes by one command, at once. One partly
 * dead is given a grace, in which the rest may die too; then the cheaper is chosen: its dead one by one, or,
 * where few are alive, the survivors moved to a new group and the old one released whole.
 */

import { setTimeout, unref } from '../../timers.ts';
import { areLight, isFull } from '../ledger/generations.ts';
import type { Ledger, ObjectGroup } from '../ledger/handle-record.ts';
import { type SweepDone, sweepDone } from './diagnostics.ts';
import { isWorthMoving, moveSurvivors } from './survivors.ts';

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
/** However little they hold, and however much: fewer are not worth moving others for. */
const MOST_WAITING = 16_384;
const FEWEST_WAITING = 8;

/** How much a sweep is pressed for time. */
export interface Urgency {
  /** Whether a group partly dead may wait for the rest to die. */
  readonly hasGrace: boolean;
  /** Whether there is time to move survivors. */
  readonly mayMove: boolean;
  /** Whether groups that wait are judged again, or those alone that something has happened to. */
  readonly looksAtWaiting: boolean;
}
export const WITH_GRACE: Urgency = { hasGrace: true, mayMove: true, looksAtWaiting: false };
const GRACE_ENDING: Urgency = { hasGrace: true, mayMove: true, looksAtWaiting: true };
export const WITHOUT_GRACE: Urgency = { hasGrace: false, mayMove: true, looksAtWaiting: true };
export const AT_ONCE: Urgency = { hasGrace: false, mayMove: false, looksAtWaiting: true };

/** A group that would be dead after so many sweeps more, at the pace of the last, is waited for. */
const LOOKS_TO_COME = 8;

export class GroupSweep {
  readonly #now: () => number;
  readonly #onMoved: () => void;
  /** Groups to judge in the next sweep, each once. */
  #touched: ObjectGroup[] = [];
  /** Groups to judge again when their grace is over. */
  readonly #inGrace = new Set<ObjectGroup>();
  /** Groups whose survivors are on the move. */
  readonly #moving = new Set<ObjectGroup>();
  #graceTimer: ReturnType<typeof setTimeout> | undefined;

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

  /** Whether there are groups to be judged, or moving, with members dropped before that flush began. */
  owes(flush: number): boolean {
    for (const groups of [this.#touched, this.#inGrace, this.#moving]) {
      for (const group of groups) if (group.dropped > 0 && group.oldestDrop < flush) return true;
    }
    return false;
  }

  /** Judges what was touched, in one session or all, and what waits, where the urgency has it looked at. */
  sweep(urgency: Urgency, ledger?: Ledger): void {
    if (!urgency.mayMove) this.#stopWaitingForMoves(ledger);
    const now = this.#now();
    for (const group of this.#touched) noteChange(group, now);
    const groups = this.#groupsToJudge(urgency, ledger);
    const due: ObjectGroup[] = [];
    const verdicts = sweepDone.hasSubscribers ? { keep: 0, wait: 0, release: 0, resolve: 0 } : undefined;
    for (const group of groups) {
      const verdict = judge(group, now, urgency);
      if (verdicts !== undefined) verdicts[verdict]++;
      if (verdict === 'release') group.ledger.releases.enqueueGroup(group);
      else if (verdict === 'resolve') due.push(group);
      if (verdict === 'wait') this.#wait(group, due);
      else this.#endGrace(group);
    }
    this.#resolve(due, urgency);
    if (this.#inGrace.size > 0) this.#startGraceTimer();
    if (verdicts !== undefined) publish(verdicts, this.#now() - now);
  }

  /** Takes the groups that were touched, and where they are looked at those that wait. */
  #groupsToJudge(urgency: Urgency, ledger: Ledger | undefined): Iterable<ObjectGroup> {
    const touched = this.#touched;
    this.#touched = [];
    for (const group of touched) group.isTouched = false;
    if (!urgency.looksAtWaiting) return touched;
    const groups = new Set<ObjectGroup>();
    for (const group of touched) {
      if (ledger === undefined || group.ledger === ledger) groups.add(group);
      else this.touch(group);
    }
    for (const group of this.#inGrace) {
      if (ledger === undefined || group.ledger === ledger) groups.add(group);
    }
    return groups;
  }

  /** Lets a group wait; where its session has too many dead waiting, the oldest groups are due instead. */
  #wait(group: ObjectGroup, due: ObjectGroup[]): void {
    const { partlyDead } = group.ledger;
    this.#inGrace.add(group);
    partlyDead.add(group);
    const most = mostWaiting(group.ledger.pageBytesPerHandle);
    let waiting = 0;
    for (const { dropped } of partlyDead) waiting += dropped;
    for (const oldest of partlyDead) {
      if (waiting > most && oldest.stage === 'closed' && isRipe(oldest, this.#now())) {
        waiting -= oldest.dropped;
        this.#endGrace(oldest);
        due.push(oldest);
      }
      oldest.droppedAtLastLook = oldest.dropped;
    }
  }

  #endGrace(group: ObjectGroup): void {
    this.#inGrace.delete(group);
    group.ledger.partlyDead.delete(group);
  }

  #resolve(due: readonly ObjectGroup[], { mayMove }: Urgency): void {
    const movable = mayMove ? due.filter(isWorthMoving) : [];
    for (const group of due) if (!movable.includes(group)) releaseDeadSingly(group);
    if (movable.length > 0) void this.#move(movable);
  }

  #stopWaitingForMoves(ledger: Ledger | undefined): void {
    for (const group of this.#moving) {
      if (ledger === undefined || group.ledger === ledger) releaseDeadSingly(group);
    }
  }

  async #move(groups: readonly ObjectGroup[]): Promise<void> {
    for (const group of groups) this.#moving.add(group);
    await moveSurvivors(groups);
    for (const group of groups) this.#moving.delete(group);
    this.#onMoved();
  }

  #startGraceTimer(): void {
    if (this.#graceTimer !== undefined) return;
    this.#graceTimer = setTimeout(() => {
      this.#graceTimer = undefined;
      this.sweep(GRACE_ENDING);
    }, IDLE_MS / 2);
    unref(this.#graceTimer);
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

/** Times are noted here, once a turn, rather than with each of what may be thousands of changes. */
function noteChange(group: ObjectGroup, now: number): void {
  group.touchedAt = now;
  if (group.dropped > group.droppedAtLastLook) group.lostAt = now;
  if (group.dropped === 0) group.staleSince = Number.POSITIVE_INFINITY;
  else group.staleSince = Math.min(group.staleSince, now);
}

function publish({ keep, wait, release, resolve }: Record<Verdict, number>, elapsedMs: number): void {
  const groups = keep + wait + release + resolve;
  if (groups === 0) return;
  const done: SweepDone = {
    groups,
    released: release,
    waiting: wait,
    resolved: resolve,
    kept: keep,
    elapsedMs,
  };
  sweepDone.publish(done);
}

type Verdict = 'keep' | 'wait' | 'release' | 'resolve';

/** What is to be done with a group as it stands now. Closes a generation that has had its time. */
function judge(group: ObjectGroup, now: number, { hasGrace }: Urgency): Verdict {
  const { ledger } = group;
  if (ledger.hasEnded) return 'keep'; // Its members are being struck out.
  if (group.stage === 'open') {
    if (group.dropped === 0) return 'keep';
    const isIdle = group.isDead && now - group.touchedAt >= IDLE_MS;
    if (hasGrace && !isIdle && !isFull(group, now)) return 'wait';
    ledger.generations.close(group);
  }
  if (group.stage !== 'closed') return 'keep';
  // Detached: since then children of its members may have joined it unseen. What was dropped goes one by one.
  if (ledger.isForsaken) return group.dropped > 0 ? 'resolve' : 'keep';
  if (group.isDead) return group.dropped + group.releasedSingly > 0 ? 'release' : 'keep';
  if (group.dropped === 0) return 'keep';
  const graceMs = areLight(ledger, group.dropped) ? GRACE_OF_LIGHT_MS : GRACE_MS;
  return hasGrace && now - group.staleSince < graceMs ? 'wait' : 'resolve';
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
  for (const member of group.members) {
    if (member.group === group && member.state === 'dropped' && member.pins === 0) {
      group.ledger.releases.enqueue(member);
    }
  }
}
