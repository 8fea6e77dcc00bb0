/**
 * The things that a session cannot settle before a command of the client's is answered: releases that the client sent itself,
 * and handles found collected while their ids may be on their way as bare strings.
 *
 * Invariant: a release that the client sent itself leaves the count `inFlight` once: by its answer, with its session, or after
 * `releaseTimeoutMs`. Each hold has a time after which it ends.
 */
import type { Outcome } from '../batcher/release.ts';
import { countMove, type ReleaseStats } from '../batcher/stats.ts';
import { UNSEEN_MS, UNSEEN_WINDOW_MS } from '../policy.ts';
import { Deadline, type Waiters } from '../runtime/event-loop.ts';
import { clearTimeout, setTimeout, unref } from '../timers.ts';

/** One command by which the client itself releases handles. It awaits the answer. */
export interface Barrier {
  readonly handles: number;
  /** How many flushes had begun when it was sent. */
  readonly begun: number;
  readonly sentAt: number;
}

export interface BarrierServices {
  readonly stats: ReleaseStats;
  readonly flushes: { readonly begun: number };
  readonly changes: Waiters;
  /** Milliseconds, monotonic. */
  now(): number;
  readonly dispatcher: { readonly releaseTimeoutMs: number };
}

/** The releases that the client of one session has sent itself. */
export class Barriers {
  readonly #services: BarrierServices;
  /** The oldest first. */
  readonly #open = new Set<Barrier>();
  /** One for all, for a script that clicks sends a barrier with each: it runs for the oldest, and on when that is answered. */
  #deadline: Deadline | undefined;
  #isClosing = false;

  constructor(services: BarrierServices) {
    this.#services = services;
  }

  /** Opens a barrier: the client has sent a release of so many handles, which are counted as in flight. */
  open(handles: number): Barrier {
    const barrier: Barrier = { handles, begun: this.#services.flushes.begun, sentAt: this.#services.now() };
    this.#open.add(barrier);
    if (this.#deadline === undefined) this.#await(barrier);
    return barrier;
  }

  #await({ sentAt }: Barrier): void {
    const leftMs = sentAt + this.#services.dispatcher.releaseTimeoutMs - this.#services.now();
    this.#deadline = new Deadline(Math.max(0, leftMs), () => {
      this.#deadline = undefined;
      // Only those sent as early as that one: a blocked loop makes this deadline late, and the answers to later ones may still come.
      for (const barrier of this.#open) {
        if (barrier.sentAt > sentAt) {
          this.#await(barrier);
          return;
        }
        this.settle(barrier, 'timedOut');
      }
    });
  }

  /** The barrier is answered. Does nothing if it was given up before. */
  settle(barrier: Barrier, outcome: Outcome): void {
    if (!this.#open.delete(barrier)) return;
    if (this.#isClosing && this.#open.size === 0) this.#stop();
    countMove(this.#services.stats, 'inFlight', outcome, barrier.handles);
    this.#services.changes.wake();
  }

  /** Settles all barriers as `gone`: none will be answered any more. */
  giveUp(): void {
    for (const barrier of this.#open) this.settle(barrier, 'gone');
    this.#stop();
  }

  /** No more barriers are opened. Nothing is left behind when the last is settled. */
  close(): void {
    this.#isClosing = true;
    if (this.#open.size === 0) this.#stop();
  }

  #stop(): void {
    this.#deadline?.stop();
    this.#deadline = undefined;
  }

  /** Whether a barrier from before that flush is unanswered. */
  owes(flush: number): boolean {
    for (const { begun } of this.#open) if (begun < flush) return true;
    return false;
  }
}

/** Defers collections while the client may hold ids as bare strings. Holds nest. */
export interface CollectionHold {
  /**
   * @param longestMs the time after which the hold ends by itself.
   * @returns a function that ends the hold; another call of it does nothing.
   */
  hold(longestMs: number): () => void;
}

/** The holds of one session, and the handles that were collected meanwhile. */
export class CollectionHolds<Item> implements CollectionHold {
  readonly #release: (items: readonly Item[]) => void;
  /** Reasons not to trust a collection just now, each by the function that ends it. */
  readonly #holds = new Set<() => void>();
  #held: Item[] = [];
  #isDistrusting = false;
  /** Items collected within the last `UNSEEN_WINDOW_MS`, while commands go unseen. */
  #unseen: Item[] | undefined;

  /** Whether a collection can be trusted now. */
  isTrusting = true;

  /** @param release called with the items that were kept, once they may be released. */
  constructor(release: (items: readonly Item[]) => void) {
    this.#release = release;
  }

  hold(longestMs: number): () => void {
    const end = (): void => {
      clearTimeout(timer);
      if (!this.#holds.delete(end) || this.#holds.size > 0) return;
      this.isTrusting = !this.#isDistrusting;
      const held = this.#held;
      this.#held = [];
      if (held.length > 0) this.#release(held);
    };
    const timer = unref(setTimeout(end, longestMs));
    this.#holds.add(end);
    this.isTrusting = false;
    return end;
  }

  /** Ends all holds: the session is over, so nothing need be deferred. */
  endAll(): void {
    for (const end of this.#holds) end();
  }

  /** From now on commands go unseen, and so do the ids in them: collected items are kept for a while. */
  distrust(): void {
    this.#isDistrusting = true;
    this.isTrusting = false;
  }

  /** Keeps a collected item until the last hold ends; while commands go unseen, for `UNSEEN_MS`. */
  keep(item: Item): void {
    if (this.#holds.size > 0) this.#held.push(item);
    else this.#keepUnseen(item);
  }

  /** Keeps an item for `UNSEEN_MS`. Items collected within `UNSEEN_WINDOW_MS` are released together. */
  #keepUnseen(item: Item): void {
    if (this.#unseen === undefined) {
      const unseen: Item[] = [];
      this.#unseen = unseen;
      unref(
        setTimeout(() => {
          this.#unseen = undefined;
          unref(setTimeout(() => this.#release(unseen), UNSEEN_MS));
        }, UNSEEN_WINDOW_MS),
      );
    }
    this.#unseen.push(item);
  }
}
