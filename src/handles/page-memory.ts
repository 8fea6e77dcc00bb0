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
import { type Look, PageGrowth } from './page-growth.ts';

/** A session as far as its page can be asked. */
export interface AskablePage {
  ask(method: string): PromiseLike<unknown>;
}

export interface PageMemory {
  /** Bytes of the page that a handle of the program's stands for, told or guessed, 0 while that is not known; Blink's count more than once. */
  readonly bytesPerHandle: number;
  /** Bytes that a handle was found to bring to the page, whether it is kept or not; 0 while that is not known. */
  readonly pageBytesPerHandle: number;
  /** Mints so far, counted by whoever mints; at so many the page is looked at. */
  mints: number;
  /** Of these, and of those before, how many were disposed of. Counted by the ledger. */
  disposed: number;
  /** Of these, those that `onMinted` is not told of yet: of a long list only the first. They are suspected until the collector has found them alive. */
  suspected: number;
  /** The same for the rest of long lists. */
  listed: number;
  readonly nextLookAt: number;
  look(): void;
}

/** Handles that were minted and may be garbage. */
export type Minted = Readonly<Pick<PageMemory, 'suspected' | 'listed'>>;

type OnMinted = (minted: Minted, bytesPerHandle: number) => void;

/** The same number of bytes always; for 0 nobody is told of anything. Of a long list only the first handles count. */
export function fixedMemory(bytesPerHandle: number, onMinted: OnMinted = () => {}): PageMemory {
  return {
    bytesPerHandle,
    pageBytesPerHandle: 0,
    mints: 0,
    disposed: 0,
    suspected: 0,
    listed: 0,
    nextLookAt: bytesPerHandle === 0 ? Number.POSITIVE_INFINITY : policy.MINTS_PER_LOOK,
    look() {
      this.mints = 0;
      onMinted({ suspected: this.suspected, listed: 0 }, bytesPerHandle);
      this.suspected = 0;
    },
  };
}

export interface FollowingServices {
  /** What a handle stands for until its page has been looked at; 0 where that is not known. */
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
  onCorrected?(minted: Minted, from: number, to: number): void;
  /** Told of each look at the page: its heap, and what a handle stands for there, in bytes; 0 while unknown. */
  onLook?(pageBytes: number, pageBytesPerHandle: number): void;
  /** Told of each number of bytes that a look has led to. */
  onWeighed?(bytesPerHandle: number): void;
}

const NONE: Minted = { suspected: 0, listed: 0 };

/** Follows what the handles of one session hold of their page. */
export class FollowingMemory implements PageMemory {
  bytesPerHandle: number;
  pageBytesPerHandle = 0;
  mints = 0;
  disposed = 0;
  suspected = 0;
  listed = 0;
  nextLookAt = 1;
  readonly #page: AskablePage;
  readonly #services: FollowingServices;
  /** Made with the first look: a farm has thousands of sessions in which nothing is minted, such as those of tabs. */
  #slot: LazySlot<number> | undefined;
  readonly #growth = new PageGrowth();
  /** Handles told of since the last collection here. All of them count at `bytesPerHandle`, be it before they were known to weigh that. */
  #counted = NONE;
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
    const { suspected, listed } = this;
    this.#services.onMinted({ suspected, listed }, this.bytesPerHandle);
    this.#counted = { suspected: this.#counted.suspected + suspected, listed: this.#counted.listed + listed };
    this.suspected = 0;
    this.listed = 0;
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
    if (collections !== this.#collections) this.#counted = NONE;
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
