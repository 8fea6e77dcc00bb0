/**
 * What one live handle of a session is charged to the local heap, so that V8 collects here when the page
 * has grown. It follows the page: a share of what a handle stands for there, whether that is 20 KB or 5 MB.
 * And it is bounded by what it costs here: unless the handles alive may hold more of the page than is safe,
 * only a few per cent of the time go into collecting.
 *
 * The page is asked in the background, on the occasion of a mint: twenty times a second at most, less often for light
 * handles, and up to a hundred times for large ones. One that does not answer costs one unanswered command; the weight
 * stays as it was.
 *
 * What is released is garbage there, and V8 may let a gigabyte of it gather before it collects: objects that
 * have outlived their first milliseconds count as old. Where released handles have left that much behind,
 * the page is told to collect.
 */
import { ExpiresImmediately, type Fetched, LazySlot } from '../../single-flight/lazy-slot.ts';
import { PageGrowth } from './page-growth.ts';

/** A way to a page that can be asked for its heap. */
export interface AskablePage {
  ask(method: string): PromiseLike<unknown>;
}

export interface HandleWeight {
  /** What one more handle is charged. */
  readonly bytes: number;
  /** What one handle stands for in the page; 0 while that is not known. */
  readonly pageBytesPerHandle: number;
  /** Told of each mint. Cheap. */
  onMint(): void;
}

/** One that does not follow anything. */
export function fixedWeight(bytes: number): HandleWeight {
  return { bytes, pageBytesPerHandle: 0, onMint: () => {} };
}

export interface GcWeightServices {
  /** What a handle weighs until its page has been looked at. */
  readonly firstBytes: number;
  /** How many handles of the session the browser holds. */
  countHandles(): number;
  /** Milliseconds, monotonic. */
  now(): number;
  /** Milliseconds that this process has spent in major collections so far. */
  collectingMs(): number;
  /** Told of each look at the page: its heap, and what a handle stands for there, in bytes; 0 while unknown. */
  onLook?(pageBytes: number, pageBytesPerHandle: number): void;
  /** Told of each weight that a look has led to. */
  onWeighed?(bytes: number): void;
}

/** What a handle weighs while nothing is known of any page. */
export const DEFAULT_BYTES_PER_HANDLE = 65_536;

/** V8 collects here when some 30 to 60 MB have been charged: then the handles of 100 to 200 MB are let go of. */
const CHARGED_SHARE = 0.3;
/**
 * Of what Blink holds more: a tree stays whole for one forgotten handle of a node in it, and the page lets go of trees by
 * its own slower collections. Then some 40 MB of trees are let go of at a time.
 */
const CHARGED_SHARE_OF_BLINK = 0.9;
/** Of large handles less: a collection costs as much here, however few it finds. */
const CHARGED_SHARE_OF_LARGE = 0.22;
const LIGHTEST = 2_048;
const HEAVIEST = 4_194_304;
/** How much of the time major collections may take before handles are made lighter. */
const MOST_COLLECTING = 0.03;
/** The time over which that is averaged. */
const COLLECTING_WINDOW_MS = 1_000;
const MINTS_PER_LOOK = 8;
const LOOK_AGAIN_MS = 50;
/** Eight large handles would be most of what is wanted in the page: it is looked at more often. */
const MINTS_OF_LARGE_PER_LOOK = 2;
const LOOK_AGAIN_AT_LARGE_MS = 10;
/**
 * Handles that weigh the least and are minted fast are looked at less often, for a look costs as much as a mint. It is
 * not put off where mints are slow: large objects take their time to be made.
 */
const LOOK_AGAIN_AT_LIGHT_MS = 200;
const MOST_MS_PER_LIGHT_MINT = 2;
/** Bytes of released handles' garbage in the page for which it is told to collect. */
const MOST_GARBAGE = 96e6;
/** It has collected by itself before its heap has grown by so much, as a rule. */
const MOST_GROWTH = 150e6;
/** Handles of so many bytes are large: a few looks later there would be half as much again. Sooner for them. */
const LARGE_HANDLE = 1e6;
const MOST_GARBAGE_OF_LARGE = 32e6;
const MOST_GROWTH_BY_LARGE = 48e6;
/** Bytes that live handles may hold in the page before nothing is spared to find the dead among them. */
const MOST_HELD = 128e6;
/** A page is left alone for as long as it took to collect, times this. */
const REST_AFTER_COLLECTION = 1;

export class GcWeight implements HandleWeight {
  readonly #session: AskablePage;
  readonly #services: GcWeightServices;
  readonly #slot: LazySlot<number>;
  readonly #growth = new PageGrowth();
  #bytes: number;
  #pageBytesPerHandle = 0;
  #mintsUntilLook = 1;
  /** Over the same window: the share of the time that went into collecting, and the weight that caused it. */
  #collectingShare = 0;
  #averageBytes: number;
  #collectingMsThen: number;
  #lookedAt: number;
  #pageRestsUntil = 0;

  /** @param session the unhooked one: what is sent here is none of the client's. */
  constructor(session: AskablePage, services: GcWeightServices) {
    this.#session = session;
    this.#services = services;
    this.#bytes = services.firstBytes;
    this.#averageBytes = services.firstBytes;
    this.#lookedAt = services.now();
    this.#collectingMsThen = services.collectingMs();
    this.#slot = new LazySlot((previous) => this.#fetch(previous), { now: () => services.now() });
    void this.#slot.get();
  }

  get bytes(): number {
    return this.#bytes;
  }

  get pageBytesPerHandle(): number {
    return this.#pageBytesPerHandle;
  }

  /** The slot lets one mint ask the page, and gives all others what it has. */
  onMint(): void {
    this.#growth.noteMint();
    if (--this.#mintsUntilLook > 0) return;
    if (this.#isLightWork()) {
      this.#mintsUntilLook = MINTS_PER_LOOK;
      return;
    }
    this.#mintsUntilLook = this.#isOfLarge ? MINTS_OF_LARGE_PER_LOOK : MINTS_PER_LOOK;
    void this.#slot.get().then((bytes) => {
      this.#bytes = bytes;
    });
  }

  async #fetch(previous: number | undefined): Promise<Fetched<number>> {
    // The first value is there without asking, so that nobody ever waits for one.
    if (previous === undefined) return { value: this.#bytes, expiresInMs: ExpiresImmediately };
    const { used, blink } = await readHeaps(this.#session);
    this.#growth.note(used, this.#services.countHandles(), blink);
    this.#pageBytesPerHandle = Math.round(this.#growth.bytesPerHandle ?? 0);
    this.#tell(used);
    this.#noteCollecting();
    if (this.#isPageOverdue()) await this.#collectPage();
    return {
      value: this.#weigh(previous),
      expiresInMs: this.#isOfLarge ? LOOK_AGAIN_AT_LARGE_MS : LOOK_AGAIN_MS,
    };
  }

  get #isOfLarge(): boolean {
    return this.#pageBytesPerHandle >= LARGE_HANDLE;
  }

  #isLightWork(): boolean {
    // The last look by itself: the weight follows what most of the last looks had.
    const { latestBytesPerHandle } = this.#growth;
    if (latestBytesPerHandle === undefined || latestBytesPerHandle * CHARGED_SHARE > LIGHTEST) return false;
    const elapsed = this.#services.now() - this.#lookedAt;
    return elapsed < LOOK_AGAIN_AT_LIGHT_MS && elapsed < this.#growth.mintsSinceLook * MOST_MS_PER_LIGHT_MINT;
  }

  #isPageOverdue(): boolean {
    const { leastGarbage, grownSinceCollection } = this.#growth;
    const isLarge = this.#isOfLarge;
    if (leastGarbage <= (isLarge ? MOST_GARBAGE_OF_LARGE : MOST_GARBAGE)) return false;
    if (grownSinceCollection <= (isLarge ? MOST_GROWTH_BY_LARGE : MOST_GROWTH)) return false;
    return this.#services.now() >= this.#pageRestsUntil;
  }

  async #collectPage(): Promise<void> {
    const start = this.#services.now();
    await this.#session.ask('HeapProfiler.collectGarbage');
    const end = this.#services.now();
    this.#pageRestsUntil = end + (end - start) * REST_AFTER_COLLECTION;
    const left = await readHeap(this.#session);
    this.#growth.noteCollection(left);
    this.#tell(left);
  }

  #tell(pageBytes: number): void {
    this.#services.onLook?.(pageBytes, this.#pageBytesPerHandle);
  }

  #noteCollecting(): void {
    const now = this.#services.now();
    const collectingMs = this.#services.collectingMs();
    const elapsed = now - this.#lookedAt;
    if (elapsed <= 0) return;
    const share = (collectingMs - this.#collectingMsThen) / elapsed;
    const weightOfNow = 1 - Math.exp(-elapsed / COLLECTING_WINDOW_MS);
    this.#collectingShare += (share - this.#collectingShare) * weightOfNow;
    this.#averageBytes += (this.#bytes - this.#averageBytes) * weightOfNow;
    this.#lookedAt = now;
    this.#collectingMsThen = collectingMs;
  }

  #weigh(previous: number): number {
    const { bytesPerHandle } = this.#growth;
    if (bytesPerHandle === undefined) return previous;
    const ofAll = CHARGED_SHARE + this.#growth.blinkShare * (CHARGED_SHARE_OF_BLINK - CHARGED_SHARE);
    const wanted = bytesPerHandle * (this.#isOfLarge ? CHARGED_SHARE_OF_LARGE : ofAll);
    // Collections come in proportion to the weight. A page that may crash is worse than a slow script.
    const isUrgent = bytesPerHandle * this.#services.countHandles() > MOST_HELD;
    const affordable = isUrgent ? wanted : (this.#averageBytes * MOST_COLLECTING) / this.#collectingShare;
    const bytes = Math.round(Math.min(HEAVIEST, Math.max(LIGHTEST, Math.min(wanted, affordable))));
    this.#services.onWeighed?.(bytes);
    return bytes;
  }
}

/** Bytes in use in the heaps of a session's page: V8's, Blink's, and what array buffers hold. @throws what `send` throws, or where the answer tells no number. */
export async function readHeap(session: AskablePage): Promise<number> {
  return (await readHeaps(session)).used;
}

/** The same, and which part of it is Blink's. */
async function readHeaps(session: AskablePage): Promise<{ readonly used: number; readonly blink: number }> {
  const answer = (await session.ask('Runtime.getHeapUsage')) as HeapUsage | undefined;
  const { usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 } = answer ?? {};
  if (typeof usedSize !== 'number') throw new TypeError('Runtime.getHeapUsage told no usedSize');
  const used = usedSize + embedderHeapUsedSize + backingStorageSize;
  return { used, blink: embedderHeapUsedSize };
}

/** What is used of the answer. What V8 does not hold is counted apart, by browsers that count it. */
interface HeapUsage {
  readonly usedSize?: unknown;
  /** Blink's heap: the nodes of documents and of trees that are in none. */
  readonly embedderHeapUsedSize?: number;
  readonly backingStorageSize?: number;
}
