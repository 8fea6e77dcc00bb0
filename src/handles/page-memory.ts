/**
 * What the handles of one session hold of their page, whether that is 20 KB each or 5 MB. It is asked of the page in the
 * background, on the occasion of a mint: twenty times a second at most, less often for light handles, and up to a hundred
 * times for large ones. A page that does not answer costs one unanswered command.
 *
 * Released objects are garbage in the page, and V8 may let a gigabyte of it gather: objects that have outlived their first
 * milliseconds count as old. Where released handles have left that much behind, the page is told to collect.
 */
import * as policy from '../policy.ts';
import { ExpiresImmediately, type Fetched, LazySlot } from '../single-flight/lazy-slot.ts';

/** A session as far as its page can be asked. */
export interface AskablePage {
  ask(method: string): PromiseLike<unknown>;
}

export interface PageMemory {
  /** Bytes of the page that one handle stands for, told or guessed; Blink's count more than once. */
  readonly bytesPerHandle: number;
  /** Bytes that one handle was found to stand for in the page; 0 while that is not known. */
  readonly pageBytesPerHandle: number;
  /** Mints so far, counted by whoever mints; at so many the page is looked at. */
  mints: number;
  /** Of these, those that are suspected until the collector has found them alive. */
  suspected: number;
  readonly nextLookAt: number;
  look(): void;
}

/** Told of handles that were minted. */
type OnMinted = (handles: number, bytesPerHandle: number) => void;

/** The same number of bytes always; for 0 nobody is told of anything. */
export function fixedMemory(bytesPerHandle: number, onMinted: OnMinted = () => {}): PageMemory {
  return {
    bytesPerHandle,
    pageBytesPerHandle: 0,
    mints: 0,
    suspected: 0,
    nextLookAt: bytesPerHandle === 0 ? Number.POSITIVE_INFINITY : policy.MINTS_PER_LOOK,
    look() {
      this.mints = 0;
      onMinted(this.suspected, bytesPerHandle);
      this.suspected = 0;
    },
  };
}

export interface FollowingServices {
  /** What a handle stands for until its page has been looked at. */
  readonly firstBytes: number;
  /** How many handles of the session the browser holds. */
  countHandles(): number;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Told of handles that were minted, at most `MINTS_PER_LOOK` of them later. */
  onMinted: OnMinted;
  /** Told, once, of handles that were counted at `from` bytes each before anything was known, and stand for `to`. */
  onCorrected?(handles: number, from: number, to: number): void;
  /** Told of each look at the page: its heap, and what a handle stands for there, in bytes; 0 while unknown. */
  onLook?(pageBytes: number, pageBytesPerHandle: number): void;
  /** Told of each number of bytes that a look has led to. */
  onWeighed?(bytesPerHandle: number): void;
}

/** Follows what the handles of one session hold of their page. */
export class FollowingMemory implements PageMemory {
  bytesPerHandle: number;
  pageBytesPerHandle = 0;
  mints = 0;
  suspected = 0;
  nextLookAt = 1;
  readonly #page: AskablePage;
  readonly #services: FollowingServices;
  /** Made with the first look: a farm has thousands of sessions in which nothing is minted, such as those of tabs. */
  #slot: LazySlot<number> | undefined;
  readonly #growth = new PageGrowth();
  /** Handles that were counted at `firstBytes`; `undefined` once the page has told what they hold. */
  #guessed: number | undefined = 0;
  #lookedAt: number;
  #mintsThen = 0;
  #pageRestsUntil = 0;
  /** By how much more is to gather than at first: doubled by a collection that was not worth it, and 1 again after one that was. */
  #patience = 1;

  /** @param page the unhooked way: what is sent here is none of the client's. */
  constructor(page: AskablePage, services: FollowingServices) {
    this.#page = page;
    this.#services = services;
    this.bytesPerHandle = services.firstBytes;
    this.#lookedAt = services.now();
  }

  /** The slot lets one mint ask the page, and gives all others what it has. */
  look(): void {
    this.#services.onMinted(this.suspected, this.bytesPerHandle);
    if (this.#guessed !== undefined) this.#guessed += this.suspected;
    this.suspected = 0;
    const isLight = this.#isLightWork();
    this.nextLookAt =
      this.mints + (this.#isOfLarge && !isLight ? policy.MINTS_OF_LARGE_PER_LOOK : policy.MINTS_PER_LOOK);
    if (isLight) return;
    void this.#bytesAsTold().then((bytes) => {
      this.bytesPerHandle = bytes;
    });
  }

  async #bytesAsTold(): Promise<number> {
    if (this.#slot === undefined) {
      this.#slot = new LazySlot((previous) => this.#fetch(previous), { now: () => this.#services.now() });
      await this.#slot.get();
    }
    return this.#slot.get();
  }

  async #fetch(previous: number | undefined): Promise<Fetched<number>> {
    // The first value is there without asking, so that nobody ever waits for one.
    if (previous === undefined) return { value: this.bytesPerHandle, expiresInMs: ExpiresImmediately };
    const { used, blink } = await readHeaps(this.#page);
    this.#growth.note(used, this.mints, this.#services.countHandles(), blink);
    this.#mintsThen = this.mints;
    this.#lookedAt = this.#services.now();
    this.pageBytesPerHandle = Math.round(this.#growth.bytesPerHandle ?? 0);
    this.#services.onLook?.(used, this.pageBytesPerHandle);
    if (this.#isPageOverdue()) await this.#collectPage(used);
    return {
      value: this.#weigh(previous),
      expiresInMs: this.#isOfLarge ? policy.LOOK_AGAIN_AT_LARGE_MS : policy.LOOK_AGAIN_MS,
    };
  }

  get #isOfLarge(): boolean {
    return this.pageBytesPerHandle >= policy.LARGE_HANDLE;
  }

  /** Light handles that are minted fast: a look costs as much as a mint. Large objects take their time to be made. */
  #isLightWork(): boolean {
    // The last look as well: it is the first to show that handles are light no more.
    const { latestBytesPerHandle } = this.#growth;
    if (latestBytesPerHandle === undefined) return false;
    if (Math.max(latestBytesPerHandle, this.pageBytesPerHandle) > policy.LIGHT_HANDLE) return false;
    const elapsed = this.#services.now() - this.#lookedAt;
    const minted = this.mints - this.#mintsThen;
    return elapsed < policy.LOOK_AGAIN_AT_LIGHT_MS && elapsed < minted * policy.MOST_MS_PER_LIGHT_MINT;
  }

  #isPageOverdue(): boolean {
    const { garbage, grownSinceCollection } = this.#growth;
    const isLarge = this.#isOfLarge;
    const patience = this.#patience;
    if (garbage <= patience * (isLarge ? policy.MOST_GARBAGE_OF_LARGE : policy.MOST_GARBAGE)) return false;
    if (grownSinceCollection <= patience * (isLarge ? policy.MOST_GROWTH_BY_LARGE : policy.MOST_GROWTH))
      return false;
    return this.#services.now() >= this.#pageRestsUntil;
  }

  /** @param used bytes in the page's heap before. */
  async #collectPage(used: number): Promise<void> {
    const { garbage } = this.#growth;
    const start = this.#services.now();
    await this.#page.ask('HeapProfiler.collectGarbage');
    const end = this.#services.now();
    this.#pageRestsUntil = end + (end - start); // Left alone for as long as it took.
    const left = await readHeap(this.#page);
    // The page may have grown by what it holds of its own: only now is that known.
    const isWorthIt = used - left >= garbage * policy.LEAST_FREED;
    this.#patience = isWorthIt ? 1 : Math.min(this.#patience * 2, policy.MOST_PATIENCE);
    this.#growth.noteCollection(left);
    this.#services.onLook?.(left, this.pageBytesPerHandle);
  }

  #weigh(previous: number): number {
    const { bytesPerHandle, blinkShare } = this.#growth;
    if (bytesPerHandle === undefined) return previous;
    const bytes = Math.round(bytesPerHandle * (1 + blinkShare * (policy.BLINK_WEIGHS - 1)));
    this.#services.onWeighed?.(bytes);
    if (this.#guessed !== undefined) {
      this.#services.onCorrected?.(this.#guessed, this.#services.firstBytes, bytes);
      this.#guessed = undefined;
      this.bytesPerHandle = bytes;
    }
    return bytes;
  }
}

/** What one look found to have come since the look before: bytes, handles, and which part of the bytes was Blink's. */
interface Growth {
  readonly grown: number;
  readonly minted: number;
  readonly blinkShare: number;
}

/**
 * Tells from a few looks at a page's heap what one handle stands for there. Between two looks handles were minted and the
 * heap has grown: the quotient is what each brought with it. No guess is needed at how much of the heap is the page's own;
 * where the heap shrank, the page has collected, and the look tells nothing.
 */
class PageGrowth {
  #mintsThen = 0;
  #usedThen: number | undefined;
  #handlesThen = 0;
  #blinkThen = 0;
  /** The last looks that told, the oldest first. */
  readonly #looks: Growth[] = [];
  /** Handles released, and the heap, when the page had last collected. */
  #released = 0;
  #releasedAtCollection = 0;
  #usedAtCollection = 0;

  /**
   * @param used bytes in the page's heap.
   * @param mints handles minted so far.
   * @param handles how many handles the browser holds.
   * @param blink bytes of `used` that are Blink's.
   */
  note(used: number, mints: number, handles: number, blink: number): void {
    const grown = used - (this.#usedThen ?? used);
    const minted = mints - this.#mintsThen;
    this.#released = mints - handles;
    if (this.#usedThen === undefined || used < this.#usedThen / 2) this.noteCollection(used);
    if (grown > 0 && minted > 0) {
      const blinkShare = Math.min(1, Math.max(0, (blink - this.#blinkThen) / grown));
      this.#looks.push({ grown, minted, blinkShare });
      if (this.#looks.length > policy.LOOKS_KEPT) this.#looks.shift();
    }
    this.#blinkThen = blink;
    this.#usedThen = used;
    this.#handlesThen = handles;
    this.#mintsThen = mints;
  }

  /** The page has just collected: so much is left. */
  noteCollection(used: number): void {
    this.#usedThen = used;
    this.#usedAtCollection = used;
    this.#releasedAtCollection = this.#released;
  }

  /**
   * Bytes that a handle stands for, as most looks had it; undefined while that is not known. What an object left behind when
   * it was made grew the heap as well: all handles together hold no more than the page has.
   */
  get bytesPerHandle(): number | undefined {
    const median = medianOf(this.#bytesInARow());
    if (median === undefined || this.#handlesThen === 0) return median;
    return Math.min(median, (this.#usedThen ?? 0) / this.#handlesThen);
  }

  /** Which part of that is Blink's, from 0 to 1. */
  get blinkShare(): number {
    return medianOf(this.#looks.map((look) => look.blinkShare)) ?? 0;
  }

  /** Bytes that a handle stands for, as the last look that told had it. */
  get latestBytesPerHandle(): number | undefined {
    const latest = this.#looks.at(-1);
    return latest && latest.grown / latest.minted;
  }

  /** Bytes of garbage that released handles left in the page, at a guess: a look at a busy page shows more than they brought, so the least counts. */
  get garbage(): number {
    if (this.#looks.length < 2) return 0;
    const released = this.#released - this.#releasedAtCollection;
    return Math.min(Math.min(...this.#bytesInARow()) * released, this.grownSinceCollection);
  }

  /**
   * Bytes per handle, of each few looks in a row. A single look may show hardly anything, or half as much again: while a page makes
   * large objects, V8 sweeps a part of the heap every now and then.
   */
  #bytesInARow(): number[] {
    const count = Math.min(this.#looks.length, policy.LOOKS_IN_A_ROW);
    return this.#looks.slice(count - 1).map((_, first) => {
      let [grown, minted] = [0, 0];
      for (const look of this.#looks.slice(first, first + count)) {
        grown += look.grown;
        minted += look.minted;
      }
      return grown / minted;
    });
  }

  /** Bytes by which the heap has grown since the page last collected. */
  get grownSinceCollection(): number {
    return (this.#usedThen ?? 0) - this.#usedAtCollection;
  }
}

function medianOf(values: readonly number[]): number | undefined {
  return sorted(values)[values.length >> 1];
}

/** An array of numbers is sorted as numbers, without a function that compares two. */
const sorted = (values: readonly number[]): Float64Array => Float64Array.from(values).sort();

/**
 * Bytes in use in the heaps of a session's page: V8's, Blink's, and what array buffers hold.
 *
 * @throws what `ask` throws, or where the answer tells no number.
 */
export async function readHeap(page: AskablePage): Promise<number> {
  return (await readHeaps(page)).used;
}

/** The same, and which part of it is Blink's: the nodes of documents and of trees that are in none. */
async function readHeaps(page: AskablePage): Promise<{ readonly used: number; readonly blink: number }> {
  const answer = (await page.ask('Runtime.getHeapUsage')) as HeapUsage | undefined;
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = answer ?? {};
  if (typeof usedSize !== 'number') throw new TypeError('Runtime.getHeapUsage told no usedSize');
  return { used: usedSize + embedderHeapUsedSize + backingStorageSize, blink: embedderHeapUsedSize };
}

interface HeapUsage {
  readonly usedSize?: unknown;
  readonly embedderHeapUsedSize?: number;
  readonly backingStorageSize?: number;
}
