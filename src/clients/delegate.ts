/**
 * Makes a delegate: an object that stands for another, with some members wrapped. It is no Proxy, because private members throw
 * through one. It does not inherit, because methods may be bound to the original already. It is a plain object that reads the
 * original each time.
 *
 * Invariant: a member that is set on either of the two, at any time, is seen through both.
 */

/** Makes the delegate's member from the original's. */
type Wrap = (member: never) => unknown;

/** @param wraps wrappers by the member's name. */
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
      // A program that puts an earlier value back puts the original's own member back.
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
  // Bound, because a method may read private members of the original. A class is not called as a method, so it is not bound.
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
