/**
 * One session's way through the batcher: its queue, and its window of unanswered batches.
 * What one session does to its lane, hang included, no other lane can feel.
 */

import type { Release, ReleaseSession } from './release.ts';
import { RingQueue } from './ring-queue.ts';

export class Lane {
  readonly session: ReleaseSession;
  readonly queue: RingQueue<Release | string> = new RingQueue();
  /** Waits for its turn in the dispatcher's round. */
  isReady = false;
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
