/**
 * What stands between a client and one session of it: sees each command on its way out, each answer and
 * each event on its way in, and keeps the ledger by them. The client notices nothing: what is sent is what
 * it sends (but for the group that a mint joins), what comes back is the object that the browser's answer
 * was parsed into, and the original `send` is reached within the same call, or throws within it.
 */
import type { MintTrace, Tracing } from '../observe/leak-report.ts';
import { type ConsoleEntries, consoleGroup } from './console-entries.ts';
import type { HandleRecord, ObjectGroup } from './handle-record.ts';
import type { HandleScope, ScopeStack } from './handle-scope.ts';
import {
  type CommandShape,
  type Forward,
  forEachNamedId,
  forEachRemoteObject,
  isAwaitable,
  MINTING_EVENTS,
  mintsOf,
  type Params,
  type RemoteObject,
  shapeOf,
  withTranslatedIds,
} from './protocol.ts';
import type { ReleaseAcknowledger } from './release-acknowledger.ts';
import type { SessionLedger } from './session-ledger.ts';

/** The events that a tap takes note of, for clients that have to be asked for each. */
export const NOTICED_EVENTS: readonly string[] = [
  ...MINTING_EVENTS,
  'Runtime.executionContextDestroyed',
  'Runtime.executionContextsCleared',
  'Inspector.targetCrashed',
];

/** What only the client's own file can know of a session's commands. */
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

/** Puts collections off, while the client may hold ids as bare strings. Nests. */
export interface CollectionHold {
  hold(): void;
  unhold(): void;
}

/** What a tap does only where it was asked for. */
export interface TapOptions {
  readonly consoleEntries: ConsoleEntries | undefined;
  readonly tracing: Tracing;
  /** Whether calls of the client's are traced, each with all its commands; if not, each command by itself. */
  readonly isTracedByCall: boolean;
}

export class SessionTap {
  readonly ledger: SessionLedger;
  readonly #acknowledger: ReleaseAcknowledger;
  readonly #scopes: ScopeStack;
  readonly #rules: CommandRules;
  #tracks: boolean;
  readonly #consoleEntries: ConsoleEntries | undefined;
  readonly #tracing: Tracing;
  readonly #isTracedByCall: boolean;

  /** @param tracks whether mints are noted; if not, only the client's own releases are taken over. */
  constructor(
    ledger: SessionLedger,
    acknowledger: ReleaseAcknowledger,
    scopes: ScopeStack,
    rules: CommandRules,
    tracks: boolean,
    { consoleEntries, tracing, isTracedByCall }: TapOptions,
  ) {
    this.ledger = ledger;
    this.#acknowledger = acknowledger;
    this.#scopes = scopes;
    this.#rules = rules;
    this.#tracks = tracks;
    this.#consoleEntries = consoleEntries;
    this.#tracing = tracing;
    this.#isTracedByCall = isTracedByCall;
  }

  /**
   * The answer to a release that need not be sent now; `undefined` for any other command. `command` does the
   * same: asking here first saves its caller the making of a `forward`.
   */
  releaseEarly(method: string, params: Params | undefined): Promise<unknown> | undefined {
    if (method !== 'Runtime.releaseObject' || this.ledger.hasEnded) return undefined;
    return this.#acknowledger.releaseEarly(params);
  }

  /** One command of the client's, in place of its `send`. Throws only what `forward` throws. */
  command(method: string, params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    if (this.ledger.hasEnded) return forward(params);
    if (method === 'Runtime.releaseObject') return this.#acknowledger.release(params, forward);
    this.#acknowledger.onCommand(method);
    if (method === 'Runtime.releaseObjectGroup') return this.#releaseGroup(params, forward);
    if (measuresMemory(method)) this.releaseAllNow();
    const onAnswer = this.#rules.onSent(method, params);
    const shape = this.#tracks ? shapeOf(method) : undefined;
    let answer: PromiseLike<unknown>;
    try {
      answer = shape === undefined ? forward(params) : this.#observed(method, shape, params, forward);
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
    const mints = this.#tracks ? mintsOf(name) : undefined;
    if (mints !== undefined) {
      // Unasked for, and the next may be on its way already: never released as a group, but one by one.
      const group = name.startsWith('Runtime.') ? consoleGroup(this.ledger) : undefined;
      const trace = this.#tracing.report?.beginEvent(name, params);
      forEachRemoteObject(params, mints, (remoteObject, ordinal) => {
        this.#mint(remoteObject, group, ordinal, trace, false);
      });
      this.#consoleEntries?.onEntry();
      return;
    }
    switch (name) {
      case 'Runtime.executionContextDestroyed': {
        const { executionContextId } = (params ?? {}) as { executionContextId?: unknown };
        if (typeof executionContextId === 'number') this.ledger.endings.endContext(executionContextId);
        break;
      }
      case 'Runtime.executionContextsCleared':
        this.ledger.endings.endAllContexts();
        break;
      case 'Inspector.targetCrashed':
        this.ledger.endings.crash();
        break;
      case 'Inspector.targetReloadedAfterCrash':
      case 'Runtime.executionContextCreated': // A sign of life, should the other not be heard.
        this.ledger.lane.recover();
        break;
    }
  }

  /** Sends, ahead of whatever is sent next, the release of all that is known to be dropped. */
  releaseAllNow(): void {
    const { sweeper, dispatcher } = this.ledger.services;
    sweeper.flushNow(this.ledger);
    dispatcher.drainNow(this.ledger.lane);
  }

  #observed(
    method: string,
    shape: CommandShape,
    params: Params | undefined,
    forward: Forward,
  ): PromiseLike<unknown> {
    const { ledger } = this;
    const pinned = this.#pinNamed(shape, params);
    const scope = this.#scopeFor(method, params);
    const group = this.#groupFor(shape, params, scope);
    if (group !== undefined) group.pending++;
    const trace = this.#tracing.report?.beginCommand(this.#isTracedByCall);

    const done = (): void => {
      if (group !== undefined) {
        group.pending--;
        ledger.touch(group);
      }
      for (const record of pinned) ledger.unpin(record);
    };
    let answer: PromiseLike<unknown>;
    try {
      answer = forward(this.#outgoing(shape, params, group));
    } catch (error) {
      done();
      throw error;
    }
    if (!isAwaitable(answer)) {
      this.#giveUpTracking(group);
      for (const record of pinned) ledger.unpin(record);
      return answer;
    }
    return answer.then(
      (result) => {
        const isException = trace !== undefined && hasException(result);
        forEachRemoteObject(result, shape.mints, (remoteObject, ordinal) => {
          const record = this.#mint(remoteObject, group, ordinal, trace, isException);
          if (record !== undefined) scope?.own(record);
        });
        done();
        return result;
      },
      (error: unknown) => {
        done();
        throw error;
      },
    );
  }

  /**
   * A `send` that gives no promise: what it mints, and what it names for how long, cannot be seen. From here on
   * only what the client releases itself is released. Something may be born into the group at any time, so that
   * it stays pending, and its dead go one by one.
   */
  #giveUpTracking(group: ObjectGroup | undefined): void {
    this.#tracks = false;
    this.ledger.hold();
    if (group?.owner === 'own') this.ledger.generations.close(group);
  }

  #mint(
    remoteObject: RemoteObject & { objectId: string },
    group: ObjectGroup | undefined,
    ordinal: number,
    trace: MintTrace | undefined,
    isException: boolean,
  ): HandleRecord | undefined {
    const record = this.ledger.mint(remoteObject, group, ordinal);
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

  /** What a command names stays until it is answered: as its target, as an argument, as a prototype. */
  #pinNamed(shape: CommandShape, params: Params | undefined): readonly HandleRecord[] {
    let pinned: HandleRecord[] | undefined;
    forEachNamedId(params, shape.names, (id) => {
      const record = this.ledger.find(id);
      if (record === undefined) return;
      this.ledger.pin(record);
      if (pinned === undefined) pinned = [record];
      else pinned.push(record);
    });
    return pinned ?? NONE;
  }

  /** The group that the results will be in: the one asked for, the one inherited, or the current generation. */
  #groupFor(
    shape: CommandShape,
    params: Params | undefined,
    scope: HandleScope | undefined,
  ): ObjectGroup | undefined {
    if (shape.mints.length === 0) return undefined;
    const asked = params?.objectGroup;
    if (shape.takesGroup && asked !== undefined && asked !== '') {
      return typeof asked === 'string' ? this.ledger.foreignGroups.named(asked) : undefined;
    }
    const target = shape.inheritsGroup && asked !== '' ? targetOf(params) : undefined;
    if (target !== undefined) {
      // Results of the user's own stay in his group; so do those of an object that the ledger does not know.
      const inherited = this.ledger.find(target)?.group;
      if (!shape.takesGroup || inherited === undefined || inherited.owner === 'foreign') return inherited;
    }
    if (!shape.takesGroup || !this.ledger.services.usesGroups) return undefined;
    return scope?.groupFor(this.ledger) ?? this.ledger.generations.current();
  }

  #outgoing(
    shape: CommandShape,
    params: Params | undefined,
    group: ObjectGroup | undefined,
  ): Params | undefined {
    const { ledger } = this;
    let outgoing = params;
    if (ledger.hasFormerIds && outgoing !== undefined) {
      outgoing = withTranslatedIds(outgoing, shape.names, (id) => ledger.currentId(id));
    }
    const isStamped = group?.owner === 'own' && shape.takesGroup;
    return isStamped ? { ...outgoing, objectGroup: group.name } : outgoing;
  }

  /** A group that the user releases himself takes with it whatever the ledger counted there. */
  #releaseGroup(params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const name = params?.objectGroup;
    const answer = forward(params);
    if (typeof name !== 'string') return answer;
    if (!isAwaitable(answer)) {
      this.ledger.foreignGroups.onReleased(name);
      return answer;
    }
    return answer.then((result) => {
      this.ledger.foreignGroups.onReleased(name);
      return result;
    });
  }
}

const NONE: readonly HandleRecord[] = [];

function hasException(result: unknown): boolean {
  return (result as { exceptionDetails?: unknown } | undefined)?.exceptionDetails !== undefined;
}

/** The object that a command is about, where it is about one, rather than about a context. */
function targetOf(params: Params | undefined): string | undefined {
  const id = params?.objectId ?? params?.promiseObjectId;
  return typeof id === 'string' ? id : undefined;
}

/** These are asked to see what the page really holds: garbage of ours would be in the figure. */
function measuresMemory(method: string): boolean {
  return (
    method.startsWith('HeapProfiler.') ||
    method.startsWith('Memory.') ||
    method === 'Runtime.getHeapUsage' ||
    method === 'Runtime.queryObjects'
  );
}
