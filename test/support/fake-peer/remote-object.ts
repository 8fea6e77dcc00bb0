/**
 * Describes a value as the protocol's RemoteObject: whatever has an identity is bound to an id, the rest
 * goes by value.
 */
import { types } from 'node:util';
import { serverFault } from './protocol.ts';

export interface RemoteObject {
  readonly type: string;
  readonly subtype?: string;
  readonly className?: string;
  readonly description?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly objectId?: string;
}

/** Gives an object an id. */
export type Bind = (value: unknown) => string;

export function describeValue(value: unknown, bind: Bind): RemoteObject {
  switch (typeof value) {
    case 'undefined':
      return { type: 'undefined' };
    case 'string':
    case 'boolean':
      return { type: typeof value, value };
    case 'number':
      return describeNumber(value);
    case 'bigint':
      return { type: 'bigint', unserializableValue: `${value}n`, description: `${value}n` };
    case 'symbol':
      return { type: 'symbol', description: String(value), objectId: bind(value) };
    case 'function':
      return { type: 'function', className: 'Function', description: String(value), objectId: bind(value) };
    case 'object':
      return value === null ? { type: 'object', subtype: 'null', value } : describeObject(value, bind);
  }
}

/** As `describeValue`, but an object goes as a copy, and nothing is bound. */
export function describeByValue(value: unknown): RemoteObject {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (!isObject) return describeValue(value, () => '');
  try {
    return { type: typeof value, value: JSON.parse(JSON.stringify(value) ?? '{}') };
  } catch {
    throw serverFault('Object reference chain is too long');
  }
}

export interface PropertyDescriptors {
  readonly result: readonly Readonly<Record<string, unknown>>[];
  readonly internalProperties: readonly { readonly name: string; readonly value: RemoteObject }[];
}

/** Describes an object's properties; those of its prototypes, too, unless `ownProperties`. */
export function describeProperties(object: object, ownProperties: boolean, bind: Bind): PropertyDescriptors {
  const result: Record<string, unknown>[] = [];
  let holder: object | null = object;
  while (holder) {
    for (const key of Reflect.ownKeys(holder)) {
      const descriptor = Reflect.getOwnPropertyDescriptor(holder, key);
      if (descriptor) result.push(describeProperty(key, descriptor, holder === object, bind));
    }
    holder = ownProperties ? null : Reflect.getPrototypeOf(holder);
  }
  const prototype = describeValue(Reflect.getPrototypeOf(object), bind);
  return { result, internalProperties: [{ name: '[[Prototype]]', value: prototype }] };
}

function describeProperty(
  key: string | symbol,
  descriptor: PropertyDescriptor,
  isOwn: boolean,
  bind: Bind,
): Record<string, unknown> {
  const { configurable, enumerable } = descriptor;
  const isAccessor = descriptor.get !== undefined || descriptor.set !== undefined;
  return {
    name: String(key),
    ...(isAccessor
      ? { get: describeValue(descriptor.get, bind), set: describeValue(descriptor.set, bind) }
      : { value: describeValue(descriptor.value, bind), writable: descriptor.writable }),
    configurable,
    enumerable,
    isOwn,
    ...(typeof key === 'symbol' ? { symbol: describeValue(key, bind) } : {}),
  };
}

function describeNumber(value: number): RemoteObject {
  const isPlain = Number.isFinite(value) && !Object.is(value, -0);
  const description = Object.is(value, -0) ? '-0' : String(value);
  return isPlain
    ? { type: 'number', value, description }
    : { type: 'number', unserializableValue: description, description };
}

function describeObject(value: object, bind: Bind): RemoteObject {
  const className = value.constructor?.name ?? 'Object';
  const subtype = subtypeOf(value);
  return {
    type: 'object',
    ...(subtype === undefined ? {} : { subtype }),
    className,
    description: subtype === 'error' ? `${value}\n    at <anonymous>:1:1` : className,
    objectId: bind(value),
  };
}

function subtypeOf(value: object): string | undefined {
  if (types.isProxy(value)) return 'proxy';
  if (Array.isArray(value)) return 'array';
  if (types.isNativeError(value)) return 'error';
  if (types.isPromise(value)) return 'promise';
  if (types.isMap(value)) return 'map';
  if (types.isSet(value)) return 'set';
  if (types.isDate(value)) return 'date';
  if (types.isRegExp(value)) return 'regexp';
  return undefined;
}
