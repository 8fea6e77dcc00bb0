/**
 * Ends releases that are not to be sent: those of a lane whose session is gone or whose batcher is closed, and what
 * finds no room. There may be a hundred thousand, so of a lane the first few end in the call that decides it, and the
 * rest turn by turn.
 *
 * Invariant: each leaves the books as queued once, and none of a lane is sent before those ahead of it have ended.
 */

import { monotonicNow } from '../timers.ts';
import type { Lane } from './lane.ts';
import type { Release } from './release.ts';
import { handlesOf, type ReleaseStats } from './stats.ts';

/** How many end in the call that decides it, and between two looks at the clock. */
const MOST_ENDED_AT_ONCE = 256;

export class UnsentReleases {
  readonly #stats: ReleaseStats;
  readonly #onEnded: (lane: Lane) => void;
  /** Lanes with releases that are not to be sent, and have not ended yet. */
  readonly #doomed = new Set<Lane>();

  /** @param onEnded told of a lane once all that was not to be sent has ended: it may send again. */
  constructor(stats: ReleaseStats, onEnded: (lane: Lane) => void) {
    this.#stats = stats;
    this.#onEnded = onEnded;
  }

  /** Whether some are left for another turn. */
  get isDue(): boolean {
    return this.#doomed.size > 0;
  }

  /** Ends one that is not in a lane. */
  end(release: Release | string, outcome: 'gone' | 'dropped'): void {
    if (typeof release !== 'string' && !release.claim()) return;
    const handles = handlesOf(release);
    this.#stats.queued -= handles;
    this.#stats[outcome] += handles;
    if (typeof release !== 'string') release.settled(outcome, 'object');
  }

  /**
   * Empties a lane. Bare ids are in the books as `outcome` at once; what else waits is asked how it ends.
   *
   * @returns how many releases will not be sent.
   */
  endAllOf(lane: Lane, outcome: 'gone' | 'dropped'): number {
    const { releases, ids } = lane.doom(outcome);
    this.#stats.queued -= ids;
    this.#stats[outcome] += ids;
    this.#endSome(lane, MOST_ENDED_AT_ONCE);
    if (lane.isDoomed) this.#doomed.add(lane);
    return releases;
  }

  /** Ends what is left of a lane, however much that is. */
  finish(lane: Lane): void {
    this.#endSome(lane, Number.POSITIVE_INFINITY);
  }

  /** Ends as much as there is time for. */
  endUntil(deadline: number): void {
    for (const lane of this.#doomed) {
      while (lane.isDoomed) {
        this.#endSome(lane, MOST_ENDED_AT_ONCE);
        if (monotonicNow() >= deadline) return;
      }
    }
  }

  #endSome(lane: Lane, most: number): void {
    for (let left = most; left > 0 && lane.isDoomed; left--) {
      const [release, outcome] = lane.shiftDoomed() ?? [];
      // A bare id is in the books already.
      if (typeof release === 'object' && outcome !== undefined) this.end(release, outcome);
    }
    if (lane.isDoomed) return;
    this.#doomed.delete(lane);
    this.#onEnded(lane);
  }
}
