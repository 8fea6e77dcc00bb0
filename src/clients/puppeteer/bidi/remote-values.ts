/**
 * Where WebDriver BiDi has handles: in what a command names, and in what an answer or an event mints. Of a value
 * that is serialized only its root can own a handle, so there are few places. Reading never throws on a
 * shape that the protocol does not promise; it finds nothing there.
 */

/** The protocol's `RemoteValue` where it owns a handle. Puppeteer's handle holds this very object. */
export interface OwningValue {
  readonly type?: string | undefined;
  readonly handle: string;
}

/** What an answer of `script.evaluate` or `script.callFunction` tells. */
export interface EvaluateResult {
  readonly realm: string;
  readonly isException: boolean;
  /** The result, or what was thrown; `undefined` where it owns no handle. */
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

/** The values that an event hands to the client, which owns them from then on. */
export function valuesOfEvent(event: string, params: unknown): readonly OwningValue[] {
  if (event === 'script.message') return listOf(owning(member(params, 'data')));
  if (event !== 'log.entryAdded') return NONE;
  const args = member(params, 'args');
  return Array.isArray(args) ? args.flatMap((arg: unknown) => listOf(owning(arg))) : NONE;
}

/** Calls `visit` with each handle that a command names, wherever in its parameters; those of CDP passed through it too. */
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

/** The handles of a `script.disown`; `undefined` where it has not the form of one, and the browser says what is wrong. */
export function disownedHandlesOf(params: unknown): readonly string[] | undefined {
  const handles = member(params, 'handles');
  const isList = Array.isArray(handles) && handles.every((handle) => typeof handle === 'string');
  return isList ? handles : undefined;
}

/** A member of whatever it may be. */
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
