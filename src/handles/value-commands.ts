/**
 * Commands that bring nothing unless the page throws: evaluations by value, which are most of the commands that clients send, and
 * commands that only name an object. They are sent as they came, with no group, no record and no copy. The handles that such a
 * command names are pinned until it is answered.
 *
 * A thrown error is two handles, hence two `releaseObject`. The next 64 commands by value (`GROUPED_AFTER_THROW`) get a group: if
 * they throw, too, about one `releaseObjectGroup` does for many of them. At most 64 commands (`MOST_UNGROUPED`) are unanswered
 * without a group: so many may throw before the first answer comes, and their handles are released one by one.
 *
 * Invariant: Node still reports a refusal that nobody handles. A handler on the side would count as handling it. So the client gets
 * back the promise of its own `send` only where it handles each refusal itself; elsewhere it gets the promise that follows.
 */
import type { Tracing } from '../observe/leak-report.ts';
import { GROUPED_AFTER_THROW, MOST_UNGROUPED } from '../policy.ts';
import type { CommandRules } from './command-rules.ts';
import { type Forward, idsNamedByCall, isAwaitable, type Params } from './protocol.ts';
import { type ScopeStack, scopeEndedError } from './scope.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';

export interface ValueCommandParts {
  readonly ledger: SessionLedger;
  readonly rules: CommandRules;
  readonly scopes: ScopeStack;
  readonly tracing: Tracing;
  /** Whether the client is the only sender, and handles each refusal: then it gets back the very promise that its `send` gave. */
  readonly handlesRefusals: boolean;
}

/** A command as the client sent it. */
export interface Sent {
  readonly method: string;
  readonly params: Params | undefined;
}

/** Called with an answer that has objects in it, the command, and the group that they have inherited. */
type OnMinted = (result: unknown, sent: Sent, group: Group | undefined) => void;

export class ValueCommands {
  readonly #parts: ValueCommandParts;
  readonly #onMinted: OnMinted;
  readonly #onUnseen: () => void;
  #unanswered = 0;
  /** How many of the next commands are given a group. */
  #grouped = 0;

  /** @param onUnseen called when a `send` gives no promise: nobody knows then when the command is answered. */
  constructor(parts: ValueCommandParts, onMinted: OnMinted, onUnseen: () => void) {
    this.#parts = parts;
    this.#onMinted = onMinted;
    this.#onUnseen = onUnseen;
  }

  /** An error was thrown, and others may follow: the next commands get a group. */
  noteThrown(): void {
    this.#grouped = GROUPED_AFTER_THROW;
  }

  /**
   * Sends a command in place of the client's `send`; `undefined` if it has to go the way of all commands, as while a scope is open or
   * leaks are traced.
   *
   * @param evaluates whether it may throw. If not, it brings nothing at all.
   */
  send(
    method: string,
    params: Params,
    forward: Forward,
    evaluates: boolean,
  ): PromiseLike<unknown> | undefined {
    const { ledger, rules, scopes, tracing } = this.#parts;
    if (scopes.open > 0 || tracing.report !== undefined) return undefined;
    if (evaluates) {
      if (this.#grouped > 0) {
        this.#grouped--;
        return undefined;
      }
      if (this.#unanswered >= MOST_UNGROUPED) return undefined;
    }
    let pinned = NONE;
    const named = idsNamedByCall(params);
    if (named !== undefined) {
      ledger.services.answers.run();
      if (ledger.hasFormerAmong(named)) return undefined; // They have to be replaced.
      const ended = ledger.endedScopeAmong(named);
      if (ended !== undefined) return Promise.reject(scopeEndedError(ended));
      pinned = ledger.pinEach(named);
    }
    const onAnswer = rules.onSent(method, params);
    if (!evaluates && pinned.length === 0 && onAnswer === undefined) return forward(params);
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
        ? answer.then((result) => this.#onResult(result, method, params, undefined), this.#onRefusal)
        : answer.then(
            (result) => {
              this.#onResult(result, method, params, groupOfTarget(params, pinned));
              ledger.unpinEach(pinned);
              onAnswer?.();
              return result;
            },
            (error: unknown) => {
              this.#end(pinned, onAnswer);
              return this.#onRefusal(error);
            },
          );
    return this.#parts.handlesRefusals ? answer : followed;
  }

  #end(pinned: readonly Handle[], onAnswer: (() => void) | undefined): void {
    this.#parts.ledger.unpinEach(pinned);
    onAnswer?.();
  }

  #onResult(result: unknown, method: string, params: Params, group: Group | undefined): unknown {
    this.#unanswered--;
    if (carriesObject(result)) this.#onMinted(result, { method, params }, group);
    return result;
  }

  readonly #onRefusal = (error: unknown): void => {
    this.#unanswered--;
    if (!this.#parts.handlesRefusals) throw error;
  };
}

/** The group of the object that a command is sent to. That object is pinned first, and a pinned handle is not moved. */
function groupOfTarget({ objectId }: Params, [first]: readonly Handle[]): Group | undefined {
  return objectId !== undefined && first?.objectId === String(objectId) ? first.group : undefined;
}

const NONE: readonly Handle[] = [];

interface ValueAnswer {
  readonly result?: { readonly objectId?: unknown } | null;
  readonly exceptionDetails?: unknown;
}

/** Never throws, though a peer that is no browser may send an answer that throws when it is read. */
function carriesObject(answer: unknown): boolean {
  try {
    const { result, exceptionDetails } = answer as ValueAnswer;
    return exceptionDetails !== undefined || result?.objectId !== undefined;
  } catch {
    return false;
  }
}
