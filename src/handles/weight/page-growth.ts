/**
 * Tells from a few looks at a page's heap what one handle stands for there. Between two looks handles were
 * minted and the heap has grown: the quotient is what each brought with it. That needs no guess at how much
 * of the heap is the page's own, and the page's garbage does not disturb it; where the heap shrank, the page
 * has collected, and the look tells nothing.
 */
export class PageGrowth {
  #mints = 0;
  #mintsThen = 0;
  #usedThen: number | undefined;
  /** Bytes per handle, of the last looks that told; the oldest first. */
  readonly #sizes: number[] = [];
  /** Of the same looks, which part of that was Blink's. */
  readonly #blinkShares: number[] = [];
  #blinkThen = 0;
  /** Handles released, and the heap, when the page had last collected. */
  #releasedAtCollection = 0;
  #usedAtCollection = 0;
  #released = 0;

  noteMint(): void {
    this.#mints++;
  }

  get mintsSinceLook(): number {
    return this.#mints - this.#mintsThen;
  }

  /**
   * @param used bytes in the page's heap.
   * @param handles how many handles the browser holds.
   * @param blink bytes of `used` that are Blink's.
   */
  note(used: number, handles: number, blink: number = 0): void {
    const grown = used - (this.#usedThen ?? used);
    const minted = this.mintsSinceLook;
    this.#released = this.#mints - handles;
    if (this.#usedThen === undefined || used < this.#usedThen / 2) this.noteCollection(used);
    if (grown > 0 && minted > 0) {
      this.#sizes.push(grown / minted);
      this.#blinkShares.push(Math.min(1, Math.max(0, (blink - this.#blinkThen) / grown)));
      if (this.#sizes.length > LOOKS_KEPT) {
        this.#sizes.shift();
        this.#blinkShares.shift();
      }
    }
    this.#blinkThen = blink;
    this.#usedThen = used;
    this.#mintsThen = this.#mints;
  }

  /** The page has just collected: so much is left. */
  noteCollection(used: number): void {
    this.#usedThen = used;
    this.#usedAtCollection = used;
    this.#releasedAtCollection = this.#released;
  }

  /** Bytes that a handle stands for, as most looks had it; undefined while that is not known. */
  get bytesPerHandle(): number | undefined {
    return medianOf(this.#sizes);
  }

  /** Which part of that is Blink's, from 0 to 1. */
  get blinkShare(): number {
    return medianOf(this.#blinkShares) ?? 0;
  }

  /** The same, as the last look that told had it. */
  get latestBytesPerHandle(): number | undefined {
    return this.#sizes.at(-1);
  }

  /**
   * Bytes of garbage in the page that are released handles', at the least: a look that found the page busy
   * with something else as well shows more for each handle, never less.
   */
  get leastGarbage(): number {
    if (this.#sizes.length < 2) return 0;
    const released = this.#released - this.#releasedAtCollection;
    return Math.min(Math.min(...this.#sizes) * released, this.grownSinceCollection);
  }

  /** Bytes by which the heap has grown since the page last collected. */
  get grownSinceCollection(): number {
    return (this.#usedThen ?? 0) - this.#usedAtCollection;
  }
}

const LOOKS_KEPT = 8;

function medianOf(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
