// The locations of remote objects and ids, against a reading of the same description by a few lines of another kind.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COMMANDS, EVENTS } from '../../src/handles/protocol.generated.ts';
import {
  forEachNamedId,
  forEachRemoteObject,
  mintsOf,
  type Params,
  shapeOf,
  withTranslatedIds,
} from '../../src/handles/protocol.ts';

const MEMBERS = [...Object.values(COMMANDS).flatMap(({ mints, names }) => [...mints, ...names])]
  .concat(...Object.values(EVENTS))
  .flatMap((path) => path.replaceAll('[]', '').split('.'));
const key = fc.oneof(
  fc.constantFrom('objectId', ...new Set(MEMBERS)),
  fc.constantFrom('length', 'constructor'),
);
const leaf = fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom(null, undefined, 0, 1, true));
/** What a peer may send: members that the description knows, in whatever order and depth. */
const { value: anyShape } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'large', withCrossShrink: true },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5 }),
  ),
}));

/** A value in which every path leads somewhere, for most of its way. */
function along(paths: readonly string[]): fc.Arbitrary<unknown> {
  const path = paths.length === 0 ? fc.constant('') : fc.constantFrom(...paths);
  return fc.array(fc.tuple(path, anyShape, fc.nat({ max: 2 })), { maxLength: 4 }).map((placed) => {
    const root: Record<string, unknown> = {};
    for (const [text, value, siblings] of placed) place(root, text.split('.'), value, siblings);
    return root;
  });
}

function place(
  root: Record<string, unknown>,
  steps: readonly string[],
  value: unknown,
  siblings: number,
): void {
  const [step = '', ...rest] = steps;
  const name = step.replace('[]', '');
  const inner: Record<string, unknown> = {};
  const end = rest.length === 0 ? value : inner;
  if (rest.length > 0) place(inner, rest, value, siblings);
  root[name] = step.endsWith('[]') ? [...Array(siblings).fill(null), end] : end;
}

/** All that a path leads to, by breadth. */
function leavesAt(root: unknown, path: string): unknown[] {
  return path.split('.').reduce<unknown[]>(
    (values, step) => {
      const isEach = step.endsWith('[]');
      const members = values
        .filter((value) => typeof value === 'object' && value !== null)
        .map((value) => (value as Record<string, unknown>)[isEach ? step.slice(0, -2) : step]);
      return isEach ? members.filter(Array.isArray).flat(1) : members;
    },
    [root],
  );
}

const methods = Object.keys(COMMANDS);

test.each(methods)('%s: each remote object and each id is found once, and nothing else', (method) => {
  const { mints, names } = COMMANDS[method] ?? { mints: [], names: [] };
  const shape = shapeOf(method);
  if (shape === undefined) throw new Error(`no shape of ${method}`);
  const root = fc.oneof(along([...mints, ...names]), anyShape);
  fc.assert(
    fc.property(root, (value) => {
      const before = JSON.stringify(value);
      expect(mintedIn(value, shape.mints)).toEqual(mintedAt(value, mints));

      const ids: string[] = [];
      forEachNamedId(value, shape.names, (id) => ids.push(id));
      const named = names.flatMap((path) => leavesAt(value, path)).filter((id) => typeof id === 'string');
      expect(ids).toEqual(named);

      const translated = withTranslatedIds(value as Params, shape.names, (id) => `${id}'`);
      expect(JSON.stringify(value)).toBe(before);
      expect(
        names.flatMap((path) => leavesAt(translated, path)).filter((id) => typeof id === 'string'),
      ).toEqual(named.map((id) => `${id}'`));
      expect(withTranslatedIds(translated, shape.names, (id) => id.slice(0, -1))).toEqual(value);
      expect(withTranslatedIds(value as Params, shape.names, (id) => id)).toBe(value);
      if (named.length === 0) expect(translated).toBe(value);
    }),
    { numRuns: 60 },
  );
});

test.each(Object.keys(EVENTS))('%s: each remote object is found once, and nothing else', (event) => {
  const paths = EVENTS[event] ?? [];
  fc.assert(
    fc.property(fc.oneof(along(paths), anyShape), (value) => {
      expect(mintedIn(value, mintsOf(event) ?? [])).toEqual(mintedAt(value, paths));
    }),
    { numRuns: 60 },
  );
});

test('methods of any name are known or not, and none by accident', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.constantFrom(...Object.getOwnPropertyNames(Object.prototype))),
      (name) => {
        if (methods.includes(name)) return;
        expect(shapeOf(name)).toBeUndefined();
        if (!Object.keys(EVENTS).includes(name)) expect(mintsOf(name)).toBeUndefined();
      },
    ),
  );
});

function mintedIn(value: unknown, paths: Parameters<typeof forEachRemoteObject>[1]): unknown[] {
  const found: unknown[] = [];
  forEachRemoteObject(value, paths, (remoteObject, ordinal) => {
    expect(ordinal).toBe(found.length);
    found.push(remoteObject);
  });
  return found;
}

function mintedAt(value: unknown, paths: readonly string[]): unknown[] {
  return paths
    .flatMap((path) => leavesAt(value, path))
    .filter((leaf) => typeof (leaf as { objectId?: unknown } | null)?.objectId === 'string')
    .filter((leaf) => (leaf as { objectId: string }).objectId !== '');
}
