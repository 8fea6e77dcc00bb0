/**
 * Work that may be too much for one turn of the event loop, done a slice a turn. There is one event loop, however many
 * batchers and attachments there are: what the library takes of a turn is one budget for all of them. Each job is given
 * half of what is left of it, so that the first to run leaves something for the next; the last still does a step.
 */
import { monotonicNow, setImmediate } from '../timers.ts';

/** What all jobs of a thread may take of a turn together, but for the step that each may always do. */
export const TURN_BUDGET_MS = 6;

/** Counts the turns in which jobs ran. */
let turn = 0;
let turnEndsAt = 0;
/** What is off the budget of the next. */
let takenAlready = 0;

/** What could not be sliced has taken that much of a turn whose jobs are still to run: they have the less. */
export function chargeTurn(ms: number): void {
  takenAlready = Math.min(TURN_BUDGET_MS, takenAlready + ms); // There may be no jobs, turn after turn.
}

export class SlicedJob {
  readonly #work: (deadline: number) => boolean;
  /** The turn after which it is to run, or `undefined` where it is not. */
  #scheduledAfter: number | undefined;

  /** @param work is given the time, by `performance.now`, to stop at; returns whether nothing is left to do. */
  constructor(work: (deadline: number) => boolean) {
    this.#work = work;
  }

  /** A ref'd immediate, which holds the process for one turn: an unref'd one does not wake a loop that waits for input. */
  schedule(): void {
    if (this.#scheduledAfter !== undefined) return;
    this.#scheduledAfter = turn;
    setImmediate(this.#run);
  }

  readonly #run = (): void => {
    const now = monotonicNow();
    if (this.#scheduledAfter === turn) {
      // The first to run since: an immediate never runs in the turn that it was made in.
      turn++;
      turnEndsAt = now + TURN_BUDGET_MS - takenAlready;
      takenAlready = 0;
    }
    this.#scheduledAfter = undefined;
    const isDone = this.#work(now + Math.max(0, turnEndsAt - now) / 2);
    if (!isDone) this.schedule();
  };
}
