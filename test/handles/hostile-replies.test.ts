// What a browser that is broken, or is not one, could answer: none of it may throw into the client, touch a prototype,
// or stay when the objects are gone.
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  contextPrefixOf,
  forEachNamedId,
  forEachRemoteObject,
  mintsOf,
  shapeOf,
  withTranslatedIds,
} from '../../src/handles/protocol.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer } from './attached-peer.ts';

function nested(depth: number): unknown {
  let value: unknown = [];
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

/** As it would come off the wire: `__proto__` is a member like any other. */
const HOSTILE: Readonly<Record<string, unknown>> = {
  'arrays nested thousands deep': nested(3_000),
  'an object that cannot be made a string': JSON.parse('{"toString":1,"valueOf":1}'),
  'an object with a member __proto__': JSON.parse('{"__proto__":{"polluted":true}}'),
  'a lone surrogate': '\ud800',
  'control characters': '\u0000\u001b[2J\u009b',
  'a number': 42,
  nothing: null,
  'a list of nothing': [null, null],
  'a million characters': 'x'.repeat(1_000_000),
};

const prototypes = [Object.prototype, Array.prototype, Map.prototype, Function.prototype];
const membersBefore = prototypes.map((prototype) => Reflect.ownKeys(prototype).length);
afterEach(() => {
  expect(prototypes.map((prototype) => Reflect.ownKeys(prototype).length)).toEqual(membersBefore);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

describe.each(Object.entries(HOSTILE))('%s', (_, value) => {
  const options = { traceLeaks: true, consoleEntries: 'discard' } as const;

  test('in any place of an event', async () => {
    await using world = new AttachedPeer(options);
    const { session } = world.open();
    const events: [string, unknown][] = [
      ['Runtime.consoleAPICalled', value],
      ['Runtime.consoleAPICalled', { args: value }],
      ['Runtime.consoleAPICalled', { args: [value] }],
      [
        'Runtime.consoleAPICalled',
        { args: [{ type: value, subtype: value, className: value, objectId: value }] },
      ],
      [
        'Runtime.consoleAPICalled',
        { args: [{ type: value, subtype: value, objectId: '7.7.1' }], stackTrace: value },
      ],
      [
        'Runtime.consoleAPICalled',
        { args: [{ type: value, objectId: '7.7.2' }], stackTrace: { callFrames: value } },
      ],
      [
        'Runtime.consoleAPICalled',
        {
          args: [{ objectId: '7.7.3' }],
          stackTrace: { callFrames: [{ url: value, lineNumber: value, columnNumber: value }] },
        },
      ],
      ['Runtime.exceptionThrown', { exceptionDetails: value }],
      [
        'Runtime.exceptionThrown',
        {
          exceptionDetails: {
            exception: { objectId: '7.7.4', subtype: value },
            url: value,
            lineNumber: value,
            stackTrace: value,
          },
        },
      ],
      ['Runtime.executionContextDestroyed', value],
      ['Runtime.executionContextDestroyed', { executionContextId: value }],
      ['Runtime.executionContextsCleared', value],
      ['Inspector.targetCrashed', value],
    ];
    for (const [name, params] of events) expect(() => session.emit(name, params), name).not.toThrow();
    await turns();
    expect(() => world.attachment.leaks()).not.toThrow();
    await world.rest();
  });

  test('in any place of an answer', async () => {
    await using world = new AttachedPeer(options);
    const session = world.open();
    const results: unknown[] = [
      value,
      { result: value },
      { result: { type: value, subtype: value, objectId: value } },
      { result: { type: value, subtype: value, description: value, objectId: '7.7.1' } },
      { result: [value, { value: { type: value, objectId: '7.7.2' } }], internalProperties: value },
      { exceptionDetails: value },
      { exceptionDetails: { exception: { subtype: value, objectId: '7.7.3' }, stackTrace: value } },
    ];
    for (const method of ['Runtime.evaluate', 'Runtime.getProperties', 'DOM.resolveNode']) {
      for (const result of results) {
        using _ = world.peer.outbound.rewrite(
          (message) => 'command' in message && message.command.method === method,
          ({ error: _error, ...message }: { error?: unknown } & object) => ({ ...message, result }) as never,
        );
        const answer = session.send(method, { expression: '1', objectId: '7.7.1', nodeId: 1 });
        expect(JSON.stringify(await answer), method).toBe(JSON.stringify(result));
      }
    }
    expect(() => world.attachment.leaks()).not.toThrow();
    await world.rest();
  });
});

test('a cyclic parameter throws within the call, as it does without us, and holds nothing afterwards', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  const cyclic: Record<string, unknown> = {
    objectId: handle.objectId,
    functionDeclaration: 'function() {}',
  };
  cyclic.arguments = [{ objectId: handle.objectId, cyclic }];
  expect(() => session.send('Runtime.callFunctionOn', cyclic)).toThrow(/circular/);
  world.collector.collect(handle);
  await world.rest();
  expect(world.stats).toMatchObject({ live: 0, queued: 0, released: 1 });
});

test('an event nested 10,000 deep', async () => {
  await using world = new AttachedPeer({ traceLeaks: true });
  const { session } = world.open();
  const value = nested(10_000);
  const stackTrace = { callFrames: [{ url: value }] };
  const args = [{ type: value, subtype: value, objectId: '7.7.1' }];
  expect(() => session.emit('Runtime.consoleAPICalled', { args, stackTrace })).not.toThrow();
  expect(world.attachment.leaks()).toHaveLength(1);
});

describe('whatever it is given', () => {
  const anything = fc.anything({ withNullPrototype: true, withSparseArray: true, maxDepth: 4 });
  const methods = ['Runtime.callFunctionOn', 'Runtime.getProperties', 'Runtime.evaluate', 'DOM.requestNode'];

  test('the reader of remote objects throws nothing, and visits only objects with an id', () => {
    fc.assert(
      fc.property(anything, (value) => {
        for (const paths of [
          ...methods.map((method) => shapeOf(method)?.mints),
          mintsOf('Runtime.consoleAPICalled'),
        ]) {
          forEachRemoteObject(
            { args: [value], result: value, exceptionDetails: value },
            paths ?? [],
            ({ objectId }) => {
              expect(typeof objectId).toBe('string');
              expect(objectId).not.toBe('');
            },
          );
        }
      }),
    );
  });

  test('the translation of ids changes those ids, in a copy, and nothing else', () => {
    const params = fc.record({
      objectId: fc.string(),
      arguments: fc.array(fc.record({ objectId: fc.string(), value: anything })),
      rest: anything,
    });
    fc.assert(
      fc.property(params, (given) => {
        const names = shapeOf('Runtime.callFunctionOn')?.names ?? [];
        const ids: string[] = [];
        const translated = withTranslatedIds(given, names, (id) => `new ${id}`);
        forEachNamedId(translated, names, (id) => ids.push(id));
        expect(ids.sort()).toEqual(
          [given.objectId, ...given.arguments.map(({ objectId }) => objectId)]
            .map((id) => `new ${id}`)
            .sort(),
        );
        expect(translated.rest).toBe(given.rest);
        expect(withTranslatedIds(given, names, (id) => id)).toBe(given);
      }),
    );
  });

  test('an id’s prefix is one of its own, ends behind its second point, and is none for a long id', () => {
    const id = fc.oneof(
      fc.string(),
      fc.stringMatching(/^-?\d*\.-?\d*\.-?\d*$/),
      fc.string({ minLength: 129, maxLength: 200 }),
    );
    fc.assert(
      fc.property(id, (objectId) => {
        const prefix = contextPrefixOf(objectId);
        expect(objectId.startsWith(prefix)).toBe(true);
        if (objectId.length > 128) expect(prefix).toBe('');
        if (prefix !== '') expect(prefix.split('.')).toHaveLength(3);
      }),
    );
  });
});
