/**
 * The groups into which a session's mints go, one after another. A generation is long where mints are
 * dense and short where they are sparse, so that bulk work dies by one command, and a slow loop's garbage
 * does not wait for hundreds of others: it closes after `WINDOW_MS`, but not before it has held a few, or
 * holds much of the page by those that it has, and at once when it is full.
 */
import { type Ledger, ObjectGroup } from './handle-record.ts';

/** A generation's garbage is held back at least this long: 50 ms of 200 KB objects are some 25 MB. */
const WINDOW_MS = 50;
/** Light handles wait for more of their kind, so that one command does for many. Bytes of the page. */
const WINDOW_OF_LIGHT_MS = 500;
const MOST_HELD_BY_LIGHT = 1e6;
/** Below this many members a command for the group would not pay. */
const FEWEST = 48;
/** What `FEWEST` may hold back at the most: in time, and in bytes of the page. */
const LONGEST_MS = 2_000;
const MOST_HELD_BACK = 32e6;
/** Above this many, one survivor would keep too much from dying whole. */
const MOST = 1_024;

/** Of a generation that ends early, for each member that was disposed of: more would have to be moved. */
const MOST_ALIVE_AT_END = 0.1;
/** What was disposed of is not to wait longer than that for more to share its command with. */
const MOST_WAITED_MS = 70;

/**
 * Where all copies of this package in the process count the groups that they have named: two that had the same group in a
 * session would release it over each other's heads. The count starts anywhere, so that whoever cannot see it, such as
 * another realm or an older version, has other names.
 */
const COUNT = Symbol.for('cdp-release-batcher:groups');

/**
 * A name is ten characters. The browser copies it to each id that is bound to the group, and a longer one to the heap: to
 * release 20,000 then takes half as long again.
 */
const PREFIX = 'crb:';
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const PLACES = 6;
const NAMES = DIGITS.length ** PLACES;

interface Counting {
  [COUNT]?: { next: number };
}

function nextName(): string {
  const counting = globalThis as typeof globalThis & Counting;
  counting[COUNT] ??= { next: Math.floor(Math.random() * NAMES) };
  let rest = counting[COUNT].next++ % NAMES;
  let digits = '';
  for (let place = 0; place < PLACES; place++) {
    digits += DIGITS[rest % DIGITS.length];
    rest = Math.floor(rest / DIGITS.length);
  }
  return PREFIX + digits;
}

export class Generations {
  readonly #ledger: Ledger;
  #open: ObjectGroup | undefined;
  /** When the open generation was last seen with next to nothing left alive in it. */
  #seenDeadAt = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The group for the next mint. */
  current(): ObjectGroup {
    const now = this.#ledger.services.now();
    const open = this.#open;
    if (open !== undefined && (isFull(open, now) || this.#endsHere(open, now))) this.close(open);
    this.#open ??= this.create();
    return this.#open;
  }

  /**
   * Whether a generation ends best before the next mint: all in it was disposed of, or all but what a move can save, and
   * the next time that this is so may be too late. Loops take about as long each time, or twice that.
   */
  #endsHere(group: ObjectGroup, now: number): boolean {
    if (!group.isUrgent || group.pending + group.pinned > 0) return false;
    if (group.live > group.disposed * MOST_ALIVE_AT_END) return false;
    const next = now + 2 * (now - this.#seenDeadAt);
    this.#seenDeadAt = now;
    return next - Math.min(group.disposedSince, now) >= MOST_WAITED_MS;
  }

  /** A group of its own, outside the succession. */
  create(): ObjectGroup {
    return new ObjectGroup(this.#ledger, nextName(), 'own', this.#ledger.services.now());
  }

  /** Takes no further mints; what is to become of it is the sweep's. */
  close(group: ObjectGroup): void {
    if (group.stage === 'open') group.stage = 'closed';
    if (group === this.#open) this.#open = undefined;
    this.#ledger.services.sweeper.touch(group);
  }
}

/** Whether a generation has had its time or its fill. */
export function isFull(group: ObjectGroup, now: number): boolean {
  const age = now - group.openedAt;
  const size = group.minted;
  if (size >= MOST || age >= LONGEST_MS) return true;
  if (age < WINDOW_MS) return false;
  if (size < FEWEST) return size * group.ledger.pageBytesPerHandle >= MOST_HELD_BACK;
  return age >= WINDOW_OF_LIGHT_MS || !areLight(group.ledger, size);
}

/** Whether so many handles are known to hold next to nothing of the page, so that there is no hurry to release them. */
export function areLight({ pageBytesPerHandle }: Ledger, handles: number): boolean {
  return pageBytesPerHandle > 0 && handles * pageBytesPerHandle < MOST_HELD_BY_LIGHT;
}
