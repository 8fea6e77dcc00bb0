/**
 * Tells from a few looks at a page's heap what one handle stands for there. Between two looks handles were minted and the
 * heap has grown: the quotient is what each brought with it. No guess is needed at how much of the heap is the page's own;
 * where the heap shrank, the page has collected, and the look tells nothing.
 */
import * as policy from '../policy.ts';

/** What a look at a page finds, and what is known of its session then. */
export interface Look {
  /** Bytes in the page's heap, and those of them that are Blink's. */
  readonly used: number;
  readonly blink: number;
  /** Handles minted so far, and disposed of so far. */
  readonly mints: number;
  readonly disposed: number;
  /** How many handles the browser holds, and how many of them the program has not dropped. */
  readonly handles: number;
  readonly live: number;
  /** How many of them have outlived a collection here. */
  readonly survivors: number;
}

/** What has come to a page from one look to the next: bytes, handles, and which part of the bytes is Blink's. */
interface Growth {
  readonly grown: number;
  readonly minted: number;
  /** Handles minted less those disposed of: negative where older ones were. */
  readonly kept: number;
  readonly blinkShare: number;
}

export class PageGrowth {
  #last: Look | undefined;
  #usedAtFirst = 0;
  /** The last growths, the oldest first. */
  readonly #growths: Growth[] = [];
  /** Handles released, and the heap, when the page had last collected. */
  #releasedAtCollection = 0;
  #usedAtCollection = 0;

  note(look: Look): void {
    const last = this.#last;
    this.#last = look;
    if (last === undefined) this.#usedAtFirst = look.used;
    if (last === undefined || look.used < last.used / 2) this.noteCollection(look.used);
    if (last === undefined) return;
    const grown = look.used - last.used;
    const minted = look.mints - last.mints;
    if (grown <= 0 || minted <= 0) return;
    const kept = minted - (look.disposed - last.disposed);
    const blinkShare = Math.min(1, Math.max(0, (look.blink - last.blink) / grown));
    this.#growths.push({ grown, minted, kept, blinkShare });
    if (this.#growths.length > policy.LOOKS_KEPT) this.#growths.shift();
  }

  /** The page has just collected: so much is left. */
  noteCollection(used: number): void {
    if (this.#last !== undefined) this.#last = { ...this.#last, used };
    this.#usedAtCollection = used;
    this.#releasedAtCollection = this.#released;
  }

  get #released(): number {
    return this.#last === undefined ? 0 : this.#last.mints - this.#last.handles;
  }

  /** Bytes that a handle brings with it, as most looks had it; undefined while that is not known. */
  get bytesPerMint(): number | undefined {
    const median = medianOf(this.#inARow('minted'));
    if (median === undefined || this.#last === undefined) return median;
    const { used, handles, survivors } = this.#last;
    return Math.min(median, share(used, handles - survivors));
  }

  /**
   * The same of a handle that the program keeps; 0 unless the page has grown so much that it matters. Among fifty handles that are
   * disposed of there may be one that holds most of what came. So all that came counts for those that are kept, and what the others
   * left behind with it.
   */
  get bytesPerKept(): number {
    const { used = 0, live = 0, survivors = 0 } = this.#last ?? {};
    const grown = used - this.#usedAtFirst;
    if (grown < policy.LEAST_SUSPECTED) return 0;
    return Math.min(medianOf(this.#inARow('kept')) ?? 0, share(grown, live - survivors));
  }

  /** Which part of what came is Blink's, from 0 to 1. */
  get blinkShare(): number {
    return medianOf(this.#growths.map((growth) => growth.blinkShare)) ?? 0;
  }

  /** Bytes that a handle brought with it, as the last look that told had it. */
  get latestBytesPerMint(): number | undefined {
    const latest = this.#growths.at(-1);
    return latest && latest.grown / latest.minted;
  }

  /** Bytes of garbage that released handles left in the page, at a guess: a look at a busy page shows more than they brought, so the least counts. */
  get garbage(): number {
    if (this.#growths.length < 2) return 0;
    const released = this.#released - this.#releasedAtCollection;
    return Math.min(Math.min(...this.#inARow('minted')) * released, this.grownSinceCollection);
  }

  /**
   * Bytes for each handle that was minted, or kept, of a few looks in a row. A single look may show hardly anything, or half as much
   * again: while a page makes large objects, V8 sweeps a part of the heap every now and then.
   */
  #inARow(divisor: 'minted' | 'kept'): number[] {
    const count = Math.min(this.#growths.length, policy.LOOKS_IN_A_ROW);
    const quotients: number[] = [];
    for (let end = count; count > 0 && end <= this.#growths.length; end++) {
      let grown = 0;
      let handles = 0;
      for (const growth of this.#growths.slice(end - count, end)) {
        grown += growth.grown;
        handles += growth[divisor];
      }
      if (handles > 0) quotients.push(grown / handles);
    }
    return quotients;
  }

  /** Bytes by which the heap has grown since the page last collected. */
  get grownSinceCollection(): number {
    return (this.#last?.used ?? 0) - this.#usedAtCollection;
  }
}

/**
 * What an object left behind when it was made grew the heap as well; but all handles together hold no more than the page has. Those
 * that outlived a collection here do not count: they may be many, and light.
 */
const share = (bytes: number, handles: number): number => bytes / Math.max(1, handles);

function medianOf(values: readonly number[]): number | undefined {
  return sorted(values)[values.length >> 1];
}

/** An array of numbers is sorted as numbers, without a function that compares two. */
const sorted = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();
