/**
 * One command of the client's, from when it is sent until its answer is in the books: so long what it names is pinned,
 * and the group that its results go into cannot be released.
 */
import type { MintTrace } from '../observe/leak-report.ts';
import type { AnsweredCommand } from './answered-commands.ts';
import type { HandleScope } from './handle-scope.ts';
import type { HandleRecord, ObjectGroup } from './ledger/handle-record.ts';
import type { SessionLedger } from './ledger/session-ledger.ts';
import { type CommandShape, forEachRemoteObject, type RemoteObject } from './protocol.ts';

/** The session that a command was sent on. */
export interface MintingSession {
  readonly ledger: SessionLedger;
  /** Notes one remote object that the client has got; `undefined` where it is noted already, or not to be. */
  mint(
    remoteObject: RemoteObject & { objectId: string },
    group: ObjectGroup | undefined,
    ordinal: number,
    trace: MintTrace | undefined,
    isException: boolean,
  ): HandleRecord | undefined;
}

export class ObservedCommand implements AnsweredCommand {
  result: unknown;
  readonly #session: MintingSession;
  readonly #shape: CommandShape;
  readonly group: ObjectGroup | undefined;
  readonly #scope: HandleScope | undefined;
  readonly trace: MintTrace | undefined;
  readonly pinned: readonly HandleRecord[];
  readonly #heldOf: ((result: unknown) => ReadonlySet<unknown>) | undefined;

  constructor(
    session: MintingSession,
    shape: CommandShape,
    group: ObjectGroup | undefined,
    scope: HandleScope | undefined,
    trace: MintTrace | undefined,
    pinned: readonly HandleRecord[],
    heldOf: ((result: unknown) => ReadonlySet<unknown>) | undefined,
  ) {
    this.#session = session;
    this.#shape = shape;
    this.group = group;
    this.#scope = scope;
    this.trace = trace;
    this.pinned = pinned;
    this.#heldOf = heldOf;
  }

  enter(): void {
    const { result } = this;
    const group = this.group;
    const scope = this.#scope;
    const trace = this.trace;
    try {
      const held = this.#heldOf?.(result);
      const isException = trace !== undefined && hasException(result);
      forEachRemoteObject(result, this.#shape.mints, (remoteObject, ordinal) => {
        const record = this.#session.mint(remoteObject, group, ordinal, trace, isException);
        if (record === undefined) return;
        // It inherited the group of an object that belongs to another scope.
        if (group?.scope !== undefined && group.scope !== scope) record.isGuest = true;
        scope?.own(record);
        if (held?.has(remoteObject) === false) this.#session.ledger.releases.tidy(record);
      });
    } catch {
      // The answer of a session that is no browser's may throw when it is read. What it held stays untracked.
    }
    this.end();
  }

  /**
   * It is answered: nothing can be minted by it any more, and nothing it named is needed for it. After a detach nobody
   * noted what it minted, so its group keeps the command, and is never released whole.
   */
  end(): void {
    const { ledger } = this.#session;
    if (this.group !== undefined && !ledger.isForsaken) {
      this.group.pending--;
      ledger.noteAnswered(this.group);
    }
    for (const record of this.pinned) ledger.releases.unpin(record);
  }
}

function hasException(result: unknown): boolean {
  return (result as { exceptionDetails?: unknown } | undefined)?.exceptionDetails !== undefined;
}
