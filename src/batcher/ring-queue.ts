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
    if (this.#newest.isFull) {
      const next = this.#takeSpare() ?? new Segment<T>(Math.min(this.#newest.capacity * 2, LARGEST_SEGMENT));
      this.#newest.next = next;
      this.#newest = next;
    }
    this.#newest.push(item);
    this.size++;
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

  #takeSpare(): Segment<T> | undefined {
    const spare = this.#spare;
    this.#spare = undefined;
    return spare;
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

  shift(): T | undefined {
    const item = this.#slots[this.#read];
    this.#slots[this.#read] = undefined;
    this.#read = (this.#read + 1) & this.#mask;
    return item;
  }
}
