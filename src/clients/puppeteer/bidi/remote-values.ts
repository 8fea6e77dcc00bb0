/**
 * The places where WebDriver BiDi has handles: in the parameters of a command, and in an answer or an event that mints. Of
 * a serialized value only the root can own a handle, so there are few places. A message of an unexpected form has no
 * handles; reading it never throws.
 */

/** A `RemoteValue` of the protocol that owns a handle. Puppeteer's handle holds this very object. */
export interface OwningValue {
  readonly type?: string | undefined;
  readonly handle: string;
}

/** An answer of `script.evaluate` or `script.callFunction`. */
export interface EvaluateResult {
  readonly realm: string;
  readonly isException: boolean;
  /** The result, or the value that was thrown; `undefined` if it owns no handle. */
  readonly value: OwningValue | undefined;
}

export function evaluateResultOf(answer: unknown): EvaluateResult | undefined {
  const result = member(answer, 'result');
  const realm = member(result, 'realm');
  if (typeof realm !== 'string') return undefined;
  const isException = member(result, 'type') === 'exception';
  const value = isException
    ? member(member(result, 'exceptionDetails'), 'exception')
    : member(result, 'result');
  return { realm, isException, value: owning(value) };
}

/** The values that an event hands to the client. The client owns them from then on. */
export function valuesOfEvent(event: string, params: unknown): readonly OwningValue[] {
  if (event === 'script.message') return listOf(owning(member(params, 'data')));
  if (event !== 'log.entryAdded') return NONE;
  const args = member(params, 'args');
  return Array.isArray(args) ? args.flatMap((arg: unknown) => listOf(owning(arg))) : NONE;
}

/**
 * Calls `visit` with each handle that a command names, wherever it stands in the parameters; also for commands of CDP that
 * are passed through.
 */
export function forEachNamedHandle(params: unknown, visit: (handle: string) => void): void {
  const seen = new Set<object>();
  const walk = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    if (Array.isArray(value)) {
      for (const element of value) walk(element);
      return;
    }
    for (const [name, inner] of Object.entries(value)) {
      if (typeof inner !== 'string') walk(inner);
      else if (name === 'handle' || name === 'objectId') visit(inner);
    }
  };
  walk(params);
}

/**
 * The handles of a `script.disown`; `undefined` if the parameters have another form: the browser says what is wrong with them.
 */
export function disownedHandlesOf(params: unknown): readonly string[] | undefined {
  const handles = member(params, 'handles');
  const isList = Array.isArray(handles) && handles.every((handle) => typeof handle === 'string');
  return isList ? handles : undefined;
}

/** A member of any value. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function owning(value: unknown): OwningValue | undefined {
  const handle = member(value, 'handle');
  return typeof handle === 'string' && handle !== '' ? (value as OwningValue) : undefined;
}

function listOf(value: OwningValue | undefined): readonly OwningValue[] {
  return value === undefined ? NONE : [value];
}

const NONE: readonly never[] = [];
