/**
 * The generated description, made ready to be walked: which objects a command names, and which its answer, or an event, mints.
 * Walking never throws on a shape that the description does not promise; it finds nothing there.
 */
import { MOST_COMMAND_NAMES } from '../policy.ts';
import { COMMANDS, EVENTS, INPUTS } from './protocol.generated.ts';
import { concernsTarget } from './target-state.ts';

/** The protocol's RemoteObject, as far as it matters here. A client's handle holds this very object. */
export interface RemoteObject {
  objectId?: string | undefined;
  readonly type?: string | undefined;
  readonly subtype?: string | undefined;
}

export type RemoteObjectWithId = RemoteObject & { objectId: string };

export type Params = Record<string, unknown>;

/** Sends a command the way that the client meant to, with these parameters. */
export type Forward = (params: Params | undefined) => PromiseLike<unknown>;

/** Whether an answer can be awaited: some clients have forms of `send` that give no promise. */
export const isAwaitable = (answer: unknown): answer is PromiseLike<unknown> =>
  typeof (answer as PromiseLike<unknown> | undefined)?.then === 'function';

/**
 * Calls `onDone` or `onRefused` when a command is answered. Gives the promise that follows: with a handler on the side, Node would
 * take a rejection of the client's promise for handled.
 */
export function settledAfter(
  answer: PromiseLike<unknown>,
  onDone: (result: unknown) => void,
  onRefused?: (reason: unknown) => void,
): PromiseLike<unknown> {
  if (!isAwaitable(answer)) {
    onDone(undefined);
    return answer;
  }
  return answer.then(
    (result) => {
      onDone(result);
      return result;
    },
    (reason: unknown) => {
      onRefused?.(reason);
      throw reason;
    },
  );
}

/** One command, as far as remote objects are concerned. */
export interface CommandShape {
  readonly mints: readonly Path[];
  readonly names: readonly Path[];
  readonly takesGroup: boolean;
  /** Whether its mints join the group of the object that it names, if it names no `objectGroup`. */
  readonly inheritsGroup: boolean;
  /** Whether its answer brings the value of an expression, and an exception at most besides. */
  readonly evaluates: boolean;
  /** The member of its answer that is the one object that it brings; `undefined` where it brings others, or none. */
  readonly onlyMember: string | undefined;
  /** Whether its answer may bring any number of objects. */
  readonly bringsList: boolean;
}

/** Member names from the root to the leaf; `EACH` stands for every element of an array. */
export type Path = readonly (string | typeof EACH)[];
const EACH: unique symbol = Symbol('each element');

/**
 * V8 gives the results of these the group of the object named, unless told otherwise
 * (`v8/src/inspector/v8-runtime-agent-impl.cc`: `scope.objectGroupName()`). The description does not say so.
 */
const INHERITING: ReadonlySet<string> = new Set([
  'Runtime.awaitPromise',
  'Runtime.callFunctionOn',
  'Runtime.getProperties',
]);

const commandShapes: ReadonlyMap<string, CommandShape> = new Map(
  Object.entries(COMMANDS).map(([method, { mints, names, takesGroup }]) => [
    method,
    {
      mints: mints.map(parsePath),
      names: names.map(parsePath),
      takesGroup: takesGroup && mints.length > 0,
      inheritsGroup: INHERITING.has(method),
      evaluates: mints.join() === 'result,exceptionDetails.exception',
      onlyMember: mints.length === 1 && /^\w+$/.test(mints[0] ?? '') ? mints[0] : undefined,
      bringsList: mints.some((path) => path.includes('[]')),
    },
  ]),
);
const eventMints: ReadonlyMap<string, readonly Path[]> = new Map(
  Object.entries(EVENTS).map(([method, mints]) => [method, mints.map(parsePath)]),
);

/** The events that carry remote objects. */
export const MINTING_EVENTS: readonly string[] = [...eventMints.keys()];

/** Where a command names remote objects, and its answer carries some; `undefined` for the many commands without remote objects. */
export function shapeOf(method: string): CommandShape | undefined {
  return commandShapes.get(method);
}

/** Where an event carries remote objects; `undefined` for the many that carry none. */
export function mintsOf(event: string): readonly Path[] | undefined {
  return eventMints.get(event);
}

/** Whether a command asks about objects, rather than acts on the page. */
const asksAboutObjects = (method: string): boolean =>
  method.startsWith('Runtime.') || method.startsWith('DOM.') || method.startsWith('Accessibility.');

/** The facts that follow from a command's name. */
export interface CommandFacts {
  readonly shape: CommandShape | undefined;
  readonly isInput: boolean;
  /** Whether it may be sent by value (`isByValue`): then it mints only if the page throws. */
  readonly evaluates: boolean;
  /** Whether it names objects as `idsNamedByCall` finds them, and brings none. */
  readonly onlyNames: boolean;
  readonly asksAboutObjects: boolean;
  /** Whether `TargetState.noteCommand` has to be told of it. */
  readonly concernsTarget: boolean;
}

/** The user's inputs: commands that act on the page, name no objects and bring none. */
export const INPUT_COMMANDS: ReadonlySet<string> = new Set(INPUTS);

/** A script sends a few dozen commands over and over, so the facts of each name are found once. */
const factsByName = new Map<string, CommandFacts>();

export function factsOf(method: string): CommandFacts {
  let facts = factsByName.get(method);
  if (facts === undefined) {
    const shape = shapeOf(method);
    facts = {
      shape,
      isInput: INPUT_COMMANDS.has(method),
      evaluates: method === 'Runtime.callFunctionOn' || method === 'Runtime.evaluate',
      onlyNames:
        shape?.mints.length === 0 && shape.names.length === 1 && shape.names[0]?.join() === 'objectId',
      asksAboutObjects: asksAboutObjects(method),
      concernsTarget: concernsTarget(method),
    };
    if (factsByName.size < MOST_COMMAND_NAMES) factsByName.set(method, facts);
  }
  return facts;
}

/** Whether an evaluation is by value, so that it mints only if the page throws, and names no group. */
export const isByValue = (params: Params): boolean =>
  params.returnByValue === true &&
  params.objectGroup === undefined &&
  params.serializationOptions === undefined;

/** Calls `visit` with each remote object found along `paths` that has an id, and its place among them. */
export function forEachRemoteObject(
  root: unknown,
  paths: readonly Path[],
  visit: (remoteObject: RemoteObjectWithId, ordinal: number) => void,
): void {
  let ordinal = 0;
  const visitLeaf = (leaf: unknown): void => {
    if (hasId(leaf)) visit(leaf, ordinal++);
  };
  for (const path of paths) visitLeaves(root, path, 0, visitLeaf);
}

/** The same of an answer. The most frequent are read without a walk: in a short script, the first thousand cost most. */
export function forEachObjectOf(
  answer: unknown,
  { mints, evaluates, onlyMember }: CommandShape,
  visit: (remoteObject: RemoteObjectWithId, ordinal: number) => void,
): void {
  if (onlyMember !== undefined) {
    const object = (answer as Params | null | undefined)?.[onlyMember];
    if (hasId(object)) visit(object, 0);
    return;
  }
  if (!evaluates) {
    forEachRemoteObject(answer, mints, visit);
    return;
  }
  const { result, exceptionDetails } = (answer ?? {}) as Evaluated;
  const exception = exceptionDetails?.exception;
  const hasResult = hasId(result);
  if (hasResult) visit(result, 0);
  if (hasId(exception)) visit(exception, hasResult ? 1 : 0);
}

interface Evaluated {
  readonly result?: unknown;
  readonly exceptionDetails?: { readonly exception?: unknown } | null;
}

/** Whether an answer tells that the page threw. */
export function hasException(answer: unknown): boolean {
  return (answer as { exceptionDetails?: unknown } | undefined)?.exceptionDetails !== undefined;
}

/** The ids that a `Runtime.callFunctionOn` names, its target first; `undefined` if it names none, as most do. */
export function idsNamedByCall({ objectId, arguments: given }: Params): string[] | undefined {
  let named = objectId === undefined ? undefined : [String(objectId)];
  if (Array.isArray(given)) {
    for (const argument of given as ({ readonly objectId?: unknown } | null | undefined)[]) {
      const id = argument?.objectId;
      if (typeof id !== 'string' && !(id instanceof String)) continue;
      named ??= [];
      named.push(String(id));
    }
  }
  return named;
}

/** Calls `visit` with each object id found along `paths` of a command's parameters. */
export function forEachNamedId(params: unknown, paths: readonly Path[], visit: (id: string) => void): void {
  const visitLeaf = (leaf: unknown): void => {
    if (typeof leaf === 'string') visit(leaf);
    else if (leaf instanceof String) visit(leaf.toString()); // Playwright's: see `held-id.ts`.
  };
  for (const path of paths) visitLeaves(params, path, 0, visitLeaf);
}

/** A copy of `params` in which `translate` replaces each id along `paths`; only the parts that change are copied. */
export function withTranslatedIds(
  params: Params,
  paths: readonly Path[],
  translate: (id: string) => string,
): Params {
  const translateLeaf = (leaf: unknown): unknown => (typeof leaf === 'string' ? translate(leaf) : leaf);
  let translated: unknown = params;
  for (const path of paths) translated = replacedAt(translated, path, translateLeaf);
  return translated as Params;
}

/** A copy of `value` in which `replace` replaces the value at the end of `path`; only the parts that change are copied. */
export function replacedAt(
  value: unknown,
  path: Path,
  replace: (leaf: unknown) => unknown,
  depth: number = 0,
): unknown {
  const step = path[depth];
  if (step === undefined) return replace(value);
  if (step === EACH) {
    if (!Array.isArray(value)) return value;
    const elements = value.map((element: unknown) => replacedAt(element, path, replace, depth + 1));
    return elements.some((element, index) => element !== value[index]) ? elements : value;
  }
  if (!isRecord(value)) return value;
  const member = replacedAt(value[step], path, replace, depth + 1);
  return member === value[step] ? value : { ...value, [step]: member };
}

function visitLeaves(root: unknown, path: Path, start: number, visit: (leaf: unknown) => void): void {
  let value = root;
  for (let depth = start; depth < path.length; depth++) {
    const step = path[depth];
    if (step === EACH) {
      if (Array.isArray(value)) for (const element of value) visitLeaves(element, path, depth + 1, visit);
      return;
    }
    if (!isRecord(value)) return;
    value = value[step as string];
  }
  visit(value);
}

function parsePath(text: string): Path {
  return text
    .split('.')
    .flatMap((member) => (member.endsWith('[]') ? [member.slice(0, -2), EACH] : [member]));
}

function hasId(value: unknown): value is RemoteObjectWithId {
  const objectId = (value as RemoteObject | null | undefined)?.objectId;
  return typeof objectId === 'string' && objectId !== '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * The form of object ids. Today's ids read `isolate.context.number`. The protocol does not promise that form, so little depends on
 * it: it tells which ids end with a destroyed context, and makes look-ups faster. An id of any other form belongs to the context
 * without a name, which only the session's end destroys.
 *
 * Ids have 43 characters at most. A page cannot choose them; a broken peer could.
 */
const LONGEST_PARSED_ID = 128;

/** Whether a text is short enough to be an id. */
export function mayBeId(text: string): boolean {
  return text.length > 0 && text.length <= LONGEST_PARSED_ID;
}

/** The beginning of all ids of one context, `isolate.context.`; `''` for an id of another form. */
export function contextPrefixOf(objectId: string): string {
  const first = objectId.indexOf('.');
  const second = objectId.indexOf('.', first + 1);
  const hasContext = first > 0 && second > first + 1 && objectId.length <= LONGEST_PARSED_ID;
  return hasContext ? objectId.slice(0, second + 1) : '';
}

/** Whether an id belongs to the context with this prefix. Quicker than taking the id apart. */
export const hasContextPrefix = (objectId: string, prefix: string): boolean =>
  prefix !== '' && objectId.length <= LONGEST_PARSED_ID && objectId.startsWith(prefix);

/** The protocol's `executionContextId` from a prefix; `undefined` if the ids do not tell it. */
export function executionContextIdOf(prefix: string): number | undefined {
  const parsed = Number(prefix.slice(0, -1).split('.')[1]);
  return prefix !== '' && Number.isInteger(parsed) ? parsed : undefined;
}
