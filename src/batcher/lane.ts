/**
 * One session's way through the batcher: its queue, and its window of unanswered batches.
 * What one session does to its lane, hang included, no other lane can feel.
 */
import { type BoundedWait, Waiters } from './bounded-wait.ts';
import type { FlushMark } from './flush.ts';
import { CRASHED } from './outcome.ts';
import { type Release, type ReleaseSession, type SendingWay, sendingWayOf } from './release.ts';
import { RingQueue } from './ring-queue.ts';

/** Releases that end without having been sent, and as what. */
interface Doom {
  readonly outcome: 'gone' | 'dropped';
  left: number;
}

/** What becomes of a release whose answer is not waited for any longer. */
type GivenUp = 'gone' | 'timedOut';

export class Lane {
  readonly session: ReleaseSession;
  readonly way: SendingWay;
  readonly #queue: RingQueue<Release | string> = new RingQueue();
  /** The last flush's mark, while nothing was queued behind it: what waits for it may be shared. */
  mark: FlushMark | undefined;
  /** Bare ids among those that are to be sent. */
  #ids = 0;
  /** The head of the queue that is not to be sent, from the oldest on. */
  readonly #dooms: Doom[] = [];
  #doomed = 0;
  /** Waits for its turn in the dispatcher's round. */
  isReady = false;
  #isLost = false;
  /** What ends the wait for an answer that will not come, should the lane be lost. */
  readonly #losses = new Set<(outcome: GivenUp) => void>();
  /** Batches that may be unanswered just now. */
  #window: number;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #batchEnds = new Waiters();
  #batchesClaimed = 0;

  constructor(session: ReleaseSession, window: number) {
    this.session = session;
    this.way = sendingWayOf(session);
    this.#window = window;
  }

  get hasFreeSlot(): boolean {
    return this.#batchesClaimed < this.#window;
  }

  /** One batch is tried at a time where the last had no answer in time: a hung page is asked, not stormed. */
  narrow(): void {
    this.#window = 1;
  }

  widen(window: number): void {
    this.#window = window;
  }

  get isIdle(): boolean {
    return this.#queue.size === 0 && this.#batchesClaimed === 0;
  }

  /** Releases that wait, those included that are not to be sent. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Whether at the head of the queue there are releases that are not to be sent: until they have ended nothing is. */
  get isDoomed(): boolean {
    return this.#doomed > 0;
  }

  push(release: Release | string): void {
    this.#queue.push(release);
    this.mark = undefined;
    if (typeof release === 'string') this.#ids++;
  }

  /** Takes the oldest release; none while the lane is doomed. */
  shift(): Release | string | undefined {
    if (this.isDoomed) return undefined;
    const release = this.#queue.shift();
    if (typeof release === 'string') this.#ids--;
    return release;
  }

  /**
   * All that waits is not to be sent, and is to end as `outcome`. However much that is, it takes no time; it is
   * taken by `shiftDoomed`. Bare ids have no say in how they end: the caller counts them at once.
   *
   * @returns how many releases, and how many of them are bare ids.
   */
  doom(outcome: Doom['outcome']): { readonly releases: number; readonly ids: number } {
    const releases = this.#queue.size - this.#doomed;
    const ids = this.#ids;
    if (releases > 0) this.#dooms.push({ outcome, left: releases });
    this.#doomed += releases;
    this.#ids = 0;
    return { releases, ids };
  }

  /** Takes the oldest release that is doomed, and tells its end. */
  shiftDoomed(): readonly [Release | string, Doom['outcome']] | undefined {
    const [doom] = this.#dooms;
    const release = doom === undefined ? undefined : this.#queue.shift();
    if (doom === undefined || release === undefined) return undefined;
    this.#doomed--;
    if (--doom.left === 0) this.#dooms.shift();
    return [release, doom.outcome];
  }

  claimSlot(): void {
    this.#batchesClaimed++;
  }

  freeSlot(): void {
    if (this.#batchesClaimed === 0) throw new Error('A slot of this lane was freed twice (0 claimed).');
    this.#batchesClaimed--;
  }

  /** Whether nothing is answered just now: its target crashed, and has not been loaded anew. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** All that is unanswered is given up. */
  lose(): void {
    this.#isLost = true;
    this.#giveUp('gone');
  }

  /** Nobody waits for what is unanswered any longer; it may still be done. */
  giveUpUnanswered(): void {
    this.#giveUp('timedOut');
  }

  #giveUp(outcome: GivenUp): void {
    for (const giveUp of this.#losses) giveUp(outcome);
    this.#losses.clear();
  }

  recover(): void {
    this.#isLost = false;
  }

  /** Has `giveUp` called once an answer is not to be waited for; what is returned is to be called when it no longer matters. */
  onLost(giveUp: (outcome: GivenUp) => void): () => void {
    if (this.#isLost) giveUp('gone');
    else this.#losses.add(giveUp);
    return () => void this.#losses.delete(giveUp);
  }

  /** Sends a command past the queue. Rejects, too, once the lane is lost. */
  async ask(method: string, params?: Record<string, unknown>): Promise<unknown> {
    if (this.#isLost) throw new Error(CRASHED);
    let forget = (): void => {};
    const lost = new Promise<never>((_, reject) => {
      forget = this.onLost(() => reject(new Error(CRASHED)));
    });
    try {
      return await Promise.race([this.session.send(method, params), lost]);
    } finally {
      forget();
    }
  }

  /** Remembers a batch until it has ended, so that `answered` can wait for it. */
  track(batch: Promise<void>): void {
    this.#inFlight.add(batch);
    void batch.finally(() => {
      this.#inFlight.delete(batch);
      this.#batchEnds.wake();
    });
  }

  /** Resolves when every batch that is unanswered now has ended, or the wait is over. Never rejects. */
  async answered(wait: BoundedWait): Promise<void> {
    for (const batch of [...this.#inFlight]) {
      while (this.#inFlight.has(batch) && !wait.isOver) await wait.for(this.#batchEnds);
    }
  }
}
