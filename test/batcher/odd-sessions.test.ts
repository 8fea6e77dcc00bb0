// Whatever object is handed over as a session, nothing of it is touched outside a guard, and what it does to itself no
// other session of the same batcher feels.
import { describe, expect, it } from 'vitest';
import type { ReleaseSession } from '../../src/batcher/release.ts';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { attach } from '../../src/clients/session.ts';
import { expectAtRest } from '../support/conservation.ts';
import { FakePeer } from '../support/fake-peer.ts';
import { expectNoUnhandledRejections } from '../support/unhandled-rejections.ts';
import { ScriptedSession } from './scripted-session.ts';

expectNoUnhandledRejections();

const fail = (name: string | symbol): never => {
  throw new Error(`no member ${String(name)}`);
};

/** Throws for each member that it does not have, as test doubles and sandboxes do. */
function strict<Target extends object>(target: Target): Target {
  return new Proxy(target, {
    get: (object, name) => (name in object || name === 'then' ? Reflect.get(object, name) : fail(name)),
  });
}

/** A stub for calls to somewhere else: every member is a function, and only a call tells whether it is there. */
function remote(target: ReleaseSession): ReleaseSession {
  const call = (name: string | symbol, given: unknown[]): unknown => {
    const member: unknown = Reflect.get(target, name);
    return typeof member === 'function' ? Reflect.apply(member, target, given) : fail(name);
  };
  return new Proxy((() => {}) as unknown as ReleaseSession, {
    get: (_, name) => (name === 'then' ? undefined : async (...given: unknown[]) => call(name, given)),
  });
}

const everyTrapThrows = (target: ReleaseSession): ReleaseSession =>
  new Proxy(target, {
    get: (object, name) => (name === 'send' ? object.send.bind(object) : fail(name)),
    has: (_, name) => fail(name),
    getOwnPropertyDescriptor: (_, name) => fail(name),
    getPrototypeOf: () => fail('prototype'),
  });

describe.each([
  ['a strict Proxy', strict],
  ['a stub for remote calls', remote],
  ['a Proxy of which every trap but that of `send` throws', everyTrapThrows],
])('%s', (_, wrap) => {
  it('is released through, and the session beside it is served', async () => {
    const [inner, healthy] = [new ScriptedSession(), new ScriptedSession()];
    const session = wrap(inner);
    const batcher = new ReleaseBatcher({ releaseTimeoutMs: 1_000 });
    expect(batcher.release(session, '1.1.1')).toBe(true);
    expect(batcher.release(healthy, '1.1.2')).toBe(true);
    expect(batcher.releaseGroup(session, 'group')).toBe(true);
    expect(await batcher.flush()).toMatchObject({ complete: true, released: 2, failed: 0 });
    expect(inner.sent.map(({ method }) => method)).toEqual([
      'Runtime.releaseObject',
      'Runtime.releaseObjectGroup',
    ]);
    expect(healthy.ids).toEqual(['1.1.2']);
    expectAtRest(batcher.stats());
  });
});

it('a session that attaches is left alone but for what it has', async () => {
  const inner = new FakePeer().attach();
  const session = strict({
    send: (method: string, params?: Record<string, unknown>) => inner.send(method, params),
    on: (event: string, listener: (params: unknown) => void) => inner.on(event, listener),
  });
  const releases = attach(session, { track: true });
  const { result } = (await session.send('Runtime.evaluate', { expression: '({})' })) as {
    result: { objectId: string };
  };
  await session.send('Runtime.releaseObject', { objectId: result.objectId });
  expect(await releases.flush()).toMatchObject({ complete: true, released: 1 });
  releases.detach();
  expectAtRest(releases.stats());
});

it('an error limit that cannot be set is left as it is', async () => {
  const before = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit');
  const limits: unknown[] = [];
  try {
    Object.defineProperty(Error, 'stackTraceLimit', { value: 7, writable: false, configurable: true });
    const batcher = new ReleaseBatcher();
    batcher.release({ send: async () => void limits.push(Error.stackTraceLimit) }, '1.1.1');
    expect(await batcher.flush()).toMatchObject({ complete: true, released: 1 });
    expectAtRest(batcher.stats());
  } finally {
    if (before !== undefined) Object.defineProperty(Error, 'stackTraceLimit', before);
  }
  expect(limits).toEqual([7]);
});

describe('what is no command is answered by the client itself', () => {
  it.each([
    ['no method', undefined, undefined],
    ['a number', 7, undefined],
    ['parameters that are no object', 'Runtime.evaluate', 'expression'],
  ])('%s', async (_, method, params) => {
    const given: unknown[] = [];
    const session = {
      send(...sent: unknown[]): Promise<unknown> {
        given.push(sent);
        return Promise.reject(new Error("the client's own"));
      },
      on() {},
    };
    const releases = attach(session, { track: true });
    await expect(session.send(method, params)).rejects.toThrow("the client's own");
    expect(given.at(-1)).toEqual([method, params]);
    releases.detach();
  });
});
