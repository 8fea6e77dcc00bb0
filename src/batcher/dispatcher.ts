/**
 * Takes releases in, and hands them out in batches: it goes round the sessions that have something waiting, and takes one batch
 * from each. It takes a batch from the queue, claims a slot and hands the batch over. It never awaits an answer, so a hung session
 * fills its own slots and delays nobody else.
 */
import { MOST_COMMANDS_PER_TURN, MOST_TAKEN_AT_ONCE } from '../policy.ts';
import {
  type BoundedWait,
  SlicedJob,
  SlicedWork,
  settledUnattended,
  settledWithin,
} from '../runtime/event-loop.ts';
import { monotonicNow } from '../timers.ts';
import { BatchTally, batchSettled } from './diagnostics.ts';
import type { ResolvedBatcherOptions } from './options.ts';
import type { Release, ReleaseSession } from './release.ts';
import { type QueueState, SessionQueue } from './session-queue.ts';
import type { ReleaseStats } from './stats.ts';

/** All options but the signal. That is the user's, and may refer to anything; releases in a queue refer to the dispatcher. */
type DispatcherOptions = Omit<ResolvedBatcherOptions, 'signal'>;

/** For how many ids there is room: none, once the dispatcher is closed. */
export interface Room {
  left: number;
}

export class Dispatcher {
  readonly room: Room = { left: 0 };
  readonly #options: DispatcherOptions;
  readonly #stats: ReleaseStats;
  /** The queues of `queue`, each kept alive by its session only. */
  readonly #queues = new WeakMap<ReleaseSession, SessionQueue>();
  /** Queues in which something waits or is unanswered. */
  readonly #busy = new Set<SessionQueue>();
  /** Busy queues that could send at once, in the order of their turns. */
  readonly #ready = new Set<SessionQueue>();
  /** Ends cancelled releases. */
  readonly #cancelled = new SlicedWork(() => {});
  readonly #round = new SlicedJob((deadline) => this.#runRound(deadline));
  #isStarted = false;
  #closing: Promise<void> | undefined;
  #hasWarned = false;
  /** Releases in all queues that are not cancelled. */
  #waiting = 0;

  constructor(
    { maxBatchSize, maxInFlightBatches, releaseTimeoutMs, maxQueueSize }: DispatcherOptions,
    stats: ReleaseStats,
  ) {
    this.#options = { maxBatchSize, maxInFlightBatches, releaseTimeoutMs, maxQueueSize };
    this.#stats = stats;
  }

  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** How long an answer is awaited, in milliseconds. */
  get releaseTimeoutMs(): number {
    return this.#options.releaseTimeoutMs;
  }

  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  start(): void {
    if (!this.isClosed) this.#isStarted = true;
  }

  /** The queue of a session. It keeps the session alive while something waits or is unanswered. */
  queue(session: ReleaseSession): SessionQueue {
    let queue = this.#queues.get(session);
    if (queue === undefined) {
      queue = new SessionQueue(session, this.#stats, this.#options.maxInFlightBatches, 'strongly');
      this.#queues.set(session, queue);
    }
    return queue;
  }

  /** Opens another queue for a session, which does not keep the session alive. */
  weakQueue(session: ReleaseSession): SessionQueue {
    return new SessionQueue(session, this.#stats, this.#options.maxInFlightBatches, 'weakly');
  }

  /**
   * Queues a release whose handles are counted as queued.
   *
   * @returns false if `maxQueueSize` is reached, or the dispatcher is closed: then the release is dropped and counted.
   */
  enqueue(queue: SessionQueue, release: Release | string): boolean {
    if (this.#closing !== undefined || this.#waiting >= this.#options.maxQueueSize) {
      if (this.#closing === undefined) this.#warn();
      queue.endUnsent(release, 'dropped');
      return false;
    }
    this.#isStarted = true;
    if (queue.isLost) queue.endUnsent(release, 'gone');
    else this.#push(queue, release);
    return true;
  }

  /** Finds out for `room` how many ids may be handed over at once. It is right until something else is queued. */
  measureRoom(): void {
    this.room.left = this.isClosed
      ? 0
      : Math.min(this.#options.maxQueueSize - this.#waiting, MOST_TAKEN_AT_ONCE);
  }

  /**
   * Takes the first `count` ids out of a list, and queues them. They are counted as queued, and there was room for them. If the
   * dispatcher has been closed since, they are dropped.
   */
  enqueueAll(queue: SessionQueue, objectIds: (string | undefined)[], count: number): void {
    this.#waiting += count;
    this.#busy.add(queue);
    if (queue.pushAll(objectIds, count)) this.#makeReady(queue);
    if (this.isClosed) this.cancel(queue, 'dropped');
  }

  /** Sends all that waits in a queue at once, past its slots: for a command that must find the heap clean. */
  drainNow(queue: SessionQueue): void {
    while (queue.waiting > 0) this.#dispatchBatch(queue, 'past slots');
  }

  /** Sends one batch of a queue at once, if a slot is free. */
  dispatchNow(queue: SessionQueue): void {
    this.#dispatchBatch(queue, 'within slots');
  }

  /** Resolves when everything that waits or is unanswered now has ended, or the wait is over. Never rejects. */
  async settled(wait: BoundedWait): Promise<void> {
    // One queue after another: when their turn comes most are done, and to wait for thousands at once would hold up the event loop.
    const queued = [...this.#busy].map((queue) => [queue, queue.queued] as const);
    for (const [queue, last] of queued) await queue.settled(wait, last);
    await this.#cancelled.idle();
  }

  /**
   * Cancels the releases that wait in a queue: they end as `outcome` and are not sent. The first few end in this call, the rest
   * turn by turn.
   */
  cancel(queue: SessionQueue, outcome: 'gone' | 'dropped'): void {
    if (queue.waiting === 0) return;
    this.#waiting -= queue.waiting;
    const ending = queue.cancel(outcome);
    if (ending.next().done !== true) this.#cancelled.add(ending);
    this.#goOnWith(queue, queue.state);
  }

  /** The session's target crashed, and its objects are gone: nothing waits, is sent or awaited until the queue recovers. */
  lose(queue: SessionQueue): void {
    queue.isLost = true;
    queue.abandonUnanswered('gone');
    this.cancel(queue, 'gone');
  }

  /**
   * Takes no more releases, waits `releaseTimeoutMs` for those that are queued or unanswered, and drops the rest. Never rejects.
   * Keeps the process alive meanwhile, also where the closing has begun unattended.
   */
  async close(): Promise<void> {
    const closing = this.closeUnattended();
    await settledWithin(() => closing, this.#options.releaseTimeoutMs);
    this.#cancelAll();
    const unanswered = [...this.#busy];
    for (const queue of unanswered) queue.abandonUnanswered('timedOut');
    const allEnded = async (wait: BoundedWait): Promise<void> => {
      for (const queue of unanswered) await queue.settled(wait);
      await this.#cancelled.idle();
    };
    await settledWithin(allEnded, this.#options.releaseTimeoutMs);
  }

  /** The same where nobody waits for the end: a session that hangs does not keep the process alive meanwhile. */
  closeUnattended(): Promise<void> {
    this.room.left = 0;
    this.#closing ??= settledUnattended((wait) => this.settled(wait), this.#options.releaseTimeoutMs).then(
      () => this.#cancelAll(),
    );
    return this.#closing;
  }

  /** Takes no more releases, and drops the queued ones at once. */
  abort(): void {
    this.#cancelAll();
    void this.closeUnattended();
  }

  #cancelAll(): void {
    for (const queue of this.#busy) this.cancel(queue, 'dropped');
  }

  #warn(): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(`Releases are dropped: ${this.#waiting} wait already (maxQueueSize).`, {
      code: 'CDP_RELEASE_QUEUE_FULL',
    });
  }

  #push(queue: SessionQueue, release: Release | string): void {
    this.#waiting++;
    this.#busy.add(queue);
    if (queue.push(release)) this.#makeReady(queue);
  }

  #makeReady(queue: SessionQueue): void {
    if (queue.isReady) return;
    queue.isReady = true;
    this.#ready.add(queue);
    this.#round.schedule();
  }

  #runRound(deadline: number): boolean {
    let sent = 0;
    for (const queue of this.#ready) {
      this.#ready.delete(queue);
      queue.isReady = false;
      sent += this.#dispatchBatch(queue, 'within slots');
      if (sent >= MOST_COMMANDS_PER_TURN || monotonicNow() >= deadline) break;
    }
    return this.#ready.size === 0;
  }

  /**
   * Sends one batch of a queue. If it may send another then, the queue goes to the end of the round, behind all others.
   *
   * @returns how many commands were sent.
   */
  #dispatchBatch(queue: SessionQueue, slots: 'within slots' | 'past slots'): number {
    const next = queue.takeBatch(this.#options.maxBatchSize, slots);
    const { batch } = next;
    this.#waiting -= next.taken;
    if (batch.length === 0) {
      this.#goOnWith(queue, queue.state);
      return 0;
    }
    const commands = batch.length; // The batch is no longer ours once it is sent.
    const tally = batchSettled.hasSubscribers ? new BatchTally(queue.session, next) : undefined;
    const mayGoOn = queue.send(batch, this.#options.releaseTimeoutMs, {
      tally,
      onSessionGone: () => this.cancel(queue, 'gone'),
      onEnded: (state) => this.#goOnWith(queue, state),
    });
    if (mayGoOn) this.#makeReady(queue);
    return commands;
  }

  #goOnWith(queue: SessionQueue, state: QueueState): void {
    if (state === 'ready') this.#makeReady(queue);
    else if (state === 'idle') this.#busy.delete(queue);
  }
}
