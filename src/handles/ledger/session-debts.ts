/**
 * What a session owes to a flush and cannot send yet, since it hangs on the answer to a command of the
 * client's: handles that were dropped while a command names them, and releases that the client sent itself.
 * Each with the number of flushes begun by then, so that a flush waits for what came before it, by name.
 */
import type { HandleRecord } from './handle-record.ts';

/** One release that the client sent itself and whose answer it awaits; in the books as in flight. */
export type Barrier = Readonly<Record<never, never>>;

export class SessionDebts {
  readonly #pinnedDead = new Map<HandleRecord, number>();
  readonly #barriers = new Map<Barrier, number>();

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

  openBarrier(begun: number): Barrier {
    const barrier: Barrier = {};
    this.#barriers.set(barrier, begun);
    return barrier;
  }

  /** False where it was given up meanwhile. */
  closeBarrier(barrier: Barrier): boolean {
    return this.#barriers.delete(barrier);
  }

  /** @returns how many there were. */
  giveUpBarriers(): number {
    const { size } = this.#barriers;
    this.#barriers.clear();
    return size;
  }

  /** Whether something of before that flush is outstanding. */
  owes(flush: number): boolean {
    for (const begun of this.#pinnedDead.values()) if (begun < flush) return true;
    for (const begun of this.#barriers.values()) if (begun < flush) return true;
    return false;
  }
}
