/**
 * What a session owes to a flush and cannot send yet, since it hangs on the answer to a command of the
 * client's: handles that were dropped while a command names them, and releases that the client sent itself.
 * Each with the number of flushes begun by then, so that a flush waits for what came before it, by name.
 *
 * Invariant: a release that the client sent itself leaves the books as in flight once: by its answer, with its
 * session, or after `releaseTimeoutMs`.
 */

import type { Outcome } from '../../batcher/release.ts';
import { Deadline } from '../../runtime/event-loop.ts';
import type { HandleRecord, LedgerServices } from './handle-record.ts';

/** One command by which the client releases handles itself, and whose answer it awaits; in the books as in flight. */
export interface Barrier {
  readonly handles: number;
  /** Flushes begun by then. */
  readonly begun: number;
  /** When it was sent: milliseconds, by the attachment's clock. */
  readonly sentAt: number;
}

export class SessionDebts {
  readonly #services: LedgerServices;
  readonly #pinnedDead = new Map<HandleRecord, number>();
  /** Oldest first. */
  readonly #barriers = new Set<Barrier>();
  #deadline: Deadline | undefined;

  constructor(services: LedgerServices) {
    this.#services = services;
  }

  get hasPinnedDead(): boolean {
    return this.#pinnedDead.size > 0;
  }

  /** A copy: those named may be struck out while it is walked. */
  pinnedDead(): HandleRecord[] {
    return [...this.#pinnedDead.keys()];
  }

  /** @param begun flushes begun when it was dropped; 0 where nobody knows how long ago that was. */
  addPinned(record: HandleRecord, begun: number): void {
    this.#pinnedDead.set(record, begun);
  }

  removePinned(record: HandleRecord): void {
    this.#pinnedDead.delete(record);
  }

  /** The client has sent a release of so many handles, which are in the books as in flight. */
  openBarrier(handles: number): Barrier {
    const { flushes, now } = this.#services;
    const barrier: Barrier = { handles, begun: flushes.begun, sentAt: now() };
    this.#barriers.add(barrier);
    this.#startTimer(this.#timeoutMs);
    return barrier;
  }

  /** It is answered. Nothing is done where it was given up before. */
  settleBarrier(barrier: Barrier, outcome: Outcome): void {
    if (!this.#barriers.delete(barrier)) return;
    if (this.#barriers.size === 0) this.#stopTimer();
    const { stats, sweeper } = this.#services;
    stats.inFlight -= barrier.handles;
    stats[outcome] += barrier.handles;
    sweeper.noteChange();
  }

  /** None will be answered any more. */
  giveUpBarriers(): void {
    for (const barrier of this.#barriers) this.settleBarrier(barrier, 'gone');
  }

  /** Whether something of before that flush is outstanding. */
  owes(flush: number): boolean {
    for (const begun of this.#pinnedDead.values()) if (begun < flush) return true;
    for (const { begun } of this.#barriers) if (begun < flush) return true;
    return false;
  }

  get #timeoutMs(): number {
    return this.#services.dispatcher.releaseTimeoutMs;
  }

  #startTimer(ms: number): void {
    this.#deadline ??= new Deadline(ms, () => {
      this.#deadline = undefined;
      this.#giveUpOverdue();
    });
  }

  #stopTimer(): void {
    this.#deadline?.stop();
    this.#deadline = undefined;
  }

  #giveUpOverdue(): void {
    const now = this.#services.now();
    for (const barrier of this.#barriers) {
      const left = barrier.sentAt + this.#timeoutMs - now;
      if (left > 0) {
        this.#startTimer(Math.ceil(left));
        return;
      }
      this.settleBarrier(barrier, 'timedOut');
    }
  }
}
