/**
 * The event loop, shared fairly: long work in slices, and waits with a bound.
 *
 * Invariants: all jobs of a thread take at most `TURN_BUDGET_MS` of a turn together, plus one step each; a wait that is
 * over leaves nothing behind where it waited.
 */
import { DEFERRED_MS, LATE_TIMER_MS, MOST_DEFERRED, TURN_BUDGET_MS, TURNS_TO_READ } from '../policy.ts';
import { clearTimeout, monotonicNow, nextTick, setImmediate, setTimeout, unref } from '../timers.ts';

/** Counts the turns in which jobs ran. */
let turn = 0;
let turnEndsAt = 0;
/** Milliseconds to subtract from the next turn's budget. */
let takenAlready = 0;

/** Work that cannot be sliced has taken so many milliseconds of this turn: its jobs get the less. */
export function chargeTurn(ms: number): void {
  takenAlready = Math.min(TURN_BUDGET_MS, takenAlready + ms); // There may be no jobs, turn after turn.
}

/** Work done one slice a turn. Each job gets half of what is left of the budget, so that the next job gets some too. */
export class SlicedJob {
  readonly #work: (deadline: number) => boolean;
  /** The turn after which the job runs; `undefined` while it is not scheduled. */
  #scheduledAfter: number | undefined;

  /** @param work gets the time to stop at, by `performance.now`; returns whether nothing is left to do. */
  constructor(work: (deadline: number) => boolean) {
    this.#work = work;
  }

  /** A ref'd immediate holds the process for one turn: an unref'd one does not wake a loop that waits for input. */
  schedule(): void {
    if (this.#scheduledAfter !== undefined) return;
    this.#scheduledAfter = turn;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const now = monotonicNow();
    if (this.#scheduledAfter === turn) {
      // The first job of this turn: an immediate never runs in the turn that made it.
      turn++;
      turnEndsAt = now + TURN_BUDGET_MS - takenAlready;
      takenAlready = 0;
    }
    this.#scheduledAfter = undefined;
    const isDone = this.#work(now + Math.max(0, turnEndsAt - now) / 2);
    if (!isDone) this.schedule();
  };
}

/** Runs when the job at hand is over, before what waits for that job. */
export const afterThisJob = (callback: () => void): Promise<void> => RESOLVED.then(callback);
const RESOLVED: Promise<void> = Promise.resolve();

/** A task put off for some milliseconds, or until somebody needs its result. */
export interface DeferredTask {
  /** Must not throw. */
  run(): void;
}

/**
 * Tasks are run in the order in which they came, and several together: a tick of the event loop for each would cost as much as the
 * task, and the first thousand times twice as much.
 */
export class DeferredTasks {
  #waiting: DeferredTask[] = [];
  #isTimed = false;

  add(task: DeferredTask): void {
    const waiting = this.#waiting.push(task);
    if (waiting >= MOST_DEFERRED) this.run();
    else if (!this.#isTimed) {
      this.#isTimed = true;
      unref(setTimeout(this.#onTime, DEFERRED_MS));
    }
  }

  /** The same for a task that may be long. It is run as soon as all that hangs on the job at hand has run. */
  addLong(task: DeferredTask): void {
    this.#waiting.push(task);
    nextTick(this.run);
  }

  readonly #onTime = (): void => {
    this.#isTimed = false;
    this.run();
  };

  /** Runs all that wait, now. */
  readonly run = (): void => {
    if (this.#waiting.length === 0) return;
    const tasks = this.#waiting;
    this.#waiting = [];
    for (const task of tasks) task.run();
  };
}

/** Long work for the turns to come, each piece an iterator that pauses now and then. */
export class SlicedWork {
  readonly #job = new SlicedJob((deadline) => this.#runSlice(deadline));
  readonly #afterWork: () => void;
  /** In the order of their turns. */
  readonly #pieces = new Set<Iterator<void>>();
  #later: Iterator<void>[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onIdle: (() => void)[] = [];
  #isHastened = false;

  /** @param afterWork called in the turn in which nothing is left to do. */
  constructor(afterWork: () => void) {
    this.#afterWork = afterWork;
  }

  get isIdle(): boolean {
    return this.#pieces.size === 0;
  }

  /** Has `afterWork` called in the next turn in which nothing is left to do. */
  schedule(): void {
    this.#job.schedule();
  }

  /** Has `afterWork` called when the job at hand is over, before what waits for that job. */
  hasten(): void {
    if (this.#isHastened) return;
    this.#isHastened = true;
    void afterThisJob(() => {
      this.#isHastened = false;
      this.#afterWork();
    });
  }

  add(piece: Iterator<void>): void {
    this.#pieces.add(piece);
    this.#job.schedule();
  }

  /** `add` after `ms`, or when somebody waits for `idle`. All pieces put off together begin with the first. */
  addLater(piece: Iterator<void>, ms: number): void {
    this.#later.push(piece);
    this.#timer ??= unref(setTimeout(() => this.#addPutOff(), ms));
  }

  /** Resolves when nothing is left to do. */
  async idle(): Promise<void> {
    this.#addPutOff();
    while (!this.isIdle) {
      await new Promise<void>((resolve) => {
        this.#onIdle.push(resolve);
        this.#job.schedule();
      });
    }
  }

  #addPutOff(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const piece of this.#later.splice(0)) this.add(piece);
  }

  #runSlice(deadline: number): boolean {
    for (const piece of this.#pieces) {
      this.#pieces.delete(piece);
      while (piece.next().done !== true) {
        if (monotonicNow() < deadline) continue;
        this.#pieces.add(piece);
        return false;
      }
    }
    this.#afterWork();
    for (const resolve of this.#onIdle.splice(0)) resolve();
    return true;
  }
}

/** Those who wait for the same event. */
export class Waiters {
  /** `undefined` until somebody waits: a farm has thousands of queues, and nobody waits for most. */
  #all: Set<() => void> | undefined;
  /** Whether nobody waits, as far as was noticed: those who gave up waiting may still be counted. */
  isEmpty = true;

  /** @returns removes `wake` again. */
  readonly add = (wake: () => void): (() => void) => {
    this.#all ??= new Set();
    this.#all.add(wake);
    this.isEmpty = false;
    return () => void this.#all?.delete(wake);
  };

  /** Wakes all, each once. */
  wake(): void {
    if (this.isEmpty) return;
    const woken = this.#all;
    this.#all = undefined;
    this.isEmpty = true;
    for (const wake of woken ?? []) wake();
  }
}

/** One wait, ended by its owner once it has lasted long enough. */
export class BoundedWait {
  readonly #ended = new Waiters();
  #isOver = false;

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
    this.#ended.wake();
  }

  /** Resolves when these are woken, or the wait is over. */
  for(waiters: Waiters): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        forgetEnd();
        forget();
        resolve();
      };
      const forget = waiters.add(wake);
      const forgetEnd = this.#ended.add(wake);
    });
  }
}

/**
 * How long an answer is awaited. A program whose event loop was blocked has heard nothing meanwhile: its timers fire
 * first, and the browser's answer lies in the socket. So a late deadline is postponed once, by as much as it was late,
 * and none has passed before what has arrived is read.
 */
export class Deadline {
  readonly #onPassed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /**
   * @param onPassed called once, unless `stop` comes first.
   * @param options `isAwaited`: somebody waits for it, so that it keeps the process alive.
   */
  constructor(timeoutMs: number, onPassed: () => void, { isAwaited = false }: { isAwaited?: boolean } = {}) {
    this.#onPassed = onPassed;
    const dueAt = monotonicNow() + timeoutMs;
    this.#start(timeoutMs, isAwaited, () => {
      const lateMs = monotonicNow() - dueAt;
      if (lateMs <= LATE_TIMER_MS) this.#read(TURNS_TO_READ);
      else this.#start(Math.min(lateMs, timeoutMs), isAwaited, () => this.#read(TURNS_TO_READ));
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #start(ms: number, isAwaited: boolean, onFired: () => void): void {
    this.#timer = setTimeout(onFired, ms);
    if (!isAwaited) unref(this.#timer);
  }

  #read(turns: number): void {
    if (this.#isStopped) return;
    if (turns === 0) this.#onPassed();
    else setImmediate(() => this.#read(turns - 1));
  }
}

/** Awaited work. It ends when the wait is over, and leaves nothing behind where it waited. */
type Work = (wait: BoundedWait) => Promise<void>;

/** Whether `work` ended in time. The timer is ref'd: somebody waits for the answer. */
export function settledWithin(work: Work, timeoutMs: number): Promise<boolean> {
  return raced(work, (onPassed) => new Deadline(timeoutMs, onPassed, { isAwaited: true }));
}

/** The same where nobody waits: the process may exit meanwhile. */
export function settledUnattended(work: Work, timeoutMs: number): Promise<boolean> {
  return raced(work, (onPassed) => new Deadline(timeoutMs, onPassed));
}

async function raced(work: Work, start: (onPassed: () => void) => Deadline): Promise<boolean> {
  let deadline: Deadline | undefined;
  const passed = new Promise<boolean>((resolve) => {
    deadline = start(() => resolve(false));
  });
  const wait = new BoundedWait();
  const inTime = await Promise.race([work(wait).then(() => true), passed]);
  deadline?.stop();
  wait.end();
  return inTime;
}
