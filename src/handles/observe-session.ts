/**
 * Stands between a client and one session of it: sees each command on its way out, each answer and each event on its way
 * in, and enters in the ledger what they tell.
 *
 * The client notices nothing. The browser is sent what the client sends, with two changes: a group is named for what a command
 * mints, and the id of a moved object is replaced by its new one. The client gets the very object that the browser's answer was
 * parsed into, unless it has asked for another (`present`). The original `send` is called within the same call, and may throw
 * there. Two commands do not get that far: a release that is answered early, and a command that names a handle whose scope has
 * ended, which is refused.
 *
 * From its sending until its answer is entered, a command pins what it names, and keeps the group that its results go into.
 * Answers are entered in the order in which they came, and before anything else reads or changes the ledger: all code that does
 * either calls `answers.run()` first. To call it once too often costs nothing.
 */
import type { ReleaseSession } from '../batcher/release.ts';
import type { LeakReport, MintTrace, Tracing } from '../observe/leak-report.ts';
import type { DeferredTask } from '../runtime/event-loop.ts';
import type { ReleaseAcknowledger } from './acknowledge.ts';
import type { CollectionWatch } from './collection.ts';
import type { CommandRules } from './command-rules.ts';
import type { ConsoleEntries } from './console-entries.ts';
import { beginForeignRelease, CONSOLE_GROUP, currentGroup, endGroup } from './groups.ts';
import {
  bringsValue,
  type CommandShape,
  type Forward,
  factsOf,
  forEachRemoteObject,
  idsNamed,
  isAwaitable,
  MINTING_EVENTS,
  mintsOf,
  type Params,
  type Path,
  type RemoteObject,
  settledAfter,
  shapeOf,
  withTranslatedIds,
} from './protocol.ts';
import { type HandleScope, type ScopeStack, scopeEndedError } from './scope.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';
import { concernsStreams, MADE_BY_EVENT as MAKES_STREAM, type Streams } from './streams.ts';
import { textsLikeIds, UnlistedCommand, withCurrentIds } from './unlisted-command.ts';
import { noteUntrackedEnd, tracedOnly } from './untracked-mints.ts';
import { ValueCommands } from './value-commands.ts';

/** The parts that a tap works with. One that is `undefined` was not asked for. */
export interface TapParts {
  /** The unhooked way to the browser, kept alive here, on the client's side: the ledger keeps it weakly. */
  readonly sender: ReleaseSession;
  readonly ledger: SessionLedger;
  readonly watch: CollectionWatch;
  readonly acknowledger: ReleaseAcknowledger;
  readonly scopes: ScopeStack;
  readonly rules: CommandRules;
  readonly tracing: Tracing;
  /** Whether calls of the client's are traced, each with all its commands; if not, each command by itself. */
  readonly isTracedByCall: boolean;
  /** Whether the client is the only sender, and handles each refusal: then it gets back the very promise that its `send` gave. */
  readonly handlesRefusals: boolean;
  readonly consoleEntries: ConsoleEntries | undefined;
  readonly streams: Streams | undefined;
}

/** Makes the value that the client gets in place of an answer. */
export type Present = (answer: unknown) => unknown;

export class SessionTap {
  readonly ledger: SessionLedger;
  readonly #parts: TapParts;
  readonly #values: ValueCommands;
  #burst: ConsoleBurst | undefined;
  /** Whether mints are entered; if not, only the client's own releases are taken over. */
  #tracks: boolean;

  constructor(parts: TapParts, tracks: boolean) {
    this.ledger = parts.ledger;
    this.#parts = parts;
    this.#tracks = tracks;
    this.#values = new ValueCommands(
      parts,
      (result, group) => this.#enterThrown(result, group),
      () => this.#giveUpTracking(undefined),
    );
  }

  /**
   * The answer to a release that need not be sent now; `undefined` for any other command. `command` does the same:
   * asking here first saves its caller the making of a `forward`.
   */
  releaseEarly(method: string, params: Params | undefined): Promise<unknown> | undefined {
    if (method !== 'Runtime.releaseObject' || this.ledger.hasEnded) return undefined;
    this.ledger.services.answers.run();
    return this.#parts.acknowledger.releaseEarly(params);
  }

  /**
   * Sends one command of the client's, in place of its `send`. Throws only the errors that `forward` throws.
   *
   * @param present makes what the client gets of an answer that may carry remote objects; it must not throw.
   */
  command(
    method: string,
    params: Params | undefined,
    forward: Forward,
    present: Present | undefined = undefined,
  ): PromiseLike<unknown> {
    const { ledger } = this;
    const { acknowledger, streams, rules } = this.#parts;
    if (ledger.hasEnded || !isCommand(method, params)) return forward(params);
    if (method === 'Runtime.releaseObject') {
      ledger.services.answers.run();
      return acknowledger.release(params, forward);
    }
    if (present === undefined && bringsValue(method, params) && this.#mayTakeShortWay) {
      const answer = this.#values.send(method, params, forward);
      if (answer !== undefined) return answer;
    }
    const facts = factsOf(method);
    if (facts.asksAboutObjects) acknowledger.actionsPassed = acknowledger.actions.count;
    else acknowledger.actions.count++;
    if (method === 'Runtime.releaseObjectGroup') return this.#releaseGroup(params, forward);
    if (facts.concernsTarget) ledger.target.noteCommand(ledger, method);
    if (streams !== undefined && concernsStreams(method)) return streams.command(method, params, forward);
    const shape = this.#tracks ? facts.shape : undefined;
    const named = shape === undefined ? undefined : idsNamed(method, shape, params);
    if (named !== undefined) {
      ledger.services.answers.run();
      const ended = ledger.endedScopeAmong(named);
      if (ended !== undefined) return Promise.reject(scopeEndedError(ended));
    }
    const onAnswer = rules.onSent(method, params);
    let answer: PromiseLike<unknown>;
    try {
      // Sent from here: with another frame of ours between, an error's stack would not reach as far as the caller.
      if (shape !== undefined) {
        const command = this.#begin(method, shape, params, named);
        try {
          answer = forward(outgoingParams(ledger, shape, params, command.group));
        } catch (error) {
          command.end();
          throw error;
        }
        answer = this.#follow(command, answer, command.group, present);
      } else if (this.#tracks) answer = this.#unlisted(params, forward);
      else answer = this.#untracked(method, params, forward);
    } catch (error) {
      onAnswer?.(); // The command was not sent, and is never answered.
      throw error;
    }
    return onAnswer === undefined ? answer : settledAfter(answer, onAnswer, onAnswer);
  }

  /** Takes note of one event, before the client's listeners get it. Never throws. */
  event(name: string, params: unknown): void {
    if (!NOTICED.has(name)) return;
    const { consoleEntries, streams, tracing } = this.#parts;
    streams?.event(name, params);
    const mints = this.#tracks ? mintsOf(name) : undefined;
    if (mints !== undefined && name === CONSOLE_EVENT && tracing.report === undefined && !consoleEntries) {
      if (this.#burst?.isOpen !== true) {
        this.#burst = new ConsoleBurst(this, mints);
        this.ledger.services.answers.add(this.#burst);
      }
      this.#burst.add(params);
      return;
    }
    this.ledger.services.answers.run();
    if (mints !== undefined) {
      // The sweep never releases the console group whole, because the next event may be adding to it already: its members go one
      // by one.
      const group = name.startsWith('Runtime.') ? this.ledger.foreignGroup(CONSOLE_GROUP) : undefined;
      const trace = tracing.report?.beginEvent(name, params);
      forEachRemoteObject(params, mints, (remoteObject, ordinal) => {
        this.mint(remoteObject, group, ordinal, trace, false);
      });
      consoleEntries?.onEntry(params);
      return;
    }
    if (CONTEXTS_ENDED.has(name)) consoleEntries?.onContextsEnded(contextIdIn(params));
    LIFE_EVENTS.get(name)?.(this.ledger, params);
    const report = this.#untrackedReport;
    if (report !== undefined) noteUntrackedEnd(report, this.ledger, name, params);
  }

  /** The session is over. */
  end(): void {
    this.#untrackedReport?.endWhere(this.ledger, () => true);
  }

  /** Enters one remote object that the client has got. */
  mint(
    remoteObject: RemoteObject & { objectId: string },
    group: Group | undefined,
    ordinal: number,
    trace: MintTrace | undefined,
    isException: boolean,
  ): Handle | undefined {
    const record = this.#parts.watch.mint(this.ledger, remoteObject, remoteObject.objectId, group, ordinal);
    // An error comes twice, as `result` and as `exception`: once is enough to tell of it.
    if (record !== undefined && trace !== undefined && !(isException && ordinal > 0)) {
      record.origin = this.#parts.tracing.report?.noteMint(this.ledger, remoteObject, trace, isException);
    }
    return record;
  }

  /** Whether commands by value may take the short way (`ValueCommands`): mints are tracked, no scope is open, no leaks are traced. */
  get #mayTakeShortWay(): boolean {
    const { scopes, tracing } = this.#parts;
    return this.#tracks && scopes.open === 0 && tracing.report === undefined;
  }

  /**
   * Enters the error that a command by value threw: two objects, the answer's result and its exception. Both commands by value
   * have this shape, so that of `Runtime.evaluate` serves for both.
   */
  #enterThrown(result: unknown, group: Group | undefined): void {
    const shape = shapeOf('Runtime.evaluate');
    if (shape === undefined) return;
    this.ledger.services.answers.run();
    const command = new ObservedCommand(this, shape, group, NONE);
    command.result = result;
    command.run();
  }

  /** A command of any kind threw in the page: see `ValueCommands.noteThrown`. */
  noteThrown(): void {
    this.#values.noteThrown();
  }

  /** Begins a command: pins the handles that it names, and keeps the group that its results go into from being released. */
  #begin(
    method: string,
    shape: CommandShape,
    params: Params | undefined,
    named: readonly string[] | undefined,
  ): ObservedCommand {
    const { ledger } = this;
    const { scopes, rules, tracing, isTracedByCall } = this.#parts;
    const pinned = named === undefined ? NONE : ledger.pinEach(named);
    const scope = scopes.open > 0 && !rules.keepsResult(method, params) ? scopes.current(ledger) : undefined;
    const command = new ObservedCommand(this, shape, groupOf(ledger, shape, params, scope, rules), pinned);
    command.scope = scope;
    command.trace = tracing.report?.beginCommand(isTracedByCall);
    command.heldOf = rules.heldOf(method, pinned[0]?.context?.executionContextId);
    return command;
  }

  /** Has the answer entered later, so that the client can send its next command first. */
  #follow(
    command: ObservedCommand | UnlistedCommand,
    answer: PromiseLike<unknown>,
    group: Group | undefined,
    present: Present | undefined = undefined,
  ): PromiseLike<unknown> {
    const { answers } = this.ledger.services;
    if (!isAwaitable(answer)) {
      this.#giveUpTracking(group);
      for (const record of command.pinned) this.ledger.unpin(record);
      return answer;
    }
    const enter = (result: unknown): void => {
      command.result = result;
      answers.add(command);
      if (command.trace !== undefined) answers.run(); // A traced call tells, as it ends, what it gave.
    };
    if (this.#parts.handlesRefusals && present === undefined) {
      answer.then(enter, () => command.end());
      return answer;
    }
    return answer.then(
      (result) => {
        enter(result);
        return present === undefined ? result : present(result);
      },
      (error: unknown) => {
        command.end();
        throw error;
      },
    );
  }

  /** Sends a command that the description does not list. Most name no object, and are not followed any further. */
  #unlisted(params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const { ledger } = this;
    const named = textsLikeIds(params, ledger);
    if (params === undefined || named.length === 0) return forward(params);
    ledger.services.answers.run();
    const pinned = ledger.pinEach(named);
    if (pinned.length === 0) return forward(params);
    const command = new UnlistedCommand(ledger, pinned);
    let answer: PromiseLike<unknown>;
    try {
      answer = forward(withCurrentIds(params, ledger));
    } catch (error) {
      command.end();
      throw error;
    }
    return this.#follow(command, answer, undefined);
  }

  /**
   * Stops tracking, because a `send` gave no promise: nobody can see what the command mints, nor how long it needs what it names.
   * It may mint into the group at any time. So the group stays pending, and its dead are released one by one.
   */
  #giveUpTracking(group: Group | undefined): void {
    this.#tracks = false;
    if (!this.ledger.isOrdered) this.ledger.holds.distrust();
    if (group?.kind === 'own') endGroup(group);
  }

  /** The leak report, if calls are traced but handles are not tracked; otherwise `undefined`. */
  get #untrackedReport(): LeakReport | undefined {
    return this.#tracks || !this.#parts.isTracedByCall ? undefined : this.#parts.tracing.report;
  }

  /** Sends a command of a session whose handles are not tracked. */
  #untracked(method: string, params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const report = this.#untrackedReport;
    const shape = report === undefined ? undefined : shapeOf(method);
    return report === undefined || shape === undefined
      ? forward(params)
      : tracedOnly(report, this.ledger, shape, params, forward);
  }

  /** The user releases a group himself: once that is answered, the handles that the ledger has in it end. */
  #releaseGroup(params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const name = params?.objectGroup;
    if (typeof name !== 'string') return forward(params);
    const { answers } = this.ledger.services;
    answers.run();
    const release = beginForeignRelease(this.ledger, name);
    let answer: PromiseLike<unknown>;
    try {
      answer = forward(params);
    } catch (error) {
      release.refused();
      throw error;
    }
    const onDone = (): void => {
      answers.run();
      release.done();
    };
    return settledAfter(answer, onDone, release.refused);
  }
}

/**
 * Console messages that came at once: a page writes many, and one read of the socket delivers them. Their arguments are entered
 * together, when the client has had all these messages.
 */
class ConsoleBurst implements DeferredTask {
  isOpen = true;
  readonly #tap: SessionTap;
  readonly #mints: readonly Path[];
  readonly #messages: unknown[] = [];

  constructor(tap: SessionTap, mints: readonly Path[]) {
    this.#tap = tap;
    this.#mints = mints;
  }

  add(message: unknown): void {
    this.#messages.push(message);
  }

  run(): void {
    this.isOpen = false;
    const tap = this.#tap;
    const group = tap.ledger.foreignGroup(CONSOLE_GROUP);
    const enter = (remoteObject: RemoteObject & { objectId: string }, ordinal: number): void => {
      tap.mint(remoteObject, group, ordinal, undefined, false);
    };
    for (const message of this.#messages.splice(0)) {
      try {
        forEachRemoteObject(message, this.#mints, enter);
      } catch {
        // A peer that is no browser may send a message that throws when it is read. Its arguments stay untracked.
      }
    }
  }
}

/** One command of the client's, from when it is sent until its answer is entered. */
class ObservedCommand implements DeferredTask {
  result: unknown;
  readonly group: Group | undefined;
  readonly pinned: readonly Handle[];
  scope: HandleScope | undefined;
  trace: MintTrace | undefined;
  /** Of an answer, what the client holds: see `CommandRules`. */
  heldOf: ((result: unknown) => ReadonlySet<unknown>) | undefined;
  readonly #tap: SessionTap;
  readonly #shape: CommandShape;

  /** @param group keeps it from being released until the command's end. */
  constructor(tap: SessionTap, shape: CommandShape, group: Group | undefined, pinned: readonly Handle[]) {
    this.#tap = tap;
    this.#shape = shape;
    this.group = group;
    this.pinned = pinned;
    if (group !== undefined) group.pending++;
  }

  /** Enters the answer. */
  run(): void {
    const { result, group, scope, trace } = this;
    try {
      const held = this.heldOf?.(result);
      const hasThrown = hasException(result);
      if (hasThrown) this.#tap.noteThrown();
      const isException = trace !== undefined && hasThrown;
      forEachRemoteObject(result, this.#shape.mints, (remoteObject, ordinal) => {
        const record = this.#tap.mint(remoteObject, group, ordinal, trace, isException);
        if (record === undefined) return;
        // The handle inherited the group of an object that belongs to another scope.
        if (group?.scope !== undefined && group.scope !== scope) record.isGuest = true;
        scope?.own(record);
        if (held?.has(remoteObject) === false) this.#tap.ledger.tidy(record);
      });
    } catch {
      // A peer that is no browser may send an answer that throws when it is read. The objects in it stay untracked.
    }
    this.end();
  }

  /**
   * The command is answered: it mints nothing more, and what it named is unpinned. After a detach nobody has noted what it minted.
   * Its group then counts it as pending for good, and is never released whole.
   */
  end(): void {
    const { ledger } = this.#tap;
    if (this.group !== undefined && !ledger.isAbandoned) {
      this.group.pending--;
      ledger.noteAnswered(this.group);
    }
    for (const record of this.pinned) ledger.unpin(record);
  }
}

/**
 * The group that a command's results go into: the one that it names, else its target's, else the scope's, else the generation.
 * `undefined` if it mints nothing or takes no group, if its target's group is not known, and with `groups: false`.
 */
function groupOf(
  ledger: SessionLedger,
  shape: CommandShape,
  params: Params | undefined,
  scope: HandleScope | undefined,
  { namesNoGroups = false }: CommandRules,
): Group | undefined {
  if (shape.mints.length === 0) return undefined;
  const asked = params?.objectGroup;
  if (shape.takesGroup && asked !== undefined && asked !== '') {
    return typeof asked === 'string' ? ledger.foreignGroup(asked) : undefined;
  }
  const target =
    shape.inheritsGroup && asked !== '' ? (params?.objectId ?? params?.promiseObjectId) : undefined;
  if (typeof target === 'string' || target instanceof String) {
    // The results of an object in a user's group stay in that group. So do those of an object that is not in the ledger: nobody
    // knows its group.
    const inherited = ledger.find(target.toString())?.group;
    const isUsers = inherited === undefined ? !namesNoGroups : inherited.kind === 'foreign';
    if (!shape.takesGroup || isUsers) return inherited;
  }
  if (!shape.takesGroup || !ledger.services.usesGroups) return undefined;
  return scope?.groupFor(ledger) ?? currentGroup(ledger);
}

/** The parameters that are sent: a group of ours is named, and the ids of moved objects are replaced by their new ones. */
function outgoingParams(
  ledger: SessionLedger,
  shape: CommandShape,
  params: Params | undefined,
  group: Group | undefined,
): Params | undefined {
  let outgoing = params;
  if (shape.names.length > 0 && outgoing !== undefined && ledger.hasFormerIds) {
    outgoing = withTranslatedIds(outgoing, shape.names, (id) => ledger.currentId(id));
  }
  if (group?.kind !== 'own' || !shape.takesGroup) return outgoing;
  // Not `{ ...outgoing, objectGroup }`: V8 takes ten times as long for that. The group comes last, because an error of the
  // browser's tells a position, counted from the front.
  const { ...stamped }: Params = outgoing ?? {};
  stamped.objectGroup = group.name;
  return stamped;
}

/** Whether the arguments of a `send` could be a command. If not, the client's own `send` says what is wrong. */
const isCommand = (method: unknown, params: unknown): boolean =>
  typeof method === 'string' && (params === undefined || typeof params === 'object');

function hasException(result: unknown): boolean {
  return (result as { exceptionDetails?: unknown } | undefined)?.exceptionDetails !== undefined;
}

function contextIdIn(params: unknown): unknown {
  return (params as { executionContextId?: unknown } | undefined | null)?.executionContextId;
}

const CONSOLE_EVENT = 'Runtime.consoleAPICalled';

/** Events that end contexts: the one that they name, or all. */
const CONTEXTS_ENDED: ReadonlySet<string> = new Set([
  'Runtime.executionContextDestroyed',
  'Runtime.executionContextsCleared',
  'Inspector.targetCrashed',
]);

type OnLifeEvent = (ledger: SessionLedger, params: unknown) => void;

/** A target that had crashed answers again. */
const onSignOfLife: OnLifeEvent = ({ queue, hasEnded }) => {
  if (!hasEnded) queue.isLost = false;
};

/**
 * What happens to a session's handles when a page navigates or crashes, or a frame is removed: they end with their execution
 * context (no release is sent for a single one; a group that holds others, too, may still be released).
 */
const LIFE_EVENTS: ReadonlyMap<string, OnLifeEvent> = new Map<string, OnLifeEvent>([
  [
    'Runtime.executionContextDestroyed',
    (ledger, params) => {
      const id = contextIdIn(params);
      if (typeof id === 'number') ledger.endContext(id);
    },
  ],
  ['Runtime.executionContextsCleared', (ledger) => ledger.endAllContexts()],
  ['Inspector.targetCrashed', (ledger) => ledger.crash()],
  ['Inspector.targetReloadedAfterCrash', onSignOfLife],
  ['Runtime.executionContextCreated', onSignOfLife], // For a session that is not told of the reload.
]);

/** The events that every tap needs, for clients at which one listens to each event by name. */
export const NOTICED_EVENTS: readonly string[] = [...MINTING_EVENTS, ...LIFE_EVENTS.keys()];
/** These, and the event that makes a stream. Most events of a page are none of them. */
const NOTICED: ReadonlySet<string> = new Set([...NOTICED_EVENTS, MAKES_STREAM]);

const NONE: readonly Handle[] = [];
