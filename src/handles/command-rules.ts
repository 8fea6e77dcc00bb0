/** Facts about a session's commands that only the client's own file knows. */
import type { Params } from './protocol.ts';

export interface CommandRules {
  /** Whether the client keeps the result in a cache of its own that outlives the call: no scope may release it. */
  keepsResult(method: string, params: Params | undefined): boolean;
  /** Whether the client made this context for itself. The program gets no handles of such a context. */
  isClientsOwn(executionContextId: number | undefined): boolean;
  /**
   * For a command about an object of that context, whose answer may bring a list: gives the part of an answer that the client holds.
   * The rest is released without waiting for the garbage collector. `undefined` if the client may hold all of the answer.
   */
  heldOf(
    method: string,
    executionContextId: number | undefined,
  ): ((result: unknown) => ReadonlySet<unknown>) | undefined;
  /**
   * Whether of an error that the command threw the client keeps no handle: it reads the answer, and throws an error of its own. The
   * handles are then released without waiting for the garbage collector.
   */
  dropsThrown(method: string, params: Params | undefined): boolean;
  /** Whether nobody names groups in the client's sessions: an object that is not in the ledger is in none then. Default `false`. */
  readonly namesNoGroups?: boolean;
  /**
   * Called for each command as it is sent, but for the user's inputs. The function that it returns is called when the command is
   * answered.
   */
  onSent(method: string, params: Params | undefined): (() => void) | undefined;
}

/** The rules of a session that the user drives: it has no cache. */
export const plainRules: CommandRules = {
  keepsResult: () => false,
  isClientsOwn: () => false,
  heldOf: () => undefined,
  dropsThrown: () => false,
  onSent: () => undefined,
};
