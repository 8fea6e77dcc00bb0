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
  /** Bytes of the page that a handle of the program's stands for, told or guessed; Blink's count more than once. */
  readonly bytesPerHandle: number;
  /** Bytes that a handle was found to bring to the page, whether it is kept or not; 0 while that is not known. */
  readonly pageBytesPerHandle: number;
  /** Mints so far, counted by whoever mints; at so many the page is looked at. */
  mints: number;
  /** Of these, and of those before, how many were disposed of. Counted by the ledger. */
  disposed: number;
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
    disposed: 0,
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
  /** How many handles of the session the browser holds, and how many of them the program has not dropped. */
  readonly handles: { readonly size: number; readonly live: number };
  /** How many times a collection of this process has ended, with all that it found dropped. */
  collections(): number;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Told of handles that were minted, at most `MINTS_PER_LOOK` of them later. */
  onMinted: OnMinted;
  /** Told of handles that were counted at `from` bytes each, and stand for `to` by what the page has told since. */
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
  disposed = 0;
  suspected = 0;
  nextLookAt = 1;
  readonly #page: AskablePage;
  readonly #services: FollowingServices;
  /** Made with the first look: a farm has thousands of sessions in which nothing is minted, such as those of tabs. */
  #slot: LazySlot<number> | undefined;
  readonly #growth = new PageGrowth();
  /** Handles told of since the last collection here. All of them count at `bytesPerHandle`, be it before they were known to weigh that. */
  #counted = 0;
  #lookedAt: number;
  /** Handles that were live at the first look after the last collection here, and have not been dropped since. */
  #survivors = 0;
  #collections: number;
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
    this.#collections = services.collections();
  }

  /** The slot lets one mint ask the page, and gives all others what it has. */
  look(): void {
    this.#services.onMinted(this.suspected, this.bytesPerHandle);
    this.#counted += this.suspected;
    this.suspected = 0;
    const isLight = this.#isLightWork();
    this.nextLookAt =
      this.mints + (this.#isOfLarge && !isLight ? policy.MINTS_OF_LARGE_PER_LOOK : policy.MINTS_PER_LOOK);
    if (isLight) return;
    void this.#ask();
  }

  async #ask(): Promise<void> {
    if (this.#slot === undefined) {
      this.#slot = new LazySlot((previous) => this.#fetch(previous), { now: () => this.#services.now() });
      await this.#slot.get();
    }
    await this.#slot.get();
  }

  async #fetch(previous: number | undefined): Promise<Fetched<number>> {
    // The first value is there without asking, so that nobody ever waits for one.
    if (previous === undefined) return { value: this.bytesPerHandle, expiresInMs: ExpiresImmediately };
    const { used, blink } = await readHeaps(this.#page);
    this.#growth.note(this.#looked(used, blink));
    this.#mintsThen = this.mints;
    this.#lookedAt = this.#services.now();
    this.pageBytesPerHandle = Math.round(this.#growth.bytesPerMint ?? 0);
    this.#services.onLook?.(used, this.pageBytesPerHandle);
    if (this.#isPageOverdue()) await this.#collectPage(used);
    this.#weigh();
    return {
      value: this.bytesPerHandle,
      expiresInMs: this.#isOfLarge ? policy.LOOK_AGAIN_AT_LARGE_MS : policy.LOOK_AGAIN_MS,
    };
  }

  #looked(used: number, blink: number): Look {
    const { size: handles, live } = this.#services.handles;
    const collections = this.#services.collections();
    if (collections !== this.#collections) this.#counted = 0;
    this.#survivors = collections === this.#collections ? Math.min(this.#survivors, live) : live;
    this.#collections = collections;
    return {
      used,
      blink,
      mints: this.mints,
      disposed: this.disposed,
      handles,
      live,
      survivors: this.#survivors,
    };
  }

  get #isOfLarge(): boolean {
    return this.#atTheMost >= policy.LARGE_HANDLE;
  }

  /** Bytes per handle, as most looks had it or as the last had it, which is the first to show that handles are light no more. */
  get #atTheMost(): number {
    return Math.max(this.pageBytesPerHandle, this.#growth.latestBytesPerMint ?? 0);
  }

  /** Light handles that are minted fast: a look costs as much as a mint. Large objects take their time to be made. */
  #isLightWork(): boolean {
    if (this.#growth.latestBytesPerMint === undefined || this.#atTheMost > policy.LIGHT_HANDLE) return false;
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

  #weigh(): void {
    const { bytesPerMint, bytesPerKept, blinkShare } = this.#growth;
    if (bytesPerMint === undefined) return;
    const weigh = (bytes: number): number => Math.round(bytes * (1 + blinkShare * (policy.BLINK_WEIGHS - 1)));
    this.#services.onWeighed?.(weigh(bytesPerMint));
    const from = this.bytesPerHandle;
    this.bytesPerHandle = weigh(Math.max(bytesPerMint, bytesPerKept));
    if (this.bytesPerHandle !== from) this.#services.onCorrected?.(this.#counted, from, this.bytesPerHandle);
  }
}

/** What a look at a page finds, and what is known of its session then. */
interface Look {
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

/**
 * Tells from a few looks at a page's heap what one handle stands for there. Between two looks handles were minted and the
 * heap has grown: the quotient is what each brought with it. No guess is needed at how much of the heap is the page's own;
 * where the heap shrank, the page has collected, and the look tells nothing.
 */
class PageGrowth {
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
