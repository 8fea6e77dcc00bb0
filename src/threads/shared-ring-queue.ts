/**
 * A bounded, lock-free queue in shared memory: any thread pushes, one thread pops.
 *
 * It is Dmitry Vyukov's bounded MPMC queue (https://www.1024cores.net/home/lock-free-algorithms/queues/bounded-mpmc-queue)
 * with one consumer. Each slot has a sequence number, which says whose turn it is:
 *
 * ```text
 *        head (consumer)             tail (producers)
 *          ▼                           ▼
 *   ┌─────────────┬─────────────┬─────────────┬─────────────┐
 *   │ 4  PUBLISHED│ 8  FREE     │ 12 FREE     │ 0  FREE     │   one slot each; a ticket is 4 × a position,
 *   │ id "1.2.3"  │ (claimed)   │             │             │   and its two low bits hold the slot's state
 *   └─────────────┴─────────────┴─────────────┴─────────────┘
 * ```
 *
 * Invariant: a slot whose sequence is ticket t is FREE for the one producer that moves the tail from t,
 * that producer's alone until it is t PUBLISHED, the consumer's alone until it is FREE for the ticket one
 * lap on. Nobody else reads or writes its text, hence the text needs no atomics. Tickets are int32 and
 * compared by their difference, so they may wrap around.
 *
 * Vyukov's cursors step by one, and "published" is the number of the next ticket; with a single slot that
 * reads as "free" too. Steps of four leave room for the state, and so capacity 1 works.
 */
import {
  ASLEEP,
  HEAD,
  type KeyedRelease,
  type RingMemory,
  SharedRingMemory,
  sequenceWord,
  TAIL,
} from './ring-memory.ts';

/** What became of a push. `unfit`: a slot cannot hold this id without loss; send it another way. */
export type PushOutcome = 'queued' | 'full' | 'unfit' | 'closed';

/** The distance between two tickets. */
const TURN = 4;
const STATE = 0b11;
/** Written, and to be taken. No bits at all: FREE. */
const PUBLISHED = 1;
/** Stepped over: its producer claimed it and may still write to it, so nobody else may. */
const ABANDONED = 2;
/** Its producer came back, and will not touch it again. */
const RETURNED = 3;
/** In the tail, which needs no state: no more tickets. */
const CLOSED = 1;

const LARGEST_CAPACITY: number = 2 ** 24;

export class SharedRingQueue {
  readonly #memory: RingMemory;
  readonly #mask: number;
  /** A lap, in tickets. */
  readonly #lap: number;

  /** Takes the memory, as a test would replace it. Elsewhere `allocate` in one thread, `over` in each. */
  constructor(memory: RingMemory) {
    this.#memory = memory;
    this.#mask = memory.capacity - 1;
    this.#lap = memory.capacity * TURN;
  }

  /**
   * Makes a ring's memory, 64 bytes for each slot. It can be sent to any thread of the process.
   *
   * @throws RangeError unless `capacity` is a power of two, from 1 to 2 ** 24.
   */
  static allocate(capacity: number): SharedArrayBuffer {
    if (!Number.isInteger(Math.log2(capacity)) || capacity > LARGEST_CAPACITY) {
      throw new RangeError(`capacity must be a power of two from 1 to ${LARGEST_CAPACITY}, got ${capacity}`);
    }
    const buffer = SharedRingMemory.allocate(capacity);
    const memory = SharedRingMemory.over(buffer);
    layTickets(memory, 0);
    return buffer;
  }

  /** The ring in a buffer of `allocate`. @throws TypeError for any other. */
  static over(buffer: SharedArrayBuffer): SharedRingQueue {
    return new SharedRingQueue(SharedRingMemory.over(buffer));
  }

  get capacity(): number {
    return this.#memory.capacity;
  }

  /** Slots claimed and not yet taken, as of a moment ago. */
  get size(): number {
    return (this.#memory.load(TAIL) - this.#memory.load(HEAD)) >> 2;
  }

  get isClosed(): boolean {
    return (this.#memory.load(TAIL) & STATE) === CLOSED;
  }

  /**
   * Any thread. Never waits for another thread and, once warm, allocates nothing. `queued` means that the
   * consumer will pop it, and has been woken for it.
   */
  push(sessionKey: number, objectId: string): PushOutcome {
    const outcome = this.enqueue(sessionKey, objectId);
    if (outcome === 'queued') this.wakeSleeper();
    return outcome;
  }

  /** The first half of a push. @internal */
  enqueue(sessionKey: number, objectId: string): PushOutcome {
    const memory = this.#memory;
    if (!memory.stage(sessionKey, objectId)) return 'unfit';
    // A whole lap of slots out of service is as good as full; the consumer might make it endless.
    for (let skipped = 0; skipped <= this.#mask; ) {
      const ticket = memory.load(TAIL);
      if ((ticket & STATE) === CLOSED) return 'closed';
      const slot = this.#slotOf(ticket);
      const sequence = memory.load(sequenceWord(slot));
      if (sequence === ticket) {
        if (memory.compareExchange(TAIL, ticket, next(ticket)) !== ticket) continue;
        memory.writeSlot(slot);
        if (memory.compareExchange(sequenceWord(slot), ticket, ticket | PUBLISHED) === ticket) {
          return 'queued';
        }
        // The consumer gave up on this thread. Hand the slot back, and take another.
        memory.store(sequenceWord(slot), ticket | RETURNED);
      } else if (isOutOfService(sequence)) {
        if (((ticket - memory.load(HEAD)) | 0) >= this.#lap) return 'full';
        // Look again: the consumer may have put the slot back until it moved the head past it, not since.
        if (isOutOfService(memory.load(sequenceWord(slot)))) {
          memory.compareExchange(TAIL, ticket, next(ticket));
          skipped++;
        }
      } else if (((sequence - ticket) | 0) < 0) {
        return 'full';
      }
    }
    return 'full';
  }

  /** The second half. The flag goes first, so that of many pushes one alone pays for the call. @internal */
  wakeSleeper(): void {
    const memory = this.#memory;
    if (memory.load(ASLEEP) === 1 && memory.compareExchange(ASLEEP, 1, 0) === 1) memory.notify(ASLEEP);
  }

  /**
   * Consumer only. `empty`: no slot is claimed. `gap`: the oldest slot is claimed, and not published yet;
   * what was published behind it has to wait, or the order would be lost.
   */
  pop(): KeyedRelease | 'empty' | 'gap' {
    const memory = this.#memory;
    for (;;) {
      const ticket = memory.load(HEAD);
      const slot = this.#slotOf(ticket);
      const sequence = memory.load(sequenceWord(slot));
      if (sequence === (ticket | PUBLISHED)) {
        const release = memory.readSlot(slot);
        memory.store(sequenceWord(slot), (ticket + this.#lap) | 0);
        memory.store(HEAD, next(ticket));
        return release;
      }
      if (!this.#isClaimed(ticket)) return 'empty';
      if (sequence === ticket) return 'gap';
      // Out of service, and passed by the producers too.
      if ((sequence & STATE) === RETURNED) memory.store(sequenceWord(slot), (ticket + this.#lap) | 0);
      memory.store(HEAD, next(ticket));
    }
  }

  /** Consumer only: the ticket to be taken next. While it stays the same, so does the `gap`. */
  get head(): number {
    return this.#memory.load(HEAD);
  }

  /**
   * Consumer only, after a `gap` that lasted too long: steps over the slot of a producer that seems to
   * have died. The slot stays out of service until its producer, if it is only slow, hands it back: this
   * costs a dead producer's slot for good, and buys that a slow one cannot overwrite anybody's release.
   *
   * @returns `false` if the slot was published in the last moment.
   */
  stepOver(): boolean {
    const memory = this.#memory;
    const ticket = memory.load(HEAD);
    const word = sequenceWord(this.#slotOf(ticket));
    if (!this.#isClaimed(ticket)) return false;
    if (memory.compareExchange(word, ticket, ticket | ABANDONED) !== ticket) return false;
    memory.store(HEAD, next(ticket));
    return true;
  }

  /**
   * Consumer only, after `empty` or `gap`: a promise that resolves once a slot was published, or after
   * `wake`. `undefined`: one was, look again. The promise does not keep the process alive.
   */
  sleep(): Promise<unknown> | undefined {
    const memory = this.#memory;
    // First announce, then look: a producer publishes first, then looks who sleeps. One sees the other.
    memory.store(ASLEEP, 1);
    if (!this.#hasSomething()) return memory.waitAsync(ASLEEP, 1);
    memory.store(ASLEEP, 0);
    return undefined;
  }

  /** Any thread: ends the consumer's sleep. */
  wake(): void {
    this.#memory.store(ASLEEP, 0);
    this.#memory.notify(ASLEEP);
  }

  /** No push is `queued` from here on, but what was claimed before is still to be popped. */
  close(): void {
    this.#memory.setBits(TAIL, CLOSED);
  }

  #hasSomething(): boolean {
    const ticket = this.#memory.load(HEAD);
    const sequence = this.#memory.load(sequenceWord(this.#slotOf(ticket)));
    if (sequence === (ticket | PUBLISHED)) return true;
    return isOutOfService(sequence) && this.#isClaimed(ticket);
  }

  /** Whether the tail has passed the ticket that the head is at. */
  #isClaimed(ticket: number): boolean {
    return (this.#memory.load(TAIL) & ~STATE) !== ticket;
  }

  #slotOf(ticket: number): number {
    return (ticket >>> 2) & this.#mask;
  }
}

/** Lets a ring begin at any ticket, as if it had been in use for long. */
export function layTickets(memory: RingMemory, first: number): void {
  memory.store(TAIL, first);
  memory.store(HEAD, first);
  for (let turn = 0; turn < memory.capacity; turn++) {
    const ticket = (first + turn * TURN) | 0;
    memory.store(sequenceWord((ticket >>> 2) & (memory.capacity - 1)), ticket);
  }
}

function next(ticket: number): number {
  return (ticket + TURN) | 0;
}

function isOutOfService(sequence: number): boolean {
  return (sequence & STATE) >= ABANDONED;
}
