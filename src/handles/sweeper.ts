/**
 * Decides, once per turn of the event loop, what becomes of what was dropped. All work is done in slices,
 * so that neither 100,000 finalizers nor the end of a context with as many handles stalls the program.
 *
 * A group wholly dead goes by one command, at once. One partly dead is given a short grace, in which the
 * rest may die too; then the cheaper is chosen: its dead one by one, or, where few are alive, the
 * survivors moved to a new group and the old one released whole.
 */
import { RingQueue } from '../batcher/ring-queue.ts';
import type { ContextRecords } from './context-records.ts';
import { isFull } from './generations.ts';
import type { HandleRecord } from './handle-record.ts';
import type { ObjectGroup } from './object-group.ts';
import type { SessionLedger } from './session-ledger.ts';
import { isWorthMoving, moveSurvivors } from './survivors.ts';

/** How long one slice may hold the event loop. */
const SLICE_MS = 4;
/** How many steps are taken between two looks at the clock. */
const STEPS_PER_LOOK = 256;
/** An open generation in which nothing has happened for this long, and all is dead, may go. */
const IDLE_MS = 100;
/** How long the dead of a group wait for the rest to die: a collection or two come in that time. */
const GRACE_MS = 2_000;
/** How many dead a session may have waiting so: 512 objects of 200 KB are 100 MB. */
const MOST_WAITING = 512;

export class Sweeper {
  readonly #now: () => number;
  readonly #collected = new RingQueue<HandleRecord>();
  readonly #bulk = new RingQueue<Iterator<HandleRecord>>();
  /** Groups to look at this turn. */
  #touched = new Set<ObjectGroup>();
  /** Groups to look at again when their grace is over. */
  readonly #inGrace = new Set<ObjectGroup>();
  /** Groups whose survivors are on the move. */
  readonly #moving = new Set<ObjectGroup>();
  #isScheduled = false;
  #graceTimer: ReturnType<typeof setTimeout> | undefined;
  #onIdle: (() => void)[] = [];
  #onChange: (() => void)[] = [];

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Called by the finalizer, for each object: it must stay this small. */
  readonly onCollected = (record: HandleRecord): void => {
    if (record.state !== 'live') return;
    this.#collected.push(record);
    this.#schedule();
  };

  touch(group: ObjectGroup): void {
    this.#touched.add(group);
    this.#schedule();
  }

  /** Strikes out the members of a group that was released. */
  retire(group: ObjectGroup): void {
    this.#addBulk(endMembers(group));
  }

  /** Strikes out the records of a context that was destroyed. */
  elide(context: ContextRecords): void {
    this.#addBulk(elideRecords(context));
  }

  /** Looks at everything now, without grace. Resolves when all that is to be sent is queued, but for moves. */
  async flush(): Promise<void> {
    // Finalizers run before the next immediate: what was collected by now is seen.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#collected.size > 0 || this.#bulk.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
        this.#schedule();
      });
    }
    this.#sweep(WITHOUT_GRACE);
  }

  /** Resolves when something that could not be released before may be by now. */
  nextChange(): Promise<void> {
    return new Promise((resolve) => this.#onChange.push(resolve));
  }

  /** Something dropped is no longer named by an unanswered command. */
  noteChange(): void {
    if (this.#onChange.length === 0) return;
    const waiters = this.#onChange;
    this.#onChange = [];
    for (const resolve of waiters) resolve();
  }

  /** The same for one session, or all, in this very call: there is no time for moves. */
  flushNow(ledger?: SessionLedger): void {
    for (let record = this.#collected.shift(); record !== undefined; record = this.#collected.shift()) {
      record.context.ledger.collect(record);
    }
    for (const group of this.#moving) {
      if (ledger === undefined || group.ledger === ledger) releaseDeadSingly(group);
    }
    this.#sweep(AT_ONCE, ledger);
  }

  #addBulk(records: Iterator<HandleRecord>): void {
    this.#bulk.push(records);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#runSlice);
  }

  readonly #runSlice = (): void => {
    this.#isScheduled = false;
    const deadline = this.#now() + SLICE_MS;
    const isDone = this.#dropCollected(deadline) && this.#runBulk(deadline);
    if (!isDone) {
      this.#schedule();
      return;
    }
    this.#sweep(WITH_GRACE);
    const waiters = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiters) resolve();
    this.noteChange(); // What was struck out need not be waited for.
  };

  #dropCollected(deadline: number): boolean {
    for (let step = 1; ; step++) {
      const record = this.#collected.shift();
      if (record === undefined) return true;
      record.context.ledger.collect(record);
      if (step % STEPS_PER_LOOK === 0 && this.#now() >= deadline) return this.#collected.size === 0;
    }
  }

  #runBulk(deadline: number): boolean {
    for (let records = this.#bulk.shift(); records !== undefined; records = this.#bulk.shift()) {
      for (let step = 1; records.next().done !== true; step++) {
        if (step % STEPS_PER_LOOK !== 0 || this.#now() < deadline) continue;
        this.#bulk.push(records);
        return false;
      }
    }
    return true;
  }

  #sweep(urgency: Urgency, ledger?: SessionLedger): void {
    const groups = this.#groupsToJudge(urgency, ledger);
    if (groups.size === 0) return;
    const now = this.#now();
    const due: ObjectGroup[] = [];
    for (const group of groups) {
      const verdict = judge(group, now, urgency);
      if (verdict === 'release') group.ledger.releaseWhole(group);
      else if (verdict === 'resolve') due.push(group);
      if (verdict === 'wait') this.#wait(group, due);
      else this.#endGrace(group);
    }
    this.#resolve(due, urgency);
    if (this.#inGrace.size > 0) this.#startGraceTimer();
  }

  /** Takes the groups that were touched; those in their grace, too, where there shall be none. */
  #groupsToJudge({ hasGrace }: Urgency, ledger: SessionLedger | undefined): ReadonlySet<ObjectGroup> {
    const touched = this.#touched;
    this.#touched = new Set();
    if (hasGrace) return touched;
    const groups = new Set<ObjectGroup>();
    for (const group of [...touched, ...this.#inGrace]) {
      if (ledger === undefined || group.ledger === ledger) groups.add(group);
      else if (touched.has(group)) this.#touched.add(group);
    }
    return groups;
  }

  /** Lets a group wait; where its session has too many dead waiting, the oldest groups are due instead. */
  #wait(group: ObjectGroup, due: ObjectGroup[]): void {
    const { partlyDead } = group.ledger;
    this.#inGrace.add(group);
    partlyDead.add(group);
    let waiting = 0;
    for (const { dropped } of partlyDead) waiting += dropped;
    for (const oldest of partlyDead) {
      const isLetBe = isInTheMiddle(oldest, this.#now()) && !isWorthMoving(oldest);
      oldest.droppedAtLastLook = oldest.dropped;
      if (waiting <= MOST_WAITING || oldest.stage !== 'closed' || isLetBe) continue;
      waiting -= oldest.dropped;
      this.#endGrace(oldest);
      due.push(oldest);
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

  async #move(groups: readonly ObjectGroup[]): Promise<void> {
    for (const group of groups) this.#moving.add(group);
    await moveSurvivors(groups);
    for (const group of groups) this.#moving.delete(group);
    this.noteChange();
  }

  #startGraceTimer(): void {
    if (this.#graceTimer !== undefined) return;
    this.#graceTimer = setTimeout(() => {
      this.#graceTimer = undefined;
      for (const group of this.#inGrace) this.#touched.add(group);
      this.#sweep(WITH_GRACE);
    }, IDLE_MS / 2);
    this.#graceTimer.unref();
  }
}

/** How much a sweep is pressed for time. */
interface Urgency {
  readonly hasGrace: boolean;
  readonly mayMove: boolean;
}
const WITH_GRACE: Urgency = { hasGrace: true, mayMove: true };
const WITHOUT_GRACE: Urgency = { hasGrace: false, mayMove: true };
const AT_ONCE: Urgency = { hasGrace: false, mayMove: false };

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
  if (group.isDead) return group.dropped + group.releasedSingly > 0 ? 'release' : 'keep';
  if (group.dropped === 0) return 'keep';
  return hasGrace && now - group.staleSince < GRACE_MS ? 'wait' : 'resolve';
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
      group.ledger.releaseSingly(member);
    }
  }
}

function* endMembers(group: ObjectGroup): Generator<HandleRecord> {
  for (const member of group.members) {
    if (member.group === group && member.state === 'dropped') group.ledger.end(member);
    yield member;
  }
  group.members = [];
}

function* elideRecords(context: ContextRecords): Generator<HandleRecord> {
  for (const record of context.records.values()) {
    context.ledger.elide(record);
    yield record;
  }
}
