// The ring that one would write first: the same memory and the same slots, under a lock. It is what the
// lock-free ring is measured against; nothing else uses it.
import { HEAD, SharedRingMemory, TAIL } from '../../build/threads/ring-memory.js';

/** Words that the ring itself has no use for; at the second a port counts, and this ring has none. */
const ASLEEP = 8;
const LOCK = 48;
const FREE = 0;
const LOCKED = 1;
const CONTENDED = 2;

/** A lock after Drepper, "Futexes Are Tricky": a thread that cannot have it sleeps on `Atomics.wait`. */
export class MutexRing {
  #words;
  #memory;
  #mask;

  constructor(buffer) {
    this.#words = new Int32Array(buffer);
    this.#memory = SharedRingMemory.over(buffer);
    this.#mask = this.#memory.capacity - 1;
  }

  push(sessionKey, objectId) {
    if (!this.#memory.stage(sessionKey, objectId)) return false;
    this.#lock();
    const tail = this.#words[TAIL];
    const hasRoom = tail - this.#words[HEAD] <= this.#mask;
    if (hasRoom) {
      this.#memory.writeSlot(tail & this.#mask);
      this.#words[TAIL] = tail + 1;
    }
    this.#unlock();
    if (Atomics.compareExchange(this.#words, ASLEEP, 1, 0) === 1) Atomics.notify(this.#words, ASLEEP);
    return hasRoom;
  }

  pop() {
    this.#lock();
    const head = this.#words[HEAD];
    const release = head === this.#words[TAIL] ? undefined : this.#memory.readSlot(head & this.#mask);
    if (release !== undefined) this.#words[HEAD] = head + 1;
    this.#unlock();
    return release;
  }

  /** Sleeps until the next push; resolves at once if there is something already. */
  async sleep() {
    Atomics.store(this.#words, ASLEEP, 1);
    this.#lock();
    const isEmpty = this.#words[HEAD] === this.#words[TAIL];
    this.#unlock();
    if (isEmpty) await Atomics.waitAsync(this.#words, ASLEEP, 1).value;
    else Atomics.store(this.#words, ASLEEP, 0);
  }

  #lock() {
    if (Atomics.compareExchange(this.#words, LOCK, FREE, LOCKED) === FREE) return;
    while (Atomics.exchange(this.#words, LOCK, CONTENDED) !== FREE)
      Atomics.wait(this.#words, LOCK, CONTENDED);
  }

  #unlock() {
    if (Atomics.exchange(this.#words, LOCK, FREE) === CONTENDED) Atomics.notify(this.#words, LOCK, 1);
  }
}
