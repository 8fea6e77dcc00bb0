/// <reference lib="es2024.sharedmemory" />
/**
 * The shared memory under a ring: its layout, and all access to it. Each method of `RingMemory` is one indivisible step,
 * and there is no other access. So a test can give the ring a memory of its own and run it step by step, through every
 * interleaving.
 */

/** A release as it crosses threads. */
export interface KeyedRelease {
  /** By which `ReleasePort.keyOf` names the session. */
  readonly sessionKey: number;
  readonly objectId: string;
}

export interface RingMemory {
  readonly capacity: number;
  load(word: number): number;
  store(word: number, value: number): void;
  /** Writes `replacement` if the word is `expected`. Returns what the word was. */
  compareExchange(word: number, expected: number, replacement: number): number;
  /** Sets the bits of `mask` in the word. */
  setBits(word: number, mask: number): void;
  /** Wakes those that wait on the word. */
  notify(word: number): void;
  /** Waits until the word is notified; `undefined`, without waiting, if it is not `value` any more. */
  waitAsync(word: number, value: number): Promise<unknown> | undefined;
  /** Encodes a release in this thread's own memory. `false` if a slot cannot hold it as it is. */
  stage(sessionKey: number, objectId: string): boolean;
  /** Copies what was staged into a slot. The caller must own the slot: nothing here is atomic. */
  writeSlot(slot: number): void;
  /** Reads a slot. The caller must own it. */
  readSlot(slot: number): KeyedRelease;
}

/*
 * A cache line of its own for each word that threads contend for, then the slots, a cache line each.
 *
 *   line 0       1       2       3           4 …
 *   ┌──────────┬───────┬───────┬───────────┬─────────────────────────────────────────┐
 *   │ capacity │ tail  │ head  │ counters  │ sequence, session key, length, 52 bytes │ …
 *   └──────────┴───────┴───────┴───────────┴─────────────────────────────────────────┘
 */
const CAPACITY = 0;
/** The next ticket to claim; producers move it. */
export const TAIL = 16;
/** The next ticket to take; the consumer moves it. */
export const HEAD = 32;
/** Words for users of the ring: counters that all threads share. */
export const REFUSED = 48;
export const SPILLED = 49;
const FIRST_SLOT = 64;
const SLOT_WORDS = 16;
const SLOT_HEADER_WORDS = 3;
/** Bytes of an id that a slot can hold. V8's ids have 43 at most today. */
const MAX_ID_LENGTH: number = (SLOT_WORDS - SLOT_HEADER_WORDS) * 4;

/** Where a slot's sequence number is. */
export function sequenceWord(slot: number): number {
  return FIRST_SLOT + slot * SLOT_WORDS;
}

/** Bytes that a ring of `capacity` slots takes. */
function ringByteLength(capacity: number): number {
  return sequenceWord(capacity) * 4;
}

/** The real memory: `Atomics` over a `SharedArrayBuffer`. */
export class SharedRingMemory implements RingMemory {
  readonly capacity: number;
  readonly #words: Int32Array;
  readonly #text: Buffer;
  readonly #staged = new Int32Array(SLOT_WORDS);
  #stagedWords = 0;

  private constructor(buffer: SharedArrayBuffer, capacity: number) {
    this.#words = new Int32Array(buffer);
    this.#text = Buffer.from(buffer);
    this.capacity = capacity;
  }

  static allocate(capacity: number): SharedArrayBuffer {
    const buffer = new SharedArrayBuffer(ringByteLength(capacity));
    Atomics.store(new Int32Array(buffer), CAPACITY, capacity);
    return buffer;
  }

  /** @throws TypeError if the buffer is not one that `allocate` made. */
  static over(buffer: SharedArrayBuffer): SharedRingMemory {
    const capacity =
      buffer instanceof SharedArrayBuffer && buffer.byteLength > FIRST_SLOT * 4
        ? Atomics.load(new Int32Array(buffer), CAPACITY)
        : 0;
    if (capacity === 0 || buffer.byteLength !== ringByteLength(capacity)) {
      throw new TypeError(`not a ring's buffer: it says ${capacity} slots in ${buffer?.byteLength} bytes`);
    }
    return new SharedRingMemory(buffer, capacity);
  }

  load(word: number): number {
    return Atomics.load(this.#words, word);
  }

  store(word: number, value: number): void {
    Atomics.store(this.#words, word, value);
  }

  compareExchange(word: number, expected: number, replacement: number): number {
    return Atomics.compareExchange(this.#words, word, expected, replacement);
  }

  setBits(word: number, mask: number): void {
    Atomics.or(this.#words, word, mask);
  }

  notify(word: number): void {
    Atomics.notify(this.#words, word);
  }

  waitAsync(word: number, value: number): Promise<unknown> | undefined {
    const wait = Atomics.waitAsync(this.#words, word, value);
    return wait.async ? wait.value : undefined;
  }

  /** Adds to one of the counters, which are not part of the ring. */
  count(word: number, by: number): void {
    Atomics.add(this.#words, word, by);
  }

  /** Four characters to a word: a store for each character takes twice the time. */
  stage(sessionKey: number, objectId: string): boolean {
    const length = objectId.length;
    if (length > MAX_ID_LENGTH) return false;
    const staged = this.#staged;
    staged[1] = sessionKey;
    staged[2] = length;
    let word = SLOT_HEADER_WORDS;
    let widest = 0;
    let at = 0;
    for (; at + 4 <= length; at += 4) {
      const a = objectId.charCodeAt(at);
      const b = objectId.charCodeAt(at + 1);
      const c = objectId.charCodeAt(at + 2);
      const d = objectId.charCodeAt(at + 3);
      widest |= a | b | c | d;
      staged[word++] = a | (b << 8) | (c << 16) | (d << 24);
    }
    if (at < length) {
      let rest = 0;
      for (let shift = 0; at < length; at++, shift += 8) {
        const code = objectId.charCodeAt(at);
        widest |= code;
        rest |= code << shift;
      }
      staged[word++] = rest;
    }
    this.#stagedWords = word;
    return widest <= 0xff;
  }

  writeSlot(slot: number): void {
    const words = this.#words;
    const staged = this.#staged;
    const first = sequenceWord(slot);
    const end = this.#stagedWords;
    for (let word = 1; word < end; word++) words[first + word] = staged[word] ?? 0;
  }

  readSlot(slot: number): KeyedRelease {
    const first = sequenceWord(slot);
    const sessionKey = this.#words[first + 1] ?? 0;
    const length = this.#words[first + 2] ?? 0;
    const text = (first + SLOT_HEADER_WORDS) * 4;
    return { sessionKey, objectId: this.#text.toString('latin1', text, text + length) };
  }
}
