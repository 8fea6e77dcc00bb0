/**
 * Takes releases in, and hands them out in batches: a round over the sessions that have something
 * waiting, one batch each. Its loop is only drain → claim a slot → hand over; it never awaits an answer,
 * so that the one thing a hung session can fill is its own window.
 */
import { guardInFlight } from '../single-flight/in-flight-guard.ts';
import { monotonicNow } from '../timers.ts';
import { settleBatch } from './batch-worker.ts';
import type { BoundedWait } from './bounded-wait.ts';
import { BatchTally, batchSettled } from './diagnostics.ts';
import { FlushMark, settledUnattended, settledWithin } from './flush.ts';
import { Lane } from './lane.ts';
import type { ResolvedBatcherOptions } from './options.ts';
import type { Outcome, Reach } from './outcome.ts';
import { commandsIn, type Release, type ReleaseSession } from './release.ts';
import { RingQueue } from './ring-queue.ts';
import { SlicedJob } from './sliced-job.ts';
import { handlesOf, type ReleaseStats } from './stats.ts';
import { UnsentReleases } from './unsent-releases.ts';

/**
 * Releases taken from the queue for a batch: of those whose context ended while they waited, none is claimed, and there
 * may be a hundred thousand of them.
 */
const MOST_TAKEN = 1_024;

/** All but the signal, which is the user's, and may lead anywhere: what is queued leads to the dispatcher. */
type DispatcherOptions = Omit<ResolvedBatcherOptions, 'signal'>;

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #stats: ReleaseStats;
  /** Lanes by session, kept alive by the session only. */
  readonly #lanes = new WeakMap<ReleaseSession, Lane>();
  /** Lanes in which something waits or is unanswered. */
  readonly #busy = new Set<Lane>();
  /** Busy lanes that could send at once, in the order of their turns. */
  readonly #ready = new RingQueue<Lane>();
  readonly #unsent: UnsentReleases;
  readonly #round = new SlicedJob((deadline) => this.#runRound(deadline));
  #isStarted = false;
  #closing: Promise<void> | undefined;
  #hasWarned = false;
  #waiting = 0;

  constructor(
    { maxBatchSize, maxInFlightBatches, releaseTimeoutMs, maxQueueSize }: DispatcherOptions,
    stats: ReleaseStats,
  ) {
    this.#options = { maxBatchSize, maxInFlightBatches, releaseTimeoutMs, maxQueueSize };
    this.#stats = stats;
    this.#unsent = new UnsentReleases(stats, (lane) => this.#goOnWith(lane));
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** How long an answer is waited for, in milliseconds. */
  get releaseTimeoutMs(): number {
    return this.#options.releaseTimeoutMs;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  start(): void {
    if (!this.isClosed) this.#isStarted = true;
  }

  lane(session: ReleaseSession): Lane {
    let lane = this.#lanes.get(session);
    if (lane === undefined) {
      lane = new Lane(session, this.#options.maxInFlightBatches);
      this.#lanes.set(session, lane);
    }
    return lane;
  }

  /**
   * Queues a release whose handles are in the books as queued. Past `maxQueueSize`, and once closed, it
   * is dropped and counted instead: `false`.
   */
  enqueue(lane: Lane, release: Release | string): boolean {
    if (!this.#hasRoom()) {
      this.#unsent.end(release, 'dropped');
      return false;
    }
    this.#isStarted = true;
    if (lane.isLost) this.#unsent.end(release, 'gone');
    else this.#push(lane, release);
    return true;
  }

  /**
   * Sends all that waits in a lane at once, past its window: for the command that must find the heap
   * clean and is sent right after.
   */
  drainNow(lane: Lane): void {
    this.#unsent.finish(lane);
    while (lane.waiting > 0) {
      this.#dispatchBatch(lane);
      this.#unsent.finish(lane); // A session may refuse, or end, in the very call that sends.
    }
  }

  /** Sends a batch of what waits in a lane at once, where its window allows. */
  dispatchNow(lane: Lane): void {
    if (lane.waiting > 0 && lane.hasFreeSlot && !lane.isDoomed) this.#dispatchBatch(lane);
  }

  /** Resolves when everything that waits or is unanswered now has ended, or the wait is over. Never rejects. */
  async settled(wait: BoundedWait): Promise<void> {
    await Promise.all([...this.#busy].map((lane) => this.#laneSettled(lane, wait)));
  }

  async #laneSettled(lane: Lane, wait: BoundedWait): Promise<void> {
    if (lane.waiting > 0) {
      const mark = lane.mark ?? new FlushMark();
      if (lane.mark === undefined) this.#push(lane, mark);
      lane.mark = mark;
      await wait.for(mark.reached);
    }
    await lane.answered(wait);
  }

  /** Empties a lane: what waits ends as `outcome` without having been sent. */
  clearLane(lane: Lane, outcome: 'gone' | 'dropped'): void {
    this.#waiting -= this.#unsent.endAllOf(lane, outcome);
    if (lane.isDoomed) this.#round.schedule();
  }

  /** The lane's target crashed, and with it all that it held: nothing waits, is sent or awaited until it recovers. */
  loseLane(lane: Lane): void {
    lane.lose();
    this.clearLane(lane, 'gone');
  }

  /**
   * Takes nothing more, gives what waits `releaseTimeoutMs` to be answered, and drops the rest. Never rejects.
   * Where that has begun unattended it is attended from here on: whoever awaits it keeps the process alive.
   */
  async close(): Promise<void> {
    this.closeUnattended();
    const closing = this.#closing;
    if (closing !== undefined) await settledWithin(() => closing, this.#options.releaseTimeoutMs);
    this.#clear();
    const unanswered = [...this.#busy];
    for (const lane of unanswered) lane.giveUpUnanswered();
    const allEnded = async (wait: BoundedWait): Promise<void> => {
      for (const lane of unanswered) await lane.answered(wait);
    };
    await settledWithin(allEnded, this.#options.releaseTimeoutMs);
  }

  /** The same where nobody waits for it: a session that hangs does not keep the process alive meanwhile. */
  closeUnattended(): Promise<void> {
    this.#closing ??= settledUnattended((wait) => this.settled(wait), this.#options.releaseTimeoutMs).then(
      () => this.#clear(),
    );
    return this.#closing;
  }

  /** Takes nothing more and drops what waits, at once. */
  abort(): void {
    this.#clear();
    void this.closeUnattended();
  }

  #clear(): void {
    for (const lane of this.#busy) this.clearLane(lane, 'dropped');
  }

  #hasRoom(): boolean {
    if (this.isClosed) return false;
    if (this.#waiting < this.#options.maxQueueSize) return true;
    if (!this.#hasWarned) {
      this.#hasWarned = true;
      process.emitWarning(`Releases are dropped: ${this.#waiting} wait already (maxQueueSize).`, {
        code: 'CDP_RELEASE_QUEUE_FULL',
      });
    }
    return false;
  }

  #push(lane: Lane, release: Release | string): void {
    lane.push(release);
    this.#waiting++;
    this.#busy.add(lane);
    this.#makeReady(lane);
  }

  #makeReady(lane: Lane): void {
    if (lane.isReady || lane.isDoomed || !lane.hasFreeSlot) return;
    lane.isReady = true;
    this.#ready.push(lane);
    this.#round.schedule();
  }

  #runRound(deadline: number): boolean {
    this.#unsent.endUntil(deadline);
    for (let lane = this.#ready.shift(); lane !== undefined; lane = this.#ready.shift()) {
      lane.isReady = false;
      if (lane.waiting > 0 && lane.hasFreeSlot && !lane.isDoomed) this.#dispatchBatch(lane);
      if (lane.waiting > 0) this.#makeReady(lane);
      if (monotonicNow() >= deadline) break;
    }
    return this.#ready.size === 0 && !this.#unsent.isDue;
  }

  #dispatchBatch(lane: Lane): void {
    const batch = this.#drain(lane);
    if (batch.length === 0) {
      this.#retireIfIdle(lane);
      return;
    }
    lane.claimSlot();
    const tally = batchSettled.hasSubscribers ? new BatchTally(lane, batch) : undefined;
    const worker = guardInFlight({ release: () => this.#onSlotFreed(lane) }, () =>
      settleBatch(lane, batch, this.#options.releaseTimeoutMs, (release, outcome, reach) => {
        tally?.note(release, outcome);
        this.#onSettled(lane, release, outcome, reach);
      }),
    );
    lane.track(worker);
    if (tally !== undefined) void worker.then(tally.publish);
  }

  #drain(lane: Lane): (Release | string)[] {
    const batch: (Release | string)[] = [];
    for (let taken = 0; batch.length < this.#options.maxBatchSize && taken < MOST_TAKEN; taken++) {
      const release = lane.shift();
      if (release === undefined) break;
      this.#waiting--;
      if (typeof release !== 'string' && !release.claim()) continue;
      const handles = handlesOf(release);
      this.#stats.queued -= handles;
      this.#stats.inFlight += handles;
      if (typeof release !== 'string' && release.method === 'Runtime.releaseObjectGroup') {
        this.#stats.groupCommands++;
      }
      batch.push(release);
    }
    this.#stats.commands += commandsIn(lane.way, batch);
    return batch;
  }

  #onSettled(lane: Lane, release: Release | string, outcome: Outcome, reach: Reach): void {
    const handles = handlesOf(release);
    this.#stats.inFlight -= handles;
    this.#stats[outcome] += handles;
    if (typeof release !== 'string') release.settled(outcome, reach);
    if (outcome === 'timedOut') lane.narrow();
    else lane.widen(this.#options.maxInFlightBatches);
    if (reach === 'session') this.clearLane(lane, 'gone');
  }

  #onSlotFreed(lane: Lane): void {
    lane.freeSlot();
    this.#goOnWith(lane);
  }

  #goOnWith(lane: Lane): void {
    if (lane.waiting > 0) this.#makeReady(lane);
    else this.#retireIfIdle(lane);
  }

  #retireIfIdle(lane: Lane): void {
    if (lane.isIdle) this.#busy.delete(lane);
  }
}
