/**
 * The states of a handle as they are counted, and the one function that changes the counts.
 *
 * ```text
 *   new ──▶ live ──▶ queued ──▶ inFlight ──▶ released │ gone │ failed │ timedOut │ dropped
 *            └─────────┴──▶ elided, released, gone, dropped   (nothing is sent)
 * ```
 *
 * The law of conservation follows: at rest
 * `minted = live + released + gone + elided + failed + timedOut + dropped`.
 */

/** Counts of handles, and of the commands that released them. Each handle is counted in by `minted` and out by one ending. */
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

/** How a handle ends. */
export type Ending = 'released' | 'gone' | 'elided' | 'failed' | 'timedOut' | 'dropped';
export type CountedState = 'new' | 'live' | 'queued' | 'inFlight' | Ending;
/** Why a handle leaves `live`, or is queued unseen. */
export type DropCause = 'disposed' | 'collected';

const NEXT: Readonly<Record<Exclude<CountedState, Ending>, readonly CountedState[]>> = {
  new: ['live', 'queued', 'inFlight', 'elided', 'dropped'],
  live: ['queued', 'elided', 'released'],
  queued: ['inFlight', 'released', 'gone', 'elided', 'dropped'],
  inFlight: ['released', 'gone', 'failed', 'timedOut', 'dropped'],
};

/** Whether a wrong move throws, as in tests. */
export let refusesWrongMoves = false;

/** For tests: whether a move throws that the table does not have, or of handles that are not there. */
export function onWrongMoves(reaction: 'throw' | 'count'): void {
  refusesWrongMoves = reaction === 'throw';
}

/** Moves handles from one state to another. Nothing else changes the counts of handles. */
export function countMove(
  stats: ReleaseStats,
  from: Exclude<CountedState, Ending>,
  to: Exclude<CountedState, 'new'>,
  handles: number,
  cause?: DropCause,
): void {
  // By name, not by key: many keys in one place are slow in V8, and this runs for each handle.
  if (from === 'new') stats.minted += handles;
  else if (from === 'live') stats.live -= handles;
  else if (from === 'queued') stats.queued -= handles;
  else stats.inFlight -= handles;
  if (to === 'live') stats.live += handles;
  else if (to === 'queued') stats.queued += handles;
  else if (to === 'inFlight') stats.inFlight += handles;
  else if (to === 'released') stats.released += handles;
  else stats[to] += handles;
  if (cause === 'disposed') stats.disposed += handles;
  else if (cause === 'collected') stats.collected += handles;
  if (refusesWrongMoves) requireMove(stats, from, to, handles);
}

/** Counts commands that are sent to release, whatever they free. */
export function countCommands(stats: ReleaseStats, commands: number, groupCommands: number = 0): void {
  stats.commands += commands;
  stats.groupCommands += groupCommands;
}

function requireMove(stats: ReleaseStats, from: keyof typeof NEXT, to: CountedState, handles: number): void {
  if (!NEXT[from].includes(to)) throw new Error(`A handle cannot go from ${from} to ${to}.`);
  const left = from === 'new' ? 0 : stats[from];
  if (left < 0) throw new Error(`${handles} handles went from ${from} to ${to}, of ${left + handles}.`);
}
