/** What only the client's own file can know of a session's commands. */
import type { Params } from './protocol.ts';

export interface CommandRules {
  /** Whether the client keeps the result for itself, in a cache that outlives the call: no scope may end it. */
  keepsResult(method: string, params: Params | undefined): boolean;
  /** Whether a context is one that the client made for itself: the program is given nothing that lives there. */
  isClientsOwn(executionContextId: number | undefined): boolean;
  /**
   * What the client holds of the answer to a command about an object of that context; `undefined` where it may hold
   * all of it. The rest is released without waiting for the collector.
   */
  heldOf(
    method: string,
    executionContextId: number | undefined,
  ): ((result: unknown) => ReadonlySet<unknown>) | undefined;
  /** Told of each command as it is sent; what it gives is called when the command is answered. */
  onSent(method: string, params: Params | undefined): (() => void) | undefined;
}

/** The rules of a session that the user speaks to himself: it has no cache to spare. */
export const plainRules: CommandRules = {
  keepsResult: () => false,
  isClientsOwn: () => false,
  heldOf: () => undefined,
  onSent: () => undefined,
};
