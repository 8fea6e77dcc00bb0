/**
 * Commands that have been answered, with the books still to be kept of it. The client is let go on first: its next
 * command is on its way, and the browser at work on it, while what the last one brought is entered.
 *
 * Invariant: answers are entered in the order in which they came, and before anything else that the books are read
 * or changed for. So whoever does either calls `enter` first; to call it once too often costs nothing.
 */
import { nextTick } from '../timers.ts';

/** An answer that has come. */
export interface AnsweredCommand {
  /** Enters it in the books. Must not throw. */
  enter(): void;
}

export class AnsweredCommands {
  #waiting: AnsweredCommand[] = [];

  /** Has it entered when all that hangs on the answer has run, or sooner. */
  add(command: AnsweredCommand): void {
    if (this.#waiting.push(command) === 1) nextTick(this.enter);
  }

  /** Brings the books up to date. */
  readonly enter = (): void => {
    if (this.#waiting.length === 0) return;
    const answered = this.#waiting;
    this.#waiting = [];
    for (const command of answered) command.enter();
  };
}
