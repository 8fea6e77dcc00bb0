/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The connection's end: takes the releases of worker threads out of the ring, and hands them to the batcher.
 *
 * Invariants: each release for which a worker was told `true` reaches the batcher, or is counted. The port keeps no process
 * alive, neither by a pending `Atomics.waitAsync` nor by its timers. So a script that has nothing else to do ends while
 * releases are still in the ring: call `drain` before the end.
 */

import { randomUUID } from 'node:crypto';
import {
  RING_CAPACITY,
  RING_LINGER_MS,
  RING_PER_LOOK,
  RING_STALL_MS,
  RING_TURN_BUDGET_MS,
} from '../policy.ts';
import {
  choiceOption,
  integerOption,
  requireKnownOptions,
  requireObject,
  show,
} from '../runtime/option-checks.ts';
import { LONGEST_TIMER_MS } from '../single-flight/time.ts';
import { clearInterval, clearTimeout, monotonicNow, setInterval, setTimeout, unref } from '../timers.ts';
import { type KeyedRelease, REFUSED, SharedRingMemory, SPILLED } from './ring-memory.ts';
import { SessionKeys } from './session-keys.ts';
import { SharedRingQueue } from './shared-ring-queue.ts';
import { SpillInbox } from './spill-channel.ts';

/** Takes the releases: a `ReleaseBatcher`, or an object in its place. It neither throws nor waits. */
export interface ReleaseTarget<Session> {
  release(session: Session, objectId: string): boolean;
}

/** What `openReleasePort` takes; all of it may be left out. */
export interface ReleasePortOptions {
  /** Releases that may wait in the ring, at 64 bytes each; a power of two. Default 4,096. */
  readonly capacity?: number | undefined;
  /**
   * When the ring is full, a worker's `release` returns `false` (`refuse`), or goes by message (`spill`). Default `spill`.
   */
  readonly whenFull?: 'refuse' | 'spill' | undefined;
  /** How long a slot may stay claimed and not published, in milliseconds, before its thread counts as dead. Default 1,000. */
  readonly stallTimeoutMs?: number | undefined;
  /** How long one drain may hold the event loop, in milliseconds. Default 4. */
  readonly turnBudgetMs?: number | undefined;
}

/** What a worker connects with. Plain data: it can be passed by `workerData` and `postMessage` to any number of workers. */
export interface ReleasePortHandle {
  /** 64 bytes for each slot. */
  readonly ring: SharedArrayBuffer;
  /** The name of the broadcast channel for releases that cannot go by the ring. */
  readonly channel: string;
  /** What a worker does when the ring is full. */
  readonly whenFull: 'refuse' | 'spill';
}

/** The port's counts, in releases; `steppedOver` in slots. */
export interface ReleasePortStats {
  /** Releases that arrived, by the ring or by message. */
  received: number;
  /** Of these, releases that the batcher did not take, or whose session key is unknown or forgotten. */
  rejected: number;
  /** Releases that workers sent by message. */
  spilled: number;
  /** Of these, not arrived yet. Releases that a worker had not posted when it was terminated stay here. */
  inTransit: number;
  /** Times that a worker's `release` was `false` because the ring was full. */
  refused: number;
  /** Slots given up. Each may have cost the release that its thread was writing, but no other. */
  steppedOver: number;
  /** Slots claimed and not taken, a moment ago. */
  waiting: number;
}

const PORT_OPTIONS = ['capacity', 'whenFull', 'stallTimeoutMs', 'turnBudgetMs'];

/**
 * Opens the way for worker threads to release objects of this thread's connection.
 *
 * @example
 * ```ts
 * using port = openReleasePort(batcher);
 * const pool = new Piscina({ filename, workerData: port.handle });
 * await pool.run({ sessionKey: port.keyOf(session), objectId });
 * ```
 * @throws TypeError or RangeError for a bad option; the message names it and its value.
 */
export function openReleasePort<Session extends object>(
  target: ReleaseTarget<Session>,
  options: ReleasePortOptions = {},
): ReleasePort<Session> {
  return new ReleasePort(target, options);
}

/** The connection's end of the ring: made by `openReleasePort`, ended by `close` or its block. */
export class ReleasePort<Session extends object> implements Disposable {
  /** Workers connect with this: give it to each, as `workerData` or in a message. */
  readonly handle: ReleasePortHandle;
  readonly #target: ReleaseTarget<Session>;
  readonly #turnBudgetMs: number;
  readonly #sessions = new SessionKeys<Session>();
  readonly #memory: SharedRingMemory;
  readonly #ring: SharedRingQueue;
  readonly #spills: SpillInbox;
  readonly #watchdog: NodeJS.Timeout;
  readonly #linger: NodeJS.Timeout;
  /** The ticket of the gap at which the last drain ended, and of the gap that the watchdog saw last. */
  #gapAt: number | undefined;
  #stalledAt: number | undefined;
  #received = 0;
  #rejected = 0;
  #spillsReceived = 0;
  #steppedOver = 0;
  #isClosed = false;

  /** @internal Use `openReleasePort`. */
  constructor(target: ReleaseTarget<Session>, options: ReleasePortOptions) {
    requireObject('options', options);
    requireKnownOptions(options, PORT_OPTIONS);
    if (typeof target?.release !== 'function') {
      throw new TypeError(
        `openReleasePort: expected a ReleaseBatcher, or another with release(), got ${show(target)}`,
      );
    }
    const stallTimeoutMs = integerOption(
      'stallTimeoutMs',
      options.stallTimeoutMs,
      RING_STALL_MS,
      1,
      LONGEST_TIMER_MS,
    );
    this.#target = target;
    this.#turnBudgetMs = integerOption('turnBudgetMs', options.turnBudgetMs, RING_TURN_BUDGET_MS, 1, 1000);
    this.handle = {
      whenFull: choiceOption('whenFull', options.whenFull, 'spill', ['refuse', 'spill']),
      ring: SharedRingQueue.allocate(options.capacity ?? RING_CAPACITY),
      channel: `cdp-release-batcher ${randomUUID()}`,
    };
    this.#memory = SharedRingMemory.over(this.handle.ring);
    this.#ring = new SharedRingQueue(this.#memory);
    this.#spills = new SpillInbox(this.handle.channel, () => this.#ring.wake());
    this.#watchdog = unref(setInterval(() => this.#watch(), stallTimeoutMs));
    this.#linger = unref(setTimeout(() => this.#look(), RING_LINGER_MS));
  }

  /**
   * The number by which workers name a session. The port keeps the session until `forget` or `close`, since a release that
   * is on its way must find it.
   */
  keyOf(session: Session): number {
    return this.#sessions.keyOf(session);
  }

  /** Lets go of a session that has ended. Releases for it that are still on their way count as `rejected`. */
  forget(session: Session): void {
    this.#sessions.forget(session);
  }

  /** Hands over everything that has arrived, at once. Returns how many releases. */
  drain(): number {
    return this.#drainUntil(Number.POSITIVE_INFINITY);
  }

  /**
   * Ends the port. Workers are told `false` from now on. Releases for which they were told `true` are handed over first.
   * Closing again does nothing.
   */
  close(): void {
    if (this.#isClosed) return;
    this.#ring.close();
    // A worker that is pushing at this moment finds its slot gone and the ring closed: `false`.
    for (this.drain(); this.#gapAt !== undefined; this.drain()) this.#stepOver();
    this.#isClosed = true;
    clearInterval(this.#watchdog);
    clearTimeout(this.#linger);
    this.#spills.close();
    this.#sessions.clear();
    this.#ring.wake();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** The present counts; a copy. */
  stats(): ReleasePortStats {
    const spilled = this.#memory.load(SPILLED);
    return {
      received: this.#received,
      rejected: this.#rejected,
      spilled,
      inTransit: spilled - this.#spillsReceived,
      refused: this.#memory.load(REFUSED),
      steppedOver: this.#steppedOver,
      waiting: this.#ring.size,
    };
  }

  /**
   * Drains for one turn. Until the port is closed there is either a pending sleep that leads back here, or the timer. It is
   * not an immediate: an unref'd immediate does not make the event loop turn.
   */
  #look(): void {
    if (this.#isClosed) return;
    const taken = this.#drainUntil(monotonicNow() + this.#turnBudgetMs);
    const sleep = taken === 0 ? this.#ring.sleep() : undefined;
    if (sleep === undefined) this.#linger.refresh();
    else void sleep.then(() => this.#look());
  }

  #drainUntil(deadline: number): number {
    if (this.#isClosed) return 0;
    const before = this.#received;
    this.#gapAt = undefined;
    for (let spill = this.#spills.take(); spill !== undefined; spill = this.#spills.take()) {
      this.#spillsReceived += spill.length;
      for (const release of spill) this.#handOver(release);
      if (monotonicNow() > deadline) return this.#received - before;
    }
    for (let release = this.#ring.pop(); release !== 'empty'; release = this.#ring.pop()) {
      if (release === 'gap') {
        this.#gapAt = this.#ring.head;
        break;
      }
      this.#handOver(release);
      if (this.#received % RING_PER_LOOK === 0 && monotonicNow() > deadline) break;
    }
    return this.#received - before;
  }

  #handOver({ sessionKey, objectId }: KeyedRelease): void {
    this.#received++;
    const session = this.#sessions.sessionOf(sessionKey);
    if (session === undefined || !this.#target.release(session, objectId)) this.#rejected++;
  }

  /**
   * Steps over a gap that it saw a whole period ago. It counts its own turns, not the time: after the process was
   * suspended, time has passed, but no worker had a chance to go on. It also ends the sleep, since a worker may have died
   * after it had published a release, and before it woke anybody.
   */
  #watch(): void {
    const gap = this.#gapAt === this.#ring.head ? this.#gapAt : undefined;
    if (gap !== undefined && gap === this.#stalledAt) this.#stepOver();
    this.#stalledAt = gap;
    this.#ring.wake();
  }

  #stepOver(): void {
    if (this.#ring.stepOver()) this.#steppedOver++;
  }
}
