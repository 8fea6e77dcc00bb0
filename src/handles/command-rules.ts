/** What only the client's own file can know of a session's commands. */
import type { Params } from './protocol.ts';

export interface CommandRules {
  /** Whether the client keeps the result for itself, in a cache that outlives the call: no scope may end it. */
  keepsResult(method: string, params: Params | undefined): boolean;
  /** Told of each command as it is sent; what it gives is called when the command is answered. */
  onSent(method: string, params: Params | undefined): (() => void) | undefined;
}

/** The rules of a session that the user speaks to himself: it has no cache to spare. */
export const plainRules: CommandRules = {
  keepsResult: () => false,
  onSent: () => undefined,
};
