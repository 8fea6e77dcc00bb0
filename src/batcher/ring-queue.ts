/**
 * A first-in, first-out queue that neither locks nor, once warm, allocates.
 *
 * It is a chain of ring buffers. Each is a power of two long, so that an index wraps by a mask:
 *
 * ```text
 *   oldest                                   newest
 *   ┌──┬──┬──┬──┐    ┌──┬──┬──┬──┐    ┌──┬──┬──┬──┐
 *   │  │  │c │d │ ─▶ │e │f │g │h │ ─▶ │i │j │  │  │
 *   └──┴──┴──┴──┘    └──┴──┴──┴──┘    └──┴──┴──┴──┘
 *          ▲ read                           ▲ write
 * ```
 *
 * Invariant: only the newest segment is written, only the oldest is read, and no slot outside
 * `read … write` refers to an item, so that nothing taken is kept alive by the queue.
 */
import { FIRST_SEGMENT, LARGEST_SEGMENT } from '../policy.ts';

export class RingQueue<T extends string | object> {
  #oldest: Segment<T> = new Segment(FIRST_SEGMENT);
  #newest: Segment<T> = this.#oldest;
  /**
   * The segment emptied last, kept for the next growth: at a steady load the two take turns for ever. Only a segment as long as
   * the newest is kept: shorter ones, from the first growth, would take turns for ever, too, and be too small.
   */
  #spare: Segment<T> | undefined;
  /** Items waiting. */
  size = 0;

  push(item: T): void {
    if (this.#newest.isFull) this.#grow();
    this.#newest.push(item);
    this.size++;
  }

  /** Takes the first `count` items out of a list, and pushes them in their order. */
  pushAll(items: (T | undefined)[], count: number): void {
    for (let next = 0; next < count; ) {
      if (this.#newest.isFull) this.#grow();
      next = this.#newest.fill(items, next, count);
    }
    this.size += count;
  }

  /** Takes the oldest item; `undefined` if there is none. */
  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#oldest.shift();
    this.size--;
    if (this.#oldest.isEmpty && this.#oldest.next !== undefined) {
      const emptied = this.#oldest;
      this.#oldest = this.#oldest.next;
      emptied.next = undefined;
      if (emptied.capacity >= this.#newest.capacity) this.#spare = emptied;
    }
    return item;
  }

  #grow(): void {
    const next = this.#spare ?? new Segment<T>(Math.min(this.#newest.capacity * 2, LARGEST_SEGMENT));
    this.#spare = undefined;
    this.#newest.next = next;
    this.#newest = next;
  }
}

/**
 * One ring buffer. One slot always stays empty: it tells "full" from "empty" without a counter,
 * so that reader and writer each own one index.
 */
class Segment<T> {
  next: Segment<T> | undefined = undefined;
  readonly #slots: (T | undefined)[];
  readonly #mask: number;
  #read = 0;
  #write = 0;

  constructor(capacity: number) {
    this.#slots = new Array<T | undefined>(capacity).fill(undefined);
    this.#mask = capacity - 1;
  }

  get capacity(): number {
    return this.#slots.length;
  }

  get isEmpty(): boolean {
    return this.#read === this.#write;
  }

  get isFull(): boolean {
    return ((this.#write + 1) & this.#mask) === this.#read;
  }

  push(item: T): void {
    this.#slots[this.#write] = item;
    this.#write = (this.#write + 1) & this.#mask;
  }

  /** Pushes items `from … to` of a list, as many as there is room for. @returns where the rest begins. */
  fill(items: (T | undefined)[], from: number, to: number): number {
    const slots = this.#slots;
    const end = Math.min(to, from + this.#mask - ((this.#write - this.#read) & this.#mask));
    let write = this.#write;
    for (let next = from; next < end; next++) {
      slots[write] = items[next];
      items[next] = undefined;
      write = (write + 1) & this.#mask;
    }
    this.#write = write;
    return end;
  }

  shift(): T | undefined {
    const item = this.#slots[this.#read];
    this.#slots[this.#read] = undefined;
    this.#read = (this.#read + 1) & this.#mask;
    return item;
  }
}
