/** The batcher's books, with what only a ledger can tell. */
import { emptyStats, type ReleaseStats } from '../../batcher/stats.ts';

export interface LedgerStats extends ReleaseStats {
  /** Handles freed as members of a group released whole. */
  groupFreed: number;
  /** Handles that survived their group by being moved to another. */
  moved: number;
  /** Bytes charged to this process's heap, so that its garbage collector feels the page's weight. */
  chargedBytes: number;
  /** Bytes that one handle weighs, by what its page was last found to hold; with thousands alive each is charged less. */
  bytesPerHandle: number;
  /** Heap of the page that was looked at last, in bytes, its garbage included; 0 until one was looked at. */
  pageBytes: number;
  /** What one handle was found to stand for in that page, in bytes: what its weight follows; 0 while that is not known. */
  pageBytesPerHandle: number;
}

/** The books as `stats()` shows them: a copy, with what follows from them. */
export interface AttachmentStats extends LedgerStats {
  /** Commands sent for each handle that the browser let go of; 0 while there is none. */
  commandsPerFreedHandle: number;
}

export function emptyLedgerStats(): LedgerStats {
  return {
    ...emptyStats(),
    groupFreed: 0,
    moved: 0,
    chargedBytes: 0,
    bytesPerHandle: 0,
    pageBytes: 0,
    pageBytesPerHandle: 0,
  };
}
