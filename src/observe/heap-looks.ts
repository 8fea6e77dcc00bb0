/**
 * Tells from looks at a page's heap what the handles of one line hold there: where, between two looks, nearly
 * all mints were one line's, what the heap grew by was that line's doing. Other looks tell nothing of lines.
 */
import type { MintAccount, TracedMint } from './traced-mint.ts';

interface Heap {
  usedBytes: number | undefined;
  /** Since the last look. */
  mints: TracedMint[];
}

/** Share of the mints between two looks that one line must have. */
const NEARLY_ALL = 0.9;
/** Mints between two looks beyond which no more are remembered: so many tell whose they are. */
const MOST_REMEMBERED = 2_000;
const SIZES_KEPT = 32;

export class HeapLooks {
  readonly #heaps = new Map<object, Heap>();

  get totalBytes(): number {
    let total = 0;
    for (const { usedBytes } of this.#heaps.values()) total += usedBytes ?? 0;
    return total;
  }

  noteMint(session: object, mint: TracedMint): void {
    const { mints } = this.#heap(session);
    if (mints.length < MOST_REMEMBERED) mints.push(mint);
  }

  note(session: object, usedBytes: number): void {
    const heap = this.#heap(session);
    const { usedBytes: before, mints } = heap;
    heap.usedBytes = usedBytes;
    heap.mints = [];
    // Where more were minted than remembered, their number is not known.
    if (before === undefined || usedBytes <= before || mints.length === 0) return;
    if (mints.length >= MOST_REMEMBERED) return;
    const [account, handles] = culprit(mints) ?? [];
    if (account === undefined || handles === undefined) return;
    account.sizes.push((usedBytes - before) / handles);
    if (account.sizes.length > SIZES_KEPT) account.sizes.shift();
  }

  forget(session: object): void {
    this.#heaps.delete(session);
  }

  #heap(session: object): Heap {
    let heap = this.#heaps.get(session);
    if (heap === undefined) {
      heap = { usedBytes: undefined, mints: [] };
      this.#heaps.set(session, heap);
    }
    return heap;
  }
}

/** The account with most of the mints of the one line that has nearly all, and how many those are. */
function culprit(mints: readonly TracedMint[]): [MintAccount, number] | undefined {
  const byLine = new Map<string, number>();
  const byAccount = new Map<MintAccount, number>();
  let total = 0;
  for (const { account, weight } of mints) {
    total += weight;
    byLine.set(account.line, (byLine.get(account.line) ?? 0) + weight);
    byAccount.set(account, (byAccount.get(account) ?? 0) + weight);
  }
  const [line] = [...byLine].find(([, count]) => count >= total * NEARLY_ALL) ?? [];
  return [...byAccount].filter(([account]) => account.line === line).sort((a, b) => b[1] - a[1])[0];
}
