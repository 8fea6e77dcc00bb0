import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import {
  type CommandShape,
  forEachNamedId,
  forEachRemoteObject,
  mintsOf,
  type Params,
  shapeOf,
  withTranslatedIds,
} from '../../src/handles/protocol.ts';

function shape(method: string): CommandShape {
  const found = shapeOf(method);
  if (found === undefined) throw new Error(`no shape of ${method}`);
  return found;
}

function minted(paths: CommandShape['mints'], root: unknown): string[] {
  const ids: string[] = [];
  forEachRemoteObject(root, paths, ({ objectId }) => ids.push(objectId));
  return ids;
}

function named(method: string, params: unknown): string[] {
  const ids: string[] = [];
  forEachNamedId(params, shape(method).names, (id) => ids.push(id));
  return ids;
}

test('the generated description is what the script makes of the installed devtools-protocol', async () => {
  const script = fileURLToPath(new URL('../../scripts/generate-protocol.mjs', import.meta.url));
  await expect(promisify(execFile)(process.execPath, [script, '--check'])).resolves.toBeDefined();
});

describe('where remote objects sit', () => {
  const object = (objectId: string) => ({ type: 'object', objectId });

  test('in the answer to an evaluation: the result, and the exception', () => {
    const answer = { result: object('a'), exceptionDetails: { text: '', exception: object('b') } };
    expect(minted(shape('Runtime.evaluate').mints, answer)).toEqual(['a', 'b']);
    expect(minted(shape('Runtime.callFunctionOn').mints, answer)).toEqual(['a', 'b']);
    expect(minted(shape('Runtime.awaitPromise').mints, answer)).toEqual(['a', 'b']);
    expect(minted(shape('Runtime.runScript').mints, answer)).toEqual(['a', 'b']);
  });

  test('in a listing of properties: values, getters, setters, symbols, internal and private ones', () => {
    const answer = {
      result: [
        { name: '0', value: object('a') },
        { name: '1', get: object('b'), set: object('c'), symbol: object('d') },
        { name: '2', value: { type: 'number', value: 1 } },
      ],
      internalProperties: [{ name: '[[Prototype]]', value: object('e') }, { name: 'none' }],
      privateProperties: [{ name: '#x', value: object('f'), get: object('g'), set: object('h') }],
      exceptionDetails: { exception: object('i') },
    };
    expect(minted(shape('Runtime.getProperties').mints, answer).sort()).toEqual([...'abcdefghi']);
  });

  test('in the answers of other domains', () => {
    expect(minted(shape('DOM.resolveNode').mints, { object: object('a') })).toEqual(['a']);
    expect(minted(shape('Runtime.queryObjects').mints, { objects: object('a') })).toEqual(['a']);
    expect(minted(shape('HeapProfiler.getObjectByHeapObjectId').mints, { result: object('a') })).toEqual([
      'a',
    ]);
    expect(minted(shape('Animation.resolveAnimation').mints, { remoteObject: object('a') })).toEqual(['a']);
    expect(minted(shape('Debugger.evaluateOnCallFrame').mints, { result: object('a') })).toEqual(['a']);
  });

  test('in events', () => {
    expect(minted(mintsOf('Runtime.consoleAPICalled') ?? [], { args: [object('a'), object('b')] })).toEqual([
      'a',
      'b',
    ]);
    expect(
      minted(mintsOf('Runtime.exceptionThrown') ?? [], { exceptionDetails: { exception: object('a') } }),
    ).toEqual(['a']);
    expect(minted(mintsOf('Runtime.inspectRequested') ?? [], { object: object('a') })).toEqual(['a']);
    const frames = {
      callFrames: [{ this: object('a'), scopeChain: [{ object: object('b') }], returnValue: object('c') }],
    };
    expect(minted(mintsOf('Debugger.paused') ?? [], frames).sort()).toEqual(['a', 'b', 'c']);
    expect(mintsOf('Page.loadEventFired')).toBeUndefined();
  });

  test('commands that have nothing to do with them have no shape', () => {
    for (const method of ['Page.navigate', 'Input.dispatchMouseEvent', 'toString', '__proto__', '']) {
      expect(shapeOf(method)).toBeUndefined();
    }
  });
});

test('what a command names: targets, arguments, promises, prototypes', () => {
  const params = { objectId: 'a', arguments: [{ objectId: 'b' }, { value: 1 }, { objectId: 'c' }] };
  expect(named('Runtime.callFunctionOn', params)).toEqual(['a', 'b', 'c']);
  expect(named('Runtime.awaitPromise', { promiseObjectId: 'a' })).toEqual(['a']);
  expect(named('Runtime.queryObjects', { prototypeObjectId: 'a' })).toEqual(['a']);
  for (const method of [
    'Runtime.getProperties',
    'DOM.describeNode',
    'DOM.setFileInputFiles',
    'DOM.scrollIntoViewIfNeeded',
  ]) {
    expect(named(method, { objectId: 'a' }), method).toEqual(['a']);
  }
});

test('which commands take a group and which inherit one', () => {
  expect(shape('Runtime.evaluate')).toMatchObject({ takesGroup: true, inheritsGroup: false });
  expect(shape('Runtime.callFunctionOn')).toMatchObject({ takesGroup: true, inheritsGroup: true });
  expect(shape('Runtime.getProperties')).toMatchObject({ takesGroup: false, inheritsGroup: true });
  expect(shape('Runtime.awaitPromise')).toMatchObject({ takesGroup: false, inheritsGroup: true });
  expect(shape('DOM.resolveNode')).toMatchObject({ takesGroup: true, inheritsGroup: false });
});

describe('translation of ids', () => {
  const upper = (id: string): string => id.toUpperCase();
  const { names } = shape('Runtime.callFunctionOn');

  test("copies what changes and only that, and leaves the client's own parameters alone", () => {
    const untouched = { nested: true };
    const params = {
      objectId: 'a',
      arguments: [{ objectId: 'b' }, { value: untouched }],
      functionDeclaration: 'f',
    };
    const before = structuredClone(params);
    const translated = withTranslatedIds(params, names, upper) as typeof params;
    expect(params).toEqual(before);
    expect(translated).toEqual({
      objectId: 'A',
      arguments: [{ objectId: 'B' }, { value: untouched }],
      functionDeclaration: 'f',
    });
    expect(translated.arguments[1]).toBe(params.arguments[1]);
  });

  test('gives back the very same object where nothing changes', () => {
    const params = { objectId: 'a', arguments: [{ objectId: 'b' }] };
    expect(withTranslatedIds(params, names, (id) => id)).toBe(params);
  });
});

describe('shapes that no browser sends', () => {
  const cyclic: Params = {};
  cyclic.result = cyclic;
  cyclic.value = cyclic;
  const hostile: unknown[] = [
    undefined,
    null,
    42,
    'text',
    [],
    [[[]]],
    {},
    { result: null },
    { result: [null, undefined, 1, [], { value: null }] },
    { result: { length: 5 } },
    { result: { objectId: 1 } },
    { result: { objectId: '' } },
    { result: { objectId: { toString: () => 'a' } } },
    { exceptionDetails: 'none' },
    { objectId: 1, arguments: 'none', promiseObjectId: {}, prototypeObjectId: [] },
    { arguments: [null, 1, { objectId: null }] },
    Object.create(null),
    cyclic,
  ];

  test.each(hostile.map((root, index) => [index, root]))(
    'nothing is found in them, and nothing throws (%i)',
    (_, root) => {
      for (const method of [
        'Runtime.evaluate',
        'Runtime.callFunctionOn',
        'Runtime.getProperties',
        'Runtime.awaitPromise',
      ]) {
        expect(minted(shape(method).mints, root)).toEqual([]);
        expect(named(method, root)).toEqual([]);
        expect(withTranslatedIds(root as Params, shape(method).names, () => 'x')).toBe(root);
      }
      for (const event of ['Runtime.consoleAPICalled', 'Debugger.paused'])
        expect(minted(mintsOf(event) ?? [], root)).toEqual([]);
    },
  );
});
