/**
 * One session's way through the batcher: its queue, its slots for unanswered batches, and how each batch is sent and settled.
 * A slow or broken session never delays another.
 *
 * Invariant: each release is settled exactly once, within `releaseTimeoutMs` of its sending, however the session
 * behaves (it throws, never answers, answers twice, returns no promise).
 */
import * as policy from '../policy.ts';
import { type BoundedWait, Deadline, Waiters } from '../runtime/event-loop.ts';
import { monotonicNow } from '../timers.ts';
import type { BatchTally } from './diagnostics.ts';
import {
  CRASHED,
  handlesOf,
  type Meaning,
  type OnAnswer,
  POST,
  type PostingSession,
  RELEASED,
  type Release,
  type ReleaseSession,
  refusalOf,
  SESSION_CLOSED,
  SESSION_GONE,
  type SendingWay,
  sendingWayOf,
  singleObjectOf,
} from './release.ts';
import { RingQueue } from './ring-queue.ts';
import { countCommands, countMove, type ReleaseStats } from './stats.ts';

/** How a release ends that is not sent. */
type Unsent = 'gone' | 'dropped';

/** How a release ends whose answer is no longer awaited. */
type Abandoned = 'gone' | 'timedOut';

/** Each place is emptied as its release settles: so a release keeps nothing alive until the slowest of the batch has settled. */
export type Batch = (Release | string | undefined)[];

/** A batch to send, and what it counts for. */
export interface TakenBatch {
  readonly batch: (Release | string)[];
  /** Releases that left the queue: some were withdrawn. */
  readonly taken: number;
  readonly commands: number;
  readonly groupCommands: number;
  readonly handles: number;
}

/** `idle`: nothing waits, nothing is unanswered. `ready`: a batch may be sent now. */
export type QueueState = 'idle' | 'ready' | 'busy';

/** Called for one batch. Must not throw. */
export interface BatchHooks {
  readonly tally: BatchTally | undefined;
  /** A refusal says that the session is gone. */
  onSessionGone(): void;
  /** The slot is free again. */
  onEnded(state: QueueState): void;
}

export class SessionQueue {
  readonly way: SendingWay;
  /** Whether the queue waits for its turn in the dispatcher's round. */
  isReady = false;
  /** Whether nothing is answered now: the target crashed, and has not been reloaded. Set from outside. */
  isLost = false;
  /** Milliseconds of the quickest answer to `ask` (the others waited for a busy page); 0 while there is none. */
  roundTripMs = 0;
  readonly #stats: ReleaseStats;
  #weak: WeakRef<ReleaseSession> | undefined;
  #strong: ReleaseSession | undefined;
  #queue: RingQueue<Release | string> = new RingQueue();
  /** Bare ids in the queue. */
  #ids = 0;
  /** How many releases have left the queue, ever. */
  #taken = 0;
  /** Woken when some have. */
  readonly #takes = new Waiters();
  readonly #mostSlots: number;
  #slots: number;
  #slotsInUse = 0;
  /** The unanswered batches. Made with the first, as `#abandon` is: a program may open thousands of queues in one go. */
  #batches: Set<Promise<void>> | undefined;
  readonly #batchEnds = new Waiters();
  /** The functions that end each wait for answers that will not come. */
  #abandon: Set<(outcome: Abandoned) => void> | undefined;

  /** @param holds whether the queue keeps the session alive. If not, a release through a collected session is `gone`. */
  constructor(session: ReleaseSession, stats: ReleaseStats, slots: number, holds: 'strongly' | 'weakly') {
    this.way = sendingWayOf(session);
    if (holds === 'strongly') this.#strong = session;
    else this.#weak = new WeakRef(session);
    this.#stats = stats;
    this.#mostSlots = slots;
    this.#slots = slots;
  }

  /** The session; `undefined` once it is over or collected. The caller keeps it alive. */
  get session(): ReleaseSession | undefined {
    return this.#strong ?? this.#weak?.deref();
  }

  /** How many releases wait. */
  get waiting(): number {
    return this.#queue.size;
  }

  get state(): QueueState {
    if (this.#queue.size === 0) return this.#slotsInUse === 0 ? 'idle' : 'busy';
    return this.#maySend ? 'ready' : 'busy';
  }

  /** How many slots there are now. Unless the user has given a number, as many as keep the browser busy over a round trip. */
  get #slotsNow(): number {
    if (this.roundTripMs < policy.FAR_MS || this.#slots !== policy.IN_FLIGHT_BATCHES) return this.#slots;
    return Math.max(this.#slots, Math.ceil(this.roundTripMs / (policy.BATCH_SIZE * policy.RELEASE_MS)));
  }

  /** @returns whether a batch may be sent now. */
  push(release: Release | string): boolean {
    if (typeof release === 'string') this.#ids++;
    this.#queue.push(release);
    return this.#maySend;
  }

  /** The same for the first `count` ids of a list, which are taken out of it. */
  pushAll(objectIds: (string | undefined)[], count: number): boolean {
    this.#ids += count;
    this.#queue.pushAll(objectIds, count);
    return this.#maySend;
  }

  get #maySend(): boolean {
    return this.#slotsInUse < this.#slotsNow;
  }

  /**
   * Takes the next batch, counted as in flight.
   *
   * @param slots whether a slot must be free.
   */
  takeBatch(mostCommands: number, slots: 'within slots' | 'past slots'): TakenBatch {
    const batch: (Release | string)[] = [];
    let taken = 0;
    let handles = 0;
    let singles = 0;
    let groupCommands = 0;
    const mayTake = slots === 'past slots' || this.#maySend;
    while (mayTake && batch.length < mostCommands && taken < policy.MOST_LOOKED_AT) {
      const release = this.#queue.shift();
      if (release === undefined) break;
      taken++;
      if (typeof release === 'string') {
        this.#ids--;
        singles++;
      } else if (release.owner?.claim(release) === false) continue;
      else if (release.method === 'Runtime.releaseObject') singles++;
      else if (release.method === 'Runtime.releaseObjectGroup') groupCommands++;
      handles += handlesOf(release);
      batch.push(release);
    }
    this.#taken += taken;
    if (!this.#takes.isEmpty) this.#takes.wake();
    const isOneForSingles = this.way === 'together' && singles > 0;
    const commands = isOneForSingles ? batch.length - singles + 1 : batch.length;
    countMove(this.#stats, 'queued', 'inFlight', handles);
    countCommands(this.#stats, commands, groupCommands);
    return { batch, taken, commands, groupCommands, handles };
  }

  /**
   * Takes all that waits out of the queue, to end as `outcome`, unsent. Bare ids are counted at once, because they have no owner
   * that counts.
   *
   * @returns ends the others, and pauses after every `STEPS_PER_LOOK`.
   */
  cancel(outcome: Unsent): Iterator<void> {
    const cancelled = this.#queue;
    this.#queue = new RingQueue();
    this.#taken += cancelled.size;
    this.#takes.wake();
    countMove(this.#stats, 'queued', outcome, this.#ids);
    this.#ids = 0;
    return this.#endEach(cancelled, outcome);
  }

  *#endEach(cancelled: RingQueue<Release | string>, outcome: Unsent): Generator<void> {
    let step = 0;
    for (let release = cancelled.shift(); release !== undefined; release = cancelled.shift()) {
      if (typeof release === 'object') this.endUnsent(release, outcome);
      if (++step % policy.STEPS_PER_LOOK === 0) yield;
    }
  }

  /** Ends one release that is in no queue. */
  endUnsent(release: Release | string, outcome: Unsent): void {
    const owner = typeof release === 'object' ? release.owner : undefined;
    if (typeof release === 'object' && owner?.claim(release) === false) return;
    countMove(this.#stats, 'queued', outcome, handlesOf(release));
    if (typeof release === 'object') owner?.settled(release, outcome, 'object');
  }

  /**
   * Sends a batch, and settles each release of it.
   *
   * @param batch belongs to this call from here on.
   * @returns whether another batch may be sent now.
   */
  send(batch: Batch, timeoutMs: number, hooks: BatchHooks): boolean {
    this.#slotsInUse++;
    const sent = this.#sendAndSettle(batch, timeoutMs, hooks).finally(() => {
      this.#slotsInUse--;
      this.#batches?.delete(sent);
      hooks.onEnded(this.state);
      hooks.tally?.publish();
      this.#batchEnds.wake();
    });
    this.#batches ??= new Set();
    this.#batches.add(sent);
    return this.state === 'ready';
  }

  async #sendAndSettle(batch: Batch, timeoutMs: number, hooks: BatchHooks): Promise<void> {
    const settle: Settle = (index, { outcome, reach }) => {
      const release = batch[index];
      if (release === undefined) return; // It timed out before this answer came.
      batch[index] = undefined;
      countMove(this.#stats, 'inFlight', outcome, handlesOf(release));
      if (typeof release === 'object') release.owner?.settled(release, outcome, reach);
      hooks.tally?.note(release, outcome);
      // After a timeout one batch is sent at a time: more would only pile up at a hung page.
      this.#slots = outcome === 'timedOut' ? 1 : this.#mostSlots;
      if (reach === 'session') hooks.onSessionGone();
    };
    // Clients create an Error for each command, whose stack nobody will read. Without frames the client needs about a third less
    // time for each release.
    const answers = withStackTraceLimit(0, () => sendAll(this.session, this.way, batch, settle));
    let abandon: (outcome: Abandoned) => void = () => {};
    const abandoned = new Promise<Abandoned>((resolve) => {
      abandon = resolve;
    });
    const forget = this.#onAbandoned(abandon);
    const deadline = new Deadline(timeoutMs, () => abandon('timedOut'));
    const outcome = await Promise.race([Promise.allSettled(answers), abandoned]);
    deadline.stop();
    forget();
    if (typeof outcome !== 'string') return;
    for (let index = 0; index < batch.length; index++) settle(index, { outcome, reach: 'object' });
  }

  /** Nobody waits for unanswered releases any longer: the target crashed, or the browser may still do them. */
  abandonUnanswered(outcome: Abandoned): void {
    for (const abandon of this.#abandon ?? []) abandon(outcome);
    this.#abandon?.clear();
  }

  /** The session is over: releases that are sent from now on are `gone`. */
  letGo(): void {
    this.#strong = undefined;
    this.#weak = undefined;
  }

  /** Sends a command past the queue. Rejects once the target has crashed, or the session is gone. */
  async ask(method: string, params?: Record<string, unknown>): Promise<unknown> {
    const { session } = this;
    if (session === undefined) throw new Error(SESSION_CLOSED);
    if (this.isLost) throw new Error(CRASHED);
    let forget = (): void => {};
    const lost = new Promise<never>((_, reject) => {
      forget = this.#onAbandoned(() => reject(new Error(CRASHED)));
    });
    try {
      const askedAt = monotonicNow();
      const answer = await Promise.race([session.send(method, params), lost]);
      const tookMs = monotonicNow() - askedAt;
      this.roundTripMs = Math.min(tookMs, this.roundTripMs || tookMs);
      return answer;
    } finally {
      forget();
    }
  }

  /** How many releases have been queued, ever. */
  get queued(): number {
    return this.#taken + this.#queue.size;
  }

  /**
   * Resolves when the first `last` releases ever queued have left the queue and are answered, or the wait is over. Never rejects.
   */
  async settled(wait: BoundedWait, last: number = this.queued): Promise<void> {
    while (this.#taken < last && !wait.isOver) await wait.for(this.#takes);
    for (const batch of [...(this.#batches ?? [])]) {
      while (this.#batches?.has(batch) && !wait.isOver) await wait.for(this.#batchEnds);
    }
  }

  #onAbandoned(abandon: (outcome: Abandoned) => void): () => void {
    if (this.isLost) abandon('gone');
    else {
      this.#abandon ??= new Set();
      this.#abandon.add(abandon);
    }
    return () => void this.#abandon?.delete(abandon);
  }
}

/**
 * Runs `work` with another `Error.stackTraceLimit`. Where the limit cannot be set, as under `--frozen-intrinsics`, the work
 * runs with the one that is there.
 */
export function withStackTraceLimit<T>(limit: number, work: () => T): T {
  const before = Error.stackTraceLimit;
  if (typeof before !== 'number' || !setStackTraceLimit(limit)) return work();
  try {
    return work();
  } finally {
    setStackTraceLimit(before);
  }
}

function setStackTraceLimit(limit: number): boolean {
  try {
    Error.stackTraceLimit = limit;
    return true;
  } catch {
    return false;
  }
}

type Settle = (index: number, meaning: Meaning) => void;

/** Sends a batch in the way that is cheapest for its session. The promises never reject. */
function sendAll(
  session: ReleaseSession | undefined,
  way: SendingWay,
  batch: Batch,
  settle: Settle,
): Promise<void>[] {
  if (session === undefined) {
    for (let index = 0; index < batch.length; index++) settle(index, SESSION_GONE);
    return [];
  }
  if (way === 'posted') return [postAll(session as PostingSession, batch, settle)];
  if (way === 'together') return sendTogether(session, batch, settle);
  return batch.map((_, index) => sendOne(session, batch, index, settle));
}

/** Sends one release. The answer is awaited, not chained to: so no function of the answer's own runs within this call. */
async function sendOne(session: ReleaseSession, batch: Batch, index: number, settle: Settle): Promise<void> {
  let meaning = RELEASED;
  try {
    const release = batch[index];
    if (typeof release === 'string') await session.send('Runtime.releaseObject', { objectId: release });
    else if (release !== undefined) await session.send(release.method, release.params);
  } catch (reason) {
    meaning = refusalOf(reason);
  }
  settle(index, meaning);
}

function sendTogether(session: ReleaseSession, batch: Batch, settle: Settle): Promise<void>[] {
  const answers: Promise<void>[] = [];
  const singles: number[] = [];
  const objectIds: string[] = [];
  for (const [index, release] of batch.entries()) {
    const objectId = release === undefined ? undefined : singleObjectOf(release);
    if (objectId === undefined) answers.push(sendOne(session, batch, index, settle));
    else {
      singles.push(index);
      objectIds.push(objectId);
    }
  }
  if (singles.length > 0) answers.push(sendMany(session, singles, objectIds, settle));
  return answers;
}

async function sendMany(
  session: ReleaseSession,
  indices: readonly number[],
  objectIds: readonly string[],
  settle: Settle,
): Promise<void> {
  let meaning = RELEASED;
  try {
    await session.releaseObjects?.(objectIds);
  } catch (reason) {
    meaning = refusalOf(reason);
  }
  for (const index of indices) settle(index, meaning);
}

function postAll(session: PostingSession, batch: Batch, settle: Settle): Promise<void> {
  return new Promise((resolve) => {
    let unanswered = batch.length;
    const onAnswer: OnAnswer = (index, reason) => {
      settle(index, reason === undefined ? RELEASED : refusalOf(reason));
      if (--unanswered === 0) resolve();
    };
    for (const [index, release] of batch.entries()) {
      if (release === undefined) onAnswer(index);
      else if (typeof release === 'string') {
        session[POST]('Runtime.releaseObject', { objectId: release }, index, onAnswer);
      } else session[POST](release.method, release.params, index, onAnswer);
    }
  });
}
