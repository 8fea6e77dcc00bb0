/**
 * An object that stands for another, some of whose members are wrapped. Neither a Proxy, through which private members would
 * throw, nor an heir, whose methods may be bound to the original already: a plain object that asks the original each time.
 *
 * Invariant: what is set on either, at any time, is seen through both.
 */

/** Makes of a member of the original what the delegate shows in its place. */
type Wrap = (member: never) => unknown;

/** @param wraps by the member's name. */
export function delegateTo<Original extends object>(
  original: Original,
  wraps: Readonly<Record<string, Wrap>>,
): Original {
  const delegate = {};
  for (const name of memberNames(original)) {
    const wrap = typeof name === 'string' && Object.hasOwn(wraps, name) ? wraps[name] : undefined;
    const wrappers = new WeakMap<object, object>();
    const originals = new WeakMap<object, object>();
    Object.defineProperty(delegate, name, {
      enumerable: true,
      configurable: true,
      get: () => {
        if (wrap === undefined) return memberOf(original, name);
        const member: unknown = Reflect.get(original, name);
        if (!isObject(member)) return member;
        const wrapper = wrappers.get(member) ?? wrap(member as never);
        if (isObject(wrapper)) {
          wrappers.set(member, wrapper);
          originals.set(wrapper, member);
        }
        return wrapper;
      },
      // Who puts back what was here before puts back the original's own.
      set: (value: unknown) =>
        Reflect.set(original, name, isObject(value) ? (originals.get(value) ?? value) : value),
    });
  }
  return delegate as Original;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function memberOf(original: object, name: string | symbol): unknown {
  const member: unknown = Reflect.get(original, name);
  // Bound, for its private members; a class is none that could be called.
  return typeof member === 'function' && !isClass(member) ? member.bind(original) : member;
}

function memberNames(object: object): Set<string | symbol> {
  const names = new Set<string | symbol>();
  for (
    let current: object | null = object;
    current !== null && current !== Object.prototype;
    current = Object.getPrototypeOf(current) as object | null
  ) {
    for (const name of Reflect.ownKeys(current)) if (name !== 'constructor') names.add(name);
  }
  return names;
}

function isClass(member: object): boolean {
  return Object.getOwnPropertyDescriptor(member, 'prototype')?.writable === false;
}
