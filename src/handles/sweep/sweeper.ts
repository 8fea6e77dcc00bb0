/**
 * Does, after each turn of the event loop, what follows from what was dropped in it. All work is done in slices, so that
 * the end of a context with 100,000 handles does not stall the program.
 */

import { RingQueue } from '../../batcher/ring-queue.ts';
import { afterThisJob, SlicedJob, Waiters } from '../../runtime/event-loop.ts';
import { clearTimeout, monotonicNow, setTimeout, unref } from '../../timers.ts';
import { collectedTaken, takeCollected } from '../ledger/collected-handles.ts';
import type { ContextRecords, HandleRecord, Ledger, ObjectGroup, Sweep } from '../ledger/handle-record.ts';
import { AT_ONCE, GroupSweep, releaseIfDead, WITH_GRACE, WITHOUT_GRACE } from './group-sweep.ts';

/** How many steps are taken between two looks at the clock. */
const STEPS_PER_LOOK = 256;
/**
 * A context with more handles than this is struck out this many milliseconds after it ended. Most contexts end because the
 * program closes a page, a browser context or a browser, and waits for that. No release is sent for their handles, so
 * nobody waits for the books.
 */
const MOST_ELIDED_SOON = 1_024;
const ELIDED_AFTER_MS = 100;

export class Sweeper implements Sweep {
  readonly #job = new SlicedJob((deadline) => this.#runSlice(deadline));
  readonly #bulk = new RingQueue<Iterator<void>>();
  readonly #groups: GroupSweep;
  readonly #hastened: Ledger[] = [];
  /** Large contexts that have ended, and whose records are still to be struck out. */
  #ended: ContextRecords[] = [];
  #endedTimer: ReturnType<typeof setTimeout> | undefined;
  /** Who waits until something that could not be released before may be. */
  readonly changes: Waiters = new Waiters();
  #onIdle: (() => void)[] = [];

  constructor(now: () => number) {
    this.#groups = new GroupSweep(now, () => this.noteChange());
  }

  /**
   * A large group is dead. It goes when the job at hand is over, not when all that hangs on that job is: the
   * browser has its work done by the time the program is told of its own.
   */
  hasten({ ledger }: ObjectGroup): void {
    if (this.#hastened.length === 0) void afterThisJob(this.#runHastened);
    if (!this.#hastened.includes(ledger)) this.#hastened.push(ledger);
  }

  touch(group: ObjectGroup): void {
    if (group.isTouched) return; // Thousands of drops in a row touch the same.
    this.#groups.touch(group);
    this.#job.schedule();
  }

  /** Strikes out the members of a group that was released. */
  retire(group: ObjectGroup): void {
    this.#addBulk(endMembers(group));
  }

  /** Strikes out what a group of the user's held when he released it: the first few now, the rest turn by turn. */
  free(group: ObjectGroup, freed: readonly HandleRecord[]): void {
    const work = endFreed(group, freed);
    if (work.next().done !== true) this.#addBulk(work);
  }

  /** Strikes out the records of a context that was destroyed: many of them later, unless leaks are traced. */
  elide(context: ContextRecords): void {
    const { records } = context;
    if (records.size <= MOST_ELIDED_SOON || isTraced(records.values())) {
      this.#addBulk(elideRecords(context));
      return;
    }
    this.#ended.push(context);
    this.#endedTimer ??= unref(setTimeout(() => this.#elideEnded(), ELIDED_AFTER_MS));
  }

  #elideEnded(): void {
    clearTimeout(this.#endedTimer);
    this.#endedTimer = undefined;
    for (const context of this.#ended.splice(0)) this.#addBulk(elideRecords(context));
  }

  /** Lets go of what was kept as if a command named it. */
  unpin(ledger: Ledger, records: readonly HandleRecord[]): void {
    this.#addBulk(unpinEach(ledger, records));
  }

  /** Looks at everything now, without grace. Resolves when all that is to be sent is queued, but for moves. */
  async flush(): Promise<void> {
    await collectedTaken();
    this.#elideEnded();
    while (this.#bulk.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
        this.#job.schedule();
      });
    }
    this.#groups.sweep(WITHOUT_GRACE);
  }

  /** Whether groups with members dropped before that flush began have to be looked at again. */
  owes(flush: number): boolean {
    return this.#groups.owes(flush);
  }

  /** Something that could not be released before may be by now: whoever waits for `changes` looks again. */
  noteChange(): void {
    this.changes.wake();
  }

  /** As `flush`, for one session, but in this very call: there is no time for slices, nor for moves. */
  flushNow(ledger: Ledger): void {
    takeCollected();
    this.#groups.sweep(AT_ONCE, ledger);
  }

  /**
   * As `flush`, for the program that detaches: a group that is dead is queued in this very call, since soon nobody knows
   * any more what else is in it. Of the other groups the dead are queued one by one, turn by turn: `isBusy` until then.
   */
  flushLast(): void {
    takeCollected();
    const work = releaseEach(this.#groups.sweepLast());
    if (work.next().done !== true) this.#addBulk(work);
  }

  /** Whether something is left for the turns to come. `changes` tells of the end. */
  get isBusy(): boolean {
    return this.#bulk.size > 0;
  }

  #addBulk(work: Iterator<void>): void {
    this.#bulk.push(work);
    this.#job.schedule();
  }

  readonly #runHastened = (): void => {
    this.#groups.sweep(WITH_GRACE);
    for (const { services, queue } of this.#hastened.splice(0)) services.dispatcher.dispatchNow(queue);
  };

  #runSlice(deadline: number): boolean {
    if (!this.#runBulk(deadline)) return false;
    this.#groups.sweep(WITH_GRACE);
    const waiters = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiters) resolve();
    this.noteChange(); // What was struck out need not be waited for.
    return true;
  }

  #runBulk(deadline: number): boolean {
    for (let work = this.#bulk.shift(); work !== undefined; work = this.#bulk.shift()) {
      while (work.next().done !== true) {
        if (monotonicNow() < deadline) continue;
        this.#bulk.push(work);
        return false;
      }
    }
    return true;
  }
}

/** Pauses after each `STEPS_PER_LOOK` members, for a look at the clock. */
function* endMembers(group: ObjectGroup): Generator<void> {
  let step = 0;
  const { members } = group;
  group.members = [];
  for (const member of members) {
    if (member.group === group && member.state === 'dropped') group.ledger.end(member);
    if (++step % STEPS_PER_LOOK === 0) yield;
  }
}

function* endFreed(group: ObjectGroup, freed: readonly HandleRecord[]): Generator<void> {
  let step = 0;
  for (const record of freed) {
    group.ledger.endings.endFreed(record, group);
    if (++step % STEPS_PER_LOOK === 0) yield;
  }
  group.ledger.touch(group);
}

function* releaseEach(groups: readonly ObjectGroup[]): Generator<void> {
  let step = 0;
  for (const group of groups) {
    for (const member of group.members) {
      releaseIfDead(group, member);
      if (++step % STEPS_PER_LOOK === 0) yield;
    }
  }
}

function* unpinEach(ledger: Ledger, records: readonly HandleRecord[]): Generator<void> {
  let step = 0;
  for (const record of records) {
    ledger.releases.unpin(record);
    if (++step % STEPS_PER_LOOK === 0) yield;
  }
}

/** Whether the leak report is told how each of them ends. All are traced, or none. */
function isTraced(records: Iterable<HandleRecord>): boolean {
  for (const { origin } of records) return origin !== undefined;
  return false;
}

function* elideRecords(context: ContextRecords): Generator<void> {
  let step = 0;
  for (const record of context.records.values()) {
    context.ledger.endings.elide(record);
    if (++step % STEPS_PER_LOOK === 0) yield;
  }
}
