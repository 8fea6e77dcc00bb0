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
import type { MintTrace } from '../observe/leak-report.ts';
import type { DeferredTask } from '../runtime/event-loop.ts';
import type { ReleaseAcknowledger } from './acknowledge.ts';
import type { CollectionWatch } from './collection.ts';
import type { CommandRules } from './command-rules.ts';
import { beginForeignRelease, currentGroup, endGroup } from './groups.ts';
import {
  type CommandShape,
  type Forward,
  factsOf,
  forEachNamedId,
  forEachObjectOf,
  hasException,
  INPUT_COMMANDS,
  idsNamedByCall,
  isAwaitable,
  isByValue,
  type Params,
  type RemoteObjectWithId,
  settledAfter,
  shapeOf,
  withTranslatedIds,
} from './protocol.ts';
import { type HandleScope, scopeEndedError } from './scope.ts';
import { type EventParts, SessionEvents } from './session-events.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';
import { concernsStreams } from './streams.ts';
import { beginUnlisted, type UnlistedCommand } from './unlisted-command.ts';
import { tracedOnly, untrackedReport } from './untracked-mints.ts';
import { type Sent, type ValueCommandParts, ValueCommands } from './value-commands.ts';

/** The parts that a tap works with. One that is `undefined` was not asked for. */
export interface TapParts extends EventParts, ValueCommandParts {
  /** The unhooked way to the browser, kept alive here, on the client's side: the ledger keeps it weakly. */
  readonly sender: ReleaseSession;
  readonly watch: CollectionWatch;
  readonly acknowledger: ReleaseAcknowledger;
}

/** Makes the value that the client gets in place of an answer. */
export type Present = (answer: unknown) => unknown;

export class SessionTap {
  readonly ledger: SessionLedger;
  readonly #parts: TapParts;
  readonly values: ValueCommands;
  readonly #events: SessionEvents;

  constructor(parts: TapParts) {
    this.ledger = parts.ledger;
    this.#parts = parts;
    this.#events = new SessionEvents(parts, this.mint.bind(this));
    this.values = new ValueCommands(
      parts,
      (result, sent, group) => this.#enterThrown(result, sent, group),
      () => this.#giveUpTracking(undefined),
    );
  }

  /**
   * Whether a command may be sent as it is, past `command`: one of the user's inputs, which names no object and brings none. It is
   * counted as an action.
   */
  letsPass(method: string): boolean {
    if (!INPUT_COMMANDS.has(method)) return false;
    this.#parts.acknowledger.actions.count++;
    return true;
  }

  /**
   * The answer to a `Runtime.releaseObject` that need not be sent now; `undefined` if it has to be. `command` does the same: asking
   * here first saves its caller the making of a `forward`.
   */
  releaseEarly(params: Params | undefined): Promise<unknown> | undefined {
    if (this.ledger.hasEnded) return undefined;
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
    const { acknowledger, streams, rules, tracks } = this.#parts;
    if (ledger.hasEnded || !isCommand(method, params)) return forward(params);
    if (method === 'Runtime.releaseObject') {
      ledger.services.answers.run();
      return acknowledger.release(params, forward);
    }
    const facts = factsOf(method);
    if (facts.asksAboutObjects) acknowledger.actionsPassed = acknowledger.actions.count;
    else acknowledger.actions.count++;
    if (facts.isInput) return forward(params);
    if (facts.concernsTarget) ledger.target.noteCommand(ledger, method);
    const shape = tracks ? facts.shape : undefined;
    if (shape === undefined) {
      if (method === 'Runtime.releaseObjectGroup') return this.#releaseGroup(params, forward);
      if (streams !== undefined && concernsStreams(method)) return streams.command(method, params, forward);
    } else if (present === undefined && params && (facts.evaluates ? isByValue(params) : facts.onlyNames)) {
      const answer = this.values.send(method, params, forward, facts.evaluates);
      if (answer !== undefined) return answer;
    }
    const named = shape === undefined ? undefined : idsNamed(method, shape, params);
    if (named !== undefined) {
      ledger.services.answers.run();
      const ended = ledger.endedScopeAmong(named);
      if (ended !== undefined) return Promise.reject(scopeEndedError(ended));
    }
    const onAnswer = rules.onSent(method, params);
    let command: ObservedCommand | UnlistedCommand | undefined;
    let answer: PromiseLike<unknown>;
    try {
      if (shape !== undefined) command = this.#begin(method, shape, params, named);
      else if (tracks) command = beginUnlisted(ledger, params);
      // Sent from here: with another frame of ours between, an error's stack would not reach as far as the caller.
      if (command !== undefined) answer = forward(command.outgoing(params, named));
      else answer = tracks ? forward(params) : this.#untracked(method, params, forward);
      if (command !== undefined) {
        const isLong = shape === undefined || shape.bringsList;
        answer = this.#follow(command, answer, isLong, shape && present);
      }
    } catch (error) {
      command?.end(); // It was not sent, and is never answered.
      onAnswer?.();
      throw error;
    }
    return onAnswer === undefined ? answer : settledAfter(answer, onAnswer, onAnswer);
  }

  /** Takes note of one event, before the client's listeners get it. Never throws. */
  event(name: string, params: unknown): void {
    this.#events.note(name, params);
  }

  /** The session is over. */
  end(): void {
    untrackedReport(this.#parts)?.endWhere(this.ledger, () => true);
  }

  /** Whether of the error that a command threw the client keeps nothing. */
  dropsThrown({ method, params }: Sent): boolean {
    return this.#parts.rules.dropsThrown(method, params);
  }

  /** Enters one remote object that the client has got. */
  mint(
    remoteObject: RemoteObjectWithId,
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

  /**
   * Enters the error that a command by value threw: two objects, the answer's result and its exception. Both commands by value
   * have this shape, so that of `Runtime.evaluate` serves for both.
   */
  #enterThrown(result: unknown, sent: Sent, group: Group | undefined): void {
    const shape = shapeOf('Runtime.evaluate');
    if (shape === undefined) return;
    this.ledger.services.answers.run();
    const command = new ObservedCommand(this, shape, sent, group, NONE, undefined);
    command.result = result;
    command.run();
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
    const group = groupOf(ledger, shape, params, pinned[0], scope, rules);
    const command = new ObservedCommand(this, shape, { method, params }, group, pinned, scope);
    command.trace = tracing.report?.beginCommand(isTracedByCall);
    if (shape.bringsList) command.heldOf = rules.heldOf(method, pinned[0]?.context?.executionContextId);
    return command;
  }

  /** Has the answer entered later, together with others. */
  #follow(
    command: ObservedCommand | UnlistedCommand,
    answer: PromiseLike<unknown>,
    isLong: boolean,
    present: Present | undefined,
  ): PromiseLike<unknown> {
    const { answers } = this.ledger.services;
    if (!isAwaitable(answer)) {
      this.#giveUpTracking(command.group);
      for (const record of command.pinned) this.ledger.unpin(record);
      return answer;
    }
    const enter = (result: unknown): void => {
      command.result = result;
      // A list may have thousands of objects.
      if (isLong) answers.addLong(command);
      else answers.add(command);
      // A traced call tells, as it ends, what it gave; and what it named may have been dropped meanwhile.
      if (command.trace !== undefined || (command.pinned.length > 0 && command.pinned.some(isDropped)))
        answers.run();
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

  /**
   * Stops tracking, because a `send` gave no promise: nobody can see what the command mints, nor how long it needs what it names.
   * It may mint into the group at any time. So the group stays pending, and its dead are released one by one.
   */
  #giveUpTracking(group: Group | undefined): void {
    this.#parts.tracks = false;
    if (!this.ledger.isOrdered) this.ledger.holds.distrust();
    if (group?.kind === 'own') endGroup(group);
  }

  /** Sends a command of a session whose handles are not tracked. */
  #untracked(method: string, params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const report = untrackedReport(this.#parts);
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

/** One command of the client's, from when it is sent until its answer is entered. */
class ObservedCommand implements DeferredTask {
  result: unknown;
  readonly group: Group | undefined;
  readonly pinned: readonly Handle[];
  readonly scope: HandleScope | undefined;
  trace: MintTrace | undefined;
  /** Of an answer, what the client holds: see `CommandRules`. */
  heldOf: ((result: unknown) => ReadonlySet<unknown>) | undefined;
  readonly #tap: SessionTap;
  readonly #shape: CommandShape;
  readonly #sent: Sent;

  /** @param group keeps it from being released until the command's end. */
  constructor(
    tap: SessionTap,
    shape: CommandShape,
    sent: Sent,
    group: Group | undefined,
    pinned: readonly Handle[],
    scope: HandleScope | undefined,
  ) {
    this.#tap = tap;
    this.#shape = shape;
    this.#sent = sent;
    this.group = group;
    this.pinned = pinned;
    this.scope = scope;
    if (group !== undefined) group.pending++;
  }

  /**
   * The parameters that are sent: a group of ours is named, and the ids of moved objects are replaced by their new ones.
   *
   * @param named the ids that the parameters name.
   */
  outgoing(params: Params | undefined, named: readonly string[] | undefined): Params | undefined {
    const { ledger } = this.#tap;
    const { names, takesGroup } = this.#shape;
    let outgoing = params;
    if (named !== undefined && outgoing !== undefined && ledger.hasFormerAmong(named)) {
      outgoing = withTranslatedIds(outgoing, names, (id) => ledger.currentId(id));
    }
    if (this.group?.kind !== 'own' || !takesGroup) return outgoing;
    // Not `{ ...outgoing, objectGroup }`: V8 takes ten times as long for that. The group comes last, because an error of the
    // browser's tells a position, counted from the front.
    const { ...stamped }: Params = outgoing ?? {};
    stamped.objectGroup = this.group.name;
    return stamped;
  }

  /** Enters the answer. */
  run(): void {
    const { result } = this;
    try {
      const hasThrown = hasException(result);
      if (hasThrown) this.#tap.values.noteThrown();
      // A report lists errors by the line that threw them until they are collected.
      const keepsNone = hasThrown && this.trace === undefined && this.#tap.dropsThrown(this.#sent);
      const held = keepsNone ? NOTHING : this.heldOf?.(result);
      forEachObjectOf(result, this.#shape, (object, ordinal) =>
        this.#enter(object, ordinal, held, hasThrown),
      );
    } catch {
      // A peer that is no browser may send an answer that throws when it is read. The objects in it stay untracked.
    }
    this.end();
  }

  #enter(
    remoteObject: RemoteObjectWithId,
    ordinal: number,
    held: ReadonlySet<unknown> | undefined,
    hasThrown: boolean,
  ): void {
    const { group, scope, trace } = this;
    const isKept = held === undefined || held.has(remoteObject);
    if (!isKept && trace === undefined) {
      this.#tap.ledger.dropUnkept(remoteObject.objectId, group);
      return;
    }
    const record = this.#tap.mint(remoteObject, group, ordinal, trace, hasThrown);
    if (record === undefined) return;
    // The handle inherited the group of an object that belongs to another scope.
    if (group?.scope !== undefined && group.scope !== scope) record.isGuest = true;
    scope?.own(record);
    if (!isKept) this.#tap.ledger.tidy(record);
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
    if (this.pinned.length > 0) ledger.unpinEach(this.pinned);
  }
}

/**
 * The group that a command's results go into: the one that it names, else its target's, else the scope's, else the generation.
 * `undefined` if it mints nothing or takes no group, if its target's group is not known, and with `groups: false`.
 *
 * @param first the first of the handles that it names.
 */
function groupOf(
  ledger: SessionLedger,
  shape: CommandShape,
  params: Params | undefined,
  first: Handle | undefined,
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
    const record = first?.objectId === target ? first : ledger.find(target.toString());
    const inherited = record?.group;
    const isUsers = inherited === undefined ? !namesNoGroups : inherited.kind === 'foreign';
    if (!shape.takesGroup || isUsers) return inherited;
  }
  if (!shape.takesGroup || !ledger.services.usesGroups) return undefined;
  return scope?.groupFor(ledger) ?? currentGroup(ledger);
}

/** Whether the arguments of a `send` could be a command. If not, the client's own `send` says what is wrong. */
const isCommand = (method: unknown, params: unknown): boolean =>
  typeof method === 'string' && (params === undefined || typeof params === 'object');

/** The ids that a command names, as its target, an argument or a prototype; `undefined` if it names none. */
function idsNamed(
  method: string,
  { names }: CommandShape,
  params: Params | undefined | null,
): string[] | undefined {
  if (names.length === 0 || !params) return undefined;
  if (method === 'Runtime.callFunctionOn') return idsNamedByCall(params);
  let named: string[] | undefined;
  forEachNamedId(params, names, (id) => {
    named ??= [];
    named.push(id);
  });
  return named;
}

const isDropped = ({ state }: Handle): boolean => state !== 'live';

const NONE: readonly Handle[] = [];
const NOTHING: ReadonlySet<unknown> = new Set();
