/**
 * What stands between a client and one session of it: sees each command on its way out, each answer and
 * each event on its way in, and keeps the ledger by them. The client notices nothing: what is sent is what
 * it sends (but for the group that a mint joins), what comes back is the object that the browser's answer
 * was parsed into, and the original `send` is reached within the same call, or throws within it.
 */
import type { ReleaseSession } from '../batcher/release.ts';
import type { LeakReport, MintTrace, Tracing } from '../observe/leak-report.ts';
import { groupOf, outgoingParams } from './command-group.ts';
import type { CommandRules } from './command-rules.ts';
import { type ConsoleEntries, consoleGroup } from './console-entries.ts';
import type { HandleScope, ScopeStack } from './handle-scope.ts';
import type { HandleRecord, ObjectGroup } from './ledger/handle-record.ts';
import { contextPrefixOf, mayBeId } from './ledger/object-id.ts';
import type { SessionLedger } from './ledger/session-ledger.ts';
import { type MintingSession, ObservedCommand } from './observed-command.ts';
import {
  type CommandShape,
  type Forward,
  forEachNamedId,
  forEachRemoteObject,
  isAwaitable,
  mintsOf,
  type Params,
  type RemoteObject,
  shapeOf,
} from './protocol.ts';
import type { ReleaseAcknowledger } from './release-acknowledger.ts';
import { noteLifeEvent } from './session-events.ts';
import { concernsStreams, type Streams } from './streams.ts';
import { concernsTarget } from './target-state.ts';
import { forEachText, UnlistedCommand, withTranslatedTexts } from './unlisted-command.ts';
import { noteUntrackedEnd, tracedOnly } from './untracked-mints.ts';

/** What a tap does only where it was asked for. */
export interface TapOptions {
  readonly consoleEntries: ConsoleEntries | undefined;
  readonly tracing: Tracing;
  /** Whether calls of the client's are traced, each with all its commands; if not, each command by itself. */
  readonly isTracedByCall: boolean;
  readonly streams: Streams | undefined;
}

export class SessionTap implements MintingSession {
  readonly ledger: SessionLedger;
  /** Kept alive here, on the client's side: the ledger has but a weak way to it. */
  readonly sender: ReleaseSession;
  readonly #acknowledger: ReleaseAcknowledger;
  readonly #scopes: ScopeStack;
  readonly #rules: CommandRules;
  #tracks: boolean;
  readonly #consoleEntries: ConsoleEntries | undefined;
  readonly #tracing: Tracing;
  readonly #isTracedByCall: boolean;
  readonly #streams: Streams | undefined;

  /**
   * @param sender the unhooked way to the browser.
   * @param tracks whether mints are noted; if not, only the client's own releases are taken over.
   */
  constructor(
    ledger: SessionLedger,
    sender: ReleaseSession,
    acknowledger: ReleaseAcknowledger,
    scopes: ScopeStack,
    rules: CommandRules,
    tracks: boolean,
    { consoleEntries, tracing, isTracedByCall, streams }: TapOptions,
  ) {
    this.ledger = ledger;
    this.sender = sender;
    this.#acknowledger = acknowledger;
    this.#scopes = scopes;
    this.#rules = rules;
    this.#tracks = tracks;
    this.#consoleEntries = consoleEntries;
    this.#tracing = tracing;
    this.#isTracedByCall = isTracedByCall;
    this.#streams = streams;
  }

  /**
   * The answer to a release that need not be sent now; `undefined` for any other command. `command` does the
   * same: asking here first saves its caller the making of a `forward`.
   */
  releaseEarly(method: string, params: Params | undefined): Promise<unknown> | undefined {
    if (method !== 'Runtime.releaseObject' || this.ledger.hasEnded) return undefined;
    this.ledger.services.answers.enter();
    return this.#acknowledger.releaseEarly(params);
  }

  /** One command of the client's, in place of its `send`. Throws only what `forward` throws. */
  command(method: string, params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    if (this.ledger.hasEnded || !isCommand(method, params)) return forward(params);
    if (method === 'Runtime.releaseObject') {
      this.ledger.services.answers.enter();
      return this.#acknowledger.release(params, forward);
    }
    this.#acknowledger.onCommand(method);
    if (method === 'Runtime.releaseObjectGroup') return this.#releaseGroup(params, forward);
    if (concernsTarget(method)) this.ledger.target.noteCommand(this.ledger, method);
    if (this.#streams !== undefined && concernsStreams(method)) {
      return this.#streams.command(method, params, forward);
    }
    const shape = this.#tracks ? shapeOf(method) : undefined;
    if (shape !== undefined && this.#namesEnded(shape, params)) return Promise.reject(scopeEnded());
    const onAnswer = this.#rules.onSent(method, params);
    let answer: PromiseLike<unknown>;
    try {
      // Sent from here: with another frame of ours between, an error's stack would not reach as far as the caller.
      if (shape !== undefined) {
        const command = this.#begin(method, shape, params);
        try {
          answer = forward(outgoingParams(this.ledger, shape, params, command.group));
        } catch (error) {
          command.end();
          throw error;
        }
        answer = this.#follow(command, answer);
      } else if (this.#tracks) answer = this.#unlisted(params, forward);
      else answer = this.#untracked(method, params, forward);
    } catch (error) {
      onAnswer?.(); // It was not sent, and never will be answered.
      throw error;
    }
    if (onAnswer === undefined) return answer;
    if (!isAwaitable(answer)) {
      onAnswer();
      return answer;
    }
    // Not a branch of its own: by that a rejection that the caller forgets to handle would count as handled.
    return answer.then(
      (result) => {
        onAnswer();
        return result;
      },
      (error: unknown) => {
        onAnswer();
        throw error;
      },
    );
  }

  /** One event of the session's, before the client's listeners get it. Never throws. */
  event(name: string, params: unknown): void {
    this.ledger.services.answers.enter();
    this.#streams?.event(name, params);
    const mints = this.#tracks ? mintsOf(name) : undefined;
    if (mints !== undefined) {
      // Unasked for, and the next may be on its way already: never released as a group, but one by one.
      const group = name.startsWith('Runtime.') ? consoleGroup(this.ledger) : undefined;
      const trace = this.#tracing.report?.beginEvent(name, params);
      forEachRemoteObject(params, mints, (remoteObject, ordinal) => {
        this.mint(remoteObject, group, ordinal, trace, false);
      });
      this.#consoleEntries?.onEntry(params);
      return;
    }
    if (CONTEXTS_ENDED.has(name)) {
      const { executionContextId } = (params ?? {}) as { executionContextId?: unknown };
      this.#consoleEntries?.onContextsEnded(executionContextId);
    }
    noteLifeEvent(this.ledger, name, params);
    if (this.#untrackedReport !== undefined)
      noteUntrackedEnd(this.#untrackedReport, this.ledger, name, params);
  }

  /** The session is over. */
  end(): void {
    this.#untrackedReport?.endWhere(this.ledger, () => true);
  }

  /** What is told of handles that are in no ledger. */
  get #untrackedReport(): LeakReport | undefined {
    return this.#tracks || !this.#isTracedByCall ? undefined : this.#tracing.report;
  }

  #untracked(method: string, params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const report = this.#untrackedReport;
    const shape = report === undefined ? undefined : shapeOf(method);
    return report === undefined || shape === undefined
      ? forward(params)
      : tracedOnly(report, this.ledger, shape, params, forward);
  }

  /** From now on what the command names is pinned, and its group is kept. */
  #begin(method: string, shape: CommandShape, params: Params | undefined): ObservedCommand {
    const { ledger } = this;
    const pinned = this.#pinNamed(shape, params);
    const scope = this.#scopeFor(method, params);
    const group = groupOf(ledger, shape, params, scope);
    if (group !== undefined) group.pending++;
    const trace = this.#tracing.report?.beginCommand(this.#isTracedByCall);
    const heldOf = this.#rules.heldOf(method, pinned[0]?.context?.executionContextId);
    return new ObservedCommand(this, shape, group, scope, trace, pinned, heldOf);
  }

  #follow(command: ObservedCommand, answer: PromiseLike<unknown>): PromiseLike<unknown> {
    const { releases, services } = this.ledger;
    if (!isAwaitable(answer)) {
      this.#giveUpTracking(command.group);
      for (const record of command.pinned) releases.unpin(record);
      return answer;
    }
    return answer.then(
      (result) => {
        command.result = result;
        services.answers.add(command);
        if (command.trace !== undefined) services.answers.enter(); // A traced call tells, as it ends, what it gave.
        return result;
      },
      (error: unknown) => {
        command.end();
        throw error;
      },
    );
  }

  /** A command of which the description knows nothing: most name no object, and are not looked at any further. */
  #unlisted(params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const { ledger } = this;
    const pinned = this.#pinNamedAnywhere(params);
    if (params === undefined || pinned.length === 0) return forward(params);
    const command = new UnlistedCommand(ledger, pinned);
    let answer: PromiseLike<unknown>;
    try {
      const outgoing = ledger.hasFormerIds
        ? withTranslatedTexts(params, (text) => (mayBeId(text) ? ledger.currentId(text) : text))
        : params;
      answer = forward(outgoing);
    } catch (error) {
      command.end();
      throw error;
    }
    if (!isAwaitable(answer)) {
      this.#giveUpTracking(undefined);
      for (const record of pinned) ledger.releases.unpin(record);
      return answer;
    }
    return answer.then(
      (result) => {
        command.result = result;
        ledger.services.answers.add(command);
        return result;
      },
      (error: unknown) => {
        command.end();
        throw error;
      },
    );
  }

  /**
   * A `send` that gives no promise: what it mints, and what it names for how long, cannot be seen. From here on
   * nothing new is tracked. Something may be born into the group at any time, so that
   * it stays pending, and its dead go one by one.
   */
  #giveUpTracking(group: ObjectGroup | undefined): void {
    this.#tracks = false;
    this.ledger.releases.distrustCollections();
    if (group?.owner === 'own') this.ledger.generations.close(group);
  }

  /** One remote object that the client has got. */
  mint(
    remoteObject: RemoteObject & { objectId: string },
    group: ObjectGroup | undefined,
    ordinal: number,
    trace: MintTrace | undefined,
    isException: boolean,
  ): HandleRecord | undefined {
    const record = this.ledger.mint(remoteObject, remoteObject.objectId, group, ordinal);
    // An error comes twice, as `result` and as `exception`: once is enough to tell of it.
    if (record !== undefined && trace !== undefined && !(isException && ordinal > 0)) {
      record.origin = this.#tracing.report?.noteMint(this.ledger, remoteObject, trace, isException);
    }
    return record;
  }

  #scopeFor(method: string, params: Params | undefined): HandleScope | undefined {
    const scope = this.#scopes.current(this.ledger);
    return scope === undefined || this.#rules.keepsResult(method, params) ? undefined : scope;
  }

  /** Whether a command names what ended with a scope: released by now, or about to be. */
  #namesEnded(shape: CommandShape, params: Params | undefined): boolean {
    let namesEnded = false;
    forEachNamedId(params, shape.names, (id) => {
      namesEnded ||= this.ledger.hasEndedWithScope(id);
    });
    return namesEnded;
  }

  /** What a command names stays until it is answered: as its target, as an argument, as a prototype. */
  #pinNamed(shape: CommandShape, params: Params | undefined): readonly HandleRecord[] {
    let pinned: HandleRecord[] | undefined;
    forEachNamedId(params, shape.names, (id) => {
      this.ledger.services.answers.enter();
      const record = this.ledger.find(id);
      if (record === undefined) return;
      this.ledger.releases.pin(record);
      if (pinned === undefined) pinned = [record];
      else pinned.push(record);
    });
    return pinned ?? NONE;
  }

  #pinNamedAnywhere(params: Params | undefined): readonly HandleRecord[] {
    if (params === undefined || params === null) return NONE;
    const { ledger } = this;
    let pinned: HandleRecord[] | undefined;
    forEachText(params, (text) => {
      if (!mayBeId(text)) return;
      if (contextPrefixOf(text) !== '') ledger.services.answers.enter();
      const record = ledger.find(text);
      if (record === undefined) return;
      ledger.releases.pin(record);
      if (pinned === undefined) pinned = [record];
      else pinned.push(record);
    });
    return pinned ?? NONE;
  }

  /** A group that the user releases himself takes with it whatever the ledger counted there. */
  #releaseGroup(params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const name = params?.objectGroup;
    if (typeof name !== 'string') return forward(params);
    const { foreignGroups, services } = this.ledger;
    services.answers.enter();
    const release = foreignGroups.beginRelease(name);
    let answer: PromiseLike<unknown>;
    try {
      answer = forward(params);
    } catch (error) {
      release.refused();
      throw error;
    }
    if (!isAwaitable(answer)) {
      release.done();
      return answer;
    }
    return answer.then(
      (result) => {
        services.answers.enter();
        release.done();
        return result;
      },
      (error: unknown) => {
        release.refused();
        throw error;
      },
    );
  }
}

function scopeEnded(): Error {
  const message =
    'This handle was created inside a scope that has ended, and was released with it: use it inside scope() or openScope(), or carry it out with escape(handle).';
  return Object.assign(new Error(message), { code: 'ERR_HANDLE_SCOPE_ENDED' });
}

/** Whether a client was given what could be a command; if not, it says itself what is wrong with it. */
function isCommand(method: unknown, params: unknown): boolean {
  return typeof method === 'string' && (params === undefined || typeof params === 'object');
}

/** Events after which contexts are no more: the one that they name, or all. */
const CONTEXTS_ENDED: ReadonlySet<string> = new Set([
  'Runtime.executionContextDestroyed',
  'Runtime.executionContextsCleared',
  'Inspector.targetCrashed',
]);

const NONE: readonly HandleRecord[] = [];
