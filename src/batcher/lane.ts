/**
 * One session's way through the batcher: its queue, and its window of unanswered batches.
 * What one session does to its lane, hang included, no other lane can feel.
 */
import { CRASHED } from './outcome.ts';
import type { Release, ReleaseSession } from './release.ts';
import { RingQueue } from './ring-queue.ts';

export class Lane {
  readonly session: ReleaseSession;
  readonly queue: RingQueue<Release | string> = new RingQueue();
  /** Waits for its turn in the dispatcher's round. */
  isReady = false;
  #isLost = false;
  /** What ends the wait for an answer that will not come, should the lane be lost. */
  readonly #losses = new Set<() => void>();
  /** Batches that may be unanswered just now. */
  #window: number;
  readonly #inFlight = new Set<Promise<void>>();
  #batchesClaimed = 0;

  constructor(session: ReleaseSession, window: number) {
    this.session = session;
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
    return this.queue.size === 0 && this.#batchesClaimed === 0;
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
    for (const giveUp of this.#losses) giveUp();
    this.#losses.clear();
  }

  recover(): void {
    this.#isLost = false;
  }

  /** Has `giveUp` called should the lane be lost; what is returned is to be called when it no longer matters. */
  onLost(giveUp: () => void): () => void {
    this.#losses.add(giveUp);
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
    void batch.finally(() => this.#inFlight.delete(batch));
  }

  /** Resolves when every batch that is unanswered now has ended. Never rejects. */
  async answered(): Promise<void> {
    await Promise.allSettled([...this.#inFlight]);
  }
}
