/**
 * Commands that bring a value: most of all that clients send. They mint only by throwing, so they are sent as they came, with
 * no group, no record and no copy. What such a command names is pinned until it is answered.
 *
 * Errors that are thrown one after another are worth a group: after one, and while many commands are unanswered, the next go
 * the way of all commands.
 *
 * Invariant: a refusal that nobody handles is still told by Node. To look at a promise from the side counts as handling it, so
 * that very promise is given back only where the client handles each refusal itself; elsewhere, the one that follows it.
 */
import { GROUPED_AFTER_THROW, MOST_UNGROUPED } from '../policy.ts';
import type { ReleaseAcknowledger } from './acknowledge.ts';
import type { CommandRules } from './command-rules.ts';
import { type Forward, idsNamedByCall, isAwaitable, type Params } from './protocol.ts';
import { scopeEndedError } from './scope.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';

export interface ValueCommandParts {
  readonly ledger: SessionLedger;
  readonly acknowledger: ReleaseAcknowledger;
  readonly rules: CommandRules;
  readonly handlesRefusals: boolean;
}

/** Gets an answer with objects in it, and the group that these have inherited. */
type OnMinted = (result: unknown, group: Group | undefined) => void;

export class ValueCommands {
  readonly #parts: ValueCommandParts;
  readonly #handlesRefusals: boolean;
  readonly #onMinted: OnMinted;
  readonly #onUnseen: () => void;
  #unanswered = 0;
  /** How many of the next commands are given a group. */
  #grouped = 0;

  /** @param onUnseen called where a `send` gives no promise, so that nobody knows for how long it names what it does. */
  constructor(parts: ValueCommandParts, onMinted: OnMinted, onUnseen: () => void) {
    this.#parts = parts;
    this.#handlesRefusals = parts.handlesRefusals;
    this.#onMinted = onMinted;
    this.#onUnseen = onUnseen;
  }

  /** An error was thrown: others may follow. */
  noteThrown(): void {
    this.#grouped = GROUPED_AFTER_THROW;
  }

  /** In place of the client's `send`; `undefined` where the command is to go the way of all commands. */
  send(method: string, params: Params, forward: Forward): PromiseLike<unknown> | undefined {
    if (this.#grouped > 0) {
      this.#grouped--;
      return undefined;
    }
    if (this.#unanswered >= MOST_UNGROUPED) return undefined;
    const { ledger, acknowledger, rules } = this.#parts;
    let pinned = NONE;
    const named = idsNamedByCall(params);
    if (named !== undefined) {
      ledger.services.answers.run();
      for (const id of named) {
        if (ledger.hasFormerIds && ledger.currentId(id) !== id) return undefined; // To be translated.
        const ended = ledger.hasEndedScopes ? ledger.endedScopeOf(id) : undefined;
        if (ended !== undefined) return Promise.reject(scopeEndedError(ended));
      }
      pinned = ledger.pinEach(named);
    }
    acknowledger.actionsPassed = acknowledger.actions.count;
    const onAnswer = rules.onSent(method, params);
    let answer: PromiseLike<unknown>;
    try {
      answer = forward(params);
    } catch (error) {
      this.#end(pinned, onAnswer);
      throw error;
    }
    if (!isAwaitable(answer)) {
      this.#onUnseen();
      this.#end(pinned, onAnswer);
      return answer;
    }
    this.#unanswered++;
    const followed =
      pinned.length === 0 && onAnswer === undefined
        ? answer.then(this.#onResult, this.#onRefusal)
        : this.#follow(answer, pinned, params, onAnswer);
    return this.#handlesRefusals ? answer : followed;
  }

  #follow(
    answer: PromiseLike<unknown>,
    pinned: readonly Handle[],
    { objectId }: Params,
    onAnswer: (() => void) | undefined,
  ): PromiseLike<unknown> {
    return answer.then(
      (result) => {
        // The target comes first, and cannot have been moved meanwhile.
        const target = objectId === undefined ? undefined : pinned[0];
        this.#note(
          result,
          target !== undefined && target.objectId === String(objectId) ? target.group : undefined,
        );
        this.#end(pinned, onAnswer);
        return result;
      },
      (error: unknown) => {
        this.#end(pinned, onAnswer);
        return this.#onRefusal(error);
      },
    );
  }

  #end(pinned: readonly Handle[], onAnswer: (() => void) | undefined): void {
    for (const record of pinned) this.#parts.ledger.unpin(record);
    onAnswer?.();
  }

  readonly #onResult = (result: unknown): unknown => {
    this.#note(result, undefined);
    return result;
  };

  readonly #onRefusal = (error: unknown): void => {
    this.#unanswered--;
    if (!this.#handlesRefusals) throw error;
  };

  #note(result: unknown, group: Group | undefined): void {
    this.#unanswered--;
    if (carriesObject(result)) this.#onMinted(result, group);
  }
}

const NONE: readonly Handle[] = [];

interface ValueAnswer {
  readonly result?: { readonly objectId?: unknown } | null;
  readonly exceptionDetails?: unknown;
}

/** Never throws: the answer of a session that is no browser's may, when it is read. */
function carriesObject(answer: unknown): boolean {
  try {
    const { result, exceptionDetails } = answer as ValueAnswer;
    return exceptionDetails !== undefined || result?.objectId !== undefined;
  } catch {
    return false;
  }
}
