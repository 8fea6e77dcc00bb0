/**
 * An object that stands for another, with a few members of its own. Neither a Proxy, through which private members would
 * throw, nor an heir, whose methods may be bound to the original already: a plain object that asks the original each time.
 */

/** @param overrides by name, what is the delegate's own. */
export function delegateTo<Original extends object>(
  original: Original,
  overrides: Readonly<Record<string, unknown>>,
): Original {
  const delegate = {};
  for (const name of memberNames(original)) {
    Object.defineProperty(delegate, name, {
      enumerable: true,
      configurable: true,
      get: () => memberOf(original, name),
      set: (value: unknown) => Reflect.set(original, name, value),
    });
  }
  for (const [name, value] of Object.entries(overrides)) {
    Object.defineProperty(delegate, name, { value, enumerable: true, configurable: true, writable: true });
  }
  return delegate as Original;
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
