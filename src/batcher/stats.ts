import type { Release } from './release.ts';

/**
 * The books. Each handle is counted in by `minted` and out by exactly one of `released`, `gone`,
 * `elided`, `failed`, `timedOut`, `dropped`; whatever is between is `live`, `queued` or `inFlight`.
 * So, at rest: `minted = live + released + gone + elided + failed + timedOut + dropped`.
 */
export interface ReleaseStats {
  /** Handles known: seen in an answer or an event, or handed to `release`. */
  minted: number;
  /** Handles that the program may still use. */
  live: number;
  /** Dropped by a `releaseObject` of the program's, by a guard, or by the end of a scope. */
  disposed: number;
  /** Dropped because the program let go of them: noticed by the garbage collector. */
  collected: number;
  /** Ended with their context, target or session: nothing had to be sent. */
  elided: number;
  /** Handles dropped whose release has not been sent yet. */
  queued: number;
  /** Handles whose release is sent and not answered yet. */
  inFlight: number;
  /**
   * Commands sent to release: single objects, groups, survivors on the move, the store of console messages. Looks at a
   * page's heap are not among them.
   */
  commands: number;
  /** Of these, releases of whole object groups. */
  groupCommands: number;
  /** Handles let go by the browser. */
  released: number;
  /** Handles that the browser no longer knew, or whose context or session was gone by then. */
  gone: number;
  /** Handles whose release the browser refused. */
  failed: number;
  /** Handles whose release had no answer in time. */
  timedOut: number;
  /** Handles never sent: invalid id, queue full, or closed. */
  dropped: number;
}

export function emptyStats(): ReleaseStats {
  return {
    minted: 0,
    live: 0,
    disposed: 0,
    collected: 0,
    elided: 0,
    queued: 0,
    inFlight: 0,
    commands: 0,
    groupCommands: 0,
    released: 0,
    gone: 0,
    failed: 0,
    timedOut: 0,
    dropped: 0,
  };
}

/** Handles that a release frees; a bare id is one. */
export function handlesOf(release: Release | string): number {
  return typeof release === 'string' ? 1 : release.handles;
}

/** Handles at the end of their way, whichever it was. */
export function ended(stats: ReleaseStats): number {
  return stats.released + stats.gone + stats.elided + stats.failed + stats.timedOut + stats.dropped;
}

/** What happened between the call of `flush` and its end. Counts are handles. */
export interface FlushReport {
  /** Everything dropped before the call was answered, or needed no answer. */
  readonly complete: boolean;
  /** Where it is not complete: handles dropped, before the call or since, whose answer is outstanding. */
  readonly pending: number;
  /** Let go by the browser. */
  readonly released: number;
  /** Unknown to the browser by then. */
  readonly gone: number;
  /** Ended with their context, target or session: nothing had to be sent. */
  readonly elided: number;
  /** Refused by the browser. */
  readonly failed: number;
  /** Not answered within `releaseTimeoutMs`. */
  readonly timedOut: number;
  /** Never sent: invalid id, queue full, or closed. */
  readonly dropped: number;
  /** From the call to its end: milliseconds. */
  readonly elapsedMs: number;
}
