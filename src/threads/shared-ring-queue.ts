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
 *   │ 8 PUBLISHED │ 16 FREE     │ 24 FREE     │ 32 FREE     │   one slot each; a ticket is 8 × a position,
 *   │ id "1.2.3"  │ (claimed)   │             │             │   and its low bits have room for a state
 *   └─────────────┴─────────────┴─────────────┴─────────────┘
 * ```
 *
 * Invariant: a slot whose sequence is ticket t is FREE for the one producer that moves the tail from t,
 * that producer's alone until it is t PUBLISHED, the consumer's alone until it is FREE for the ticket one
 * lap on. Nobody else reads or writes its text, hence the text needs no atomics. Tickets are int32 and
 * compared by their difference, so they may wrap around.
 *
 * In Vyukov's queue cursors step by one, and "published" is the number of the next ticket; with a single slot that reads as
 * "free" too. Here a ticket has a state apart from its number. So capacity 1 works, a dead producer's slot can be taken out
 * of service, and a sleeping consumer says so in the slot that it waits for, where a push has to look anyway.
 */
import {
  HEAD,
  type KeyedRelease,
  type RingMemory,
  SharedRingMemory,
  sequenceWord,
  TAIL,
} from './ring-memory.ts';

/** The result of a push. `unfit`: a slot cannot hold this id without loss, so send it in another way. */
export type PushOutcome = 'queued' | 'full' | 'unfit' | 'closed';

/** The distance between two tickets. */
const TURN = 8;
const STATE = 0b111;
/** Written, and ready to be taken. No bits at all: FREE. */
const PUBLISHED = 0b001;
/** Out of service: its producer was stepped over, and may still write to it, so nobody else may. */
const ABANDONED = 0b010;
/** Out of service: its producer came back, and will not touch it again. */
const RETURNED = 0b011;
/** FREE, and the consumer sleeps until it is published. */
const AWAITED = 0b100;
/** In the tail, which needs no state: no more tickets. */
const CLOSED = 1;

const LARGEST_CAPACITY: number = 2 ** 24;

/** The ring by itself, for other uses: `allocate` its memory in one thread, put a queue `over` it in each. */
export class SharedRingQueue {
  readonly #memory: RingMemory;
  readonly #mask: number;
  /** A lap, in tickets. */
  readonly #lap: number;
  /** The word that the consumer slept on last. */
  #bed = TAIL;

  /** Takes a memory, so that a test can replace it. Other code calls `allocate` in one thread, and `over` in each. */
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
    const isPowerOfTwo = Number.isInteger(capacity) && Number.isInteger(Math.log2(capacity));
    if (!isPowerOfTwo || capacity > LARGEST_CAPACITY) {
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

  /** Slots. */
  get capacity(): number {
    return this.#memory.capacity;
  }

  /** Slots claimed and not yet taken, as of a moment ago. */
  get size(): number {
    return (this.#memory.load(TAIL) - this.#memory.load(HEAD)) >> 3;
  }

  /** Whether pushes are refused for good. */
  get isClosed(): boolean {
    return (this.#memory.load(TAIL) & STATE) === CLOSED;
  }

  /**
   * Any thread. Never waits for another thread and, once warm, allocates nothing. `queued` means that the
   * consumer will pop it.
   */
  push(sessionKey: number, objectId: string): PushOutcome {
    const memory = this.#memory;
    if (!memory.stage(sessionKey, objectId)) return 'unfit';
    // A whole lap of slots out of service counts as full, since the consumer might make it endless.
    for (let skipped = 0; skipped <= this.#mask; ) {
      const ticket = memory.load(TAIL);
      if ((ticket & STATE) === CLOSED) return 'closed';
      const slot = this.#slotOf(ticket);
      const sequence = memory.load(sequenceWord(slot));
      if ((sequence & ~AWAITED) === ticket) {
        if (memory.compareExchange(TAIL, ticket, next(ticket)) !== ticket) continue;
        memory.writeSlot(slot);
        if (this.#publish(sequenceWord(slot), ticket)) return 'queued';
        // The consumer gave up on this thread. Hand the slot back, and take another.
        memory.store(sequenceWord(slot), ticket | RETURNED);
      } else if (isOutOfService(sequence)) {
        if (((ticket - memory.load(HEAD)) | 0) >= this.#lap) return 'full';
        // Look again: the consumer may have put the slot back before it moved the head past it, but not since.
        if (!isOutOfService(memory.load(sequenceWord(slot)))) continue;
        if (memory.compareExchange(TAIL, ticket, next(ticket)) === ticket) skipped++;
      } else if (((sequence - ticket) | 0) < 0) {
        return 'full';
      }
    }
    return 'full';
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
      if (!isOutOfService(sequence)) return 'gap';
      // The producers have passed it too.
      if ((sequence & STATE) === RETURNED) memory.store(sequenceWord(slot), (ticket + this.#lap) | 0);
      memory.store(HEAD, next(ticket));
    }
  }

  /** Consumer only: the ticket to be taken next. While it stays the same, so does the `gap`. */
  get head(): number {
    return this.#memory.load(HEAD);
  }

  /**
   * Consumer only, after a `gap` that lasted too long: steps over the slot of a producer that seems to have died. The slot
   * stays out of service until its producer, if it is only slow, hands it back. So a dead producer's slot is lost for good,
   * and a slow producer cannot overwrite another's release.
   *
   * @returns `false` if the slot was published in the last moment.
   */
  stepOver(): boolean {
    const memory = this.#memory;
    const ticket = memory.load(HEAD);
    if (!this.#isClaimed(ticket)) return false;
    const word = sequenceWord(this.#slotOf(ticket));
    const sequence = memory.load(word);
    if ((sequence & ~AWAITED) !== ticket) return false;
    if (memory.compareExchange(word, sequence, ticket | ABANDONED) !== sequence) return false;
    memory.store(HEAD, next(ticket));
    return true;
  }

  /**
   * Consumer only, after `empty` or `gap`: a promise that resolves once the slot to be taken next has been
   * published, or after `wake`. `undefined` if there may be something to pop, or if all slots are out of
   * service. The promise does not keep the process alive.
   */
  sleep(): Promise<unknown> | undefined {
    const memory = this.#memory;
    const head = memory.load(HEAD);
    for (let ahead = 0; ahead < this.#lap; ahead += TURN) {
      const ticket = (head + ahead) | 0;
      const word = sequenceWord(this.#slotOf(ticket));
      const sequence = memory.compareExchange(word, ticket, ticket | AWAITED);
      if (isOutOfService(sequence)) continue;
      if ((sequence & ~AWAITED) !== ticket) return undefined;
      this.#bed = word;
      return memory.waitAsync(word, ticket | AWAITED);
    }
    return undefined;
  }

  /** Consumer's thread only: ends its sleep. */
  wake(): void {
    this.#memory.notify(this.#bed);
  }

  /** No push is `queued` from here on, but what was claimed before is still to be popped. */
  close(): void {
    this.#memory.setBits(TAIL, CLOSED);
  }

  /** `false` if the slot was abandoned in the meantime. */
  #publish(word: number, ticket: number): boolean {
    const memory = this.#memory;
    const sequence = memory.compareExchange(word, ticket, ticket | PUBLISHED);
    if (sequence === ticket) return true;
    if (sequence !== (ticket | AWAITED)) return false;
    if (memory.compareExchange(word, sequence, ticket | PUBLISHED) !== sequence) return false;
    memory.notify(word);
    return true;
  }

  /** Whether the tail has passed the ticket that the head is at. */
  #isClaimed(ticket: number): boolean {
    return (this.#memory.load(TAIL) & ~STATE) !== ticket;
  }

  #slotOf(ticket: number): number {
    return (ticket >>> 3) & this.#mask;
  }
}

/** Lets a ring begin at any ticket, as if it had been in use for long. */
export function layTickets(memory: RingMemory, first: number): void {
  memory.store(TAIL, first);
  memory.store(HEAD, first);
  for (let turn = 0; turn < memory.capacity; turn++) {
    const ticket = (first + turn * TURN) | 0;
    memory.store(sequenceWord((ticket >>> 3) & (memory.capacity - 1)), ticket);
  }
}

function next(ticket: number): number {
  return (ticket + TURN) | 0;
}

function isOutOfService(sequence: number): boolean {
  return (sequence & ABANDONED) !== 0;
}
