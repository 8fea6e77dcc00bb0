/** Node's own queue for timers and ticks, `lib/internal/fixed_queue.js`, in its essentials: rings of 2,048, chained. */
const SIZE = 2_048;
const MASK = SIZE - 1;

class Ring<T> {
  bottom = 0;
  top = 0;
  readonly list: (T | undefined)[] = new Array(SIZE);
  next: Ring<T> | undefined = undefined;
}

export class ChainedRings<T> {
  #head: Ring<T> = new Ring();
  #tail: Ring<T> = this.#head;

  push(item: T): void {
    let head = this.#head;
    if (((head.top + 1) & MASK) === head.bottom) {
      head.next = new Ring();
      head = head.next;
      this.#head = head;
    }
    head.list[head.top] = item;
    head.top = (head.top + 1) & MASK;
  }

  shift(): T | undefined {
    const tail = this.#tail;
    const item = tail.list[tail.bottom];
    if (item === undefined) return undefined;
    tail.list[tail.bottom] = undefined;
    tail.bottom = (tail.bottom + 1) & MASK;
    if (tail.bottom === tail.top && tail.next !== undefined) this.#tail = tail.next;
    return item;
  }
}
