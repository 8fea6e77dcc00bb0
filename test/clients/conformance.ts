/**
 * What every client owes its user once attached, written once and run for each. A client's own file says how a
 * session of it is opened, hung and lost; nothing here knows which client it is. Each attachment made here is
 * held, when its test is over, to the law of conservation, and to leaving the client as it was found.
 */
import { EventEmitter } from 'node:events';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AttachOptions } from '../../src/handles/attach-options.ts';
import type { Attachment } from '../../src/handles/attachment.ts';
import { ReleaseBatcher, type ReleaseSession } from '../../src/index.ts';
import { collectUntil } from '../support/collect-until.ts';
import { expectAtRest, expectConserved } from '../support/conservation.ts';
import { givenBack } from '../support/given-back.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { lacking } from '../support/lacking.ts';

/** For `vi.waitUntil`: how long a browser may take, and how often it is looked whether it has. */
const SOON = { timeout: 60_000, interval: 1 };

export type Params = Record<string, unknown>;
/** What the client gives for an object: CDP's RemoteObject, or BiDi's RemoteValue. */
export interface Minted {
  readonly type: string;
  readonly objectId?: string;
  readonly handle?: string;
}

/** How a protocol other than CDP says what is asked of every session here. */
export interface Dialect {
  mint(): PromiseLike<Minted>;
  /** Rejects where the browser does not know the id. Mints nothing. */
  name(id: string): PromiseLike<unknown>;
}

/** One session, as the client's users have it. */
export interface SessionUnderTest {
  attach(options?: AttachOptions): Attachment;
  send(method: string, params?: Params): PromiseLike<unknown>;
  /** By the client's own idiom. */
  release(objectId: string): PromiseLike<unknown>;
  /** What a `ReleaseBatcher` by itself would be given. */
  readonly sender: ReleaseSession;
  /** Keeps the target from answering, without a word to the client; undone by what it gives. */
  hang?(): Promise<() => Promise<void>>;
  /** Ends the session in the way that users meet. */
  lose(): Promise<unknown>;
  /** Objects of the client's that an attachment may have touched. */
  readonly belongings: readonly object[];
  /** CDP where it is not there. */
  readonly dialect?: Dialect;
}

export interface ClientUnderTest {
  readonly name: string;
  /** So many sessions, with targets that have nothing to do with each other. */
  open(count: number): Promise<readonly SessionUnderTest[]>;
  /** Why its sessions cannot hang, where they cannot. */
  readonly neverHangs?: string;
  /** Why nothing is in groups, where the protocol has none; it frees a batch by one command instead. */
  readonly hasNoGroups?: string;
  /** Why it cannot run here. */
  readonly missing?: string | undefined;
}

type Send = (method: string, params?: Params) => PromiseLike<unknown>;

/** For `open`, where each session is opened by itself. */
export const each =
  (open: () => Promise<SessionUnderTest> | SessionUnderTest): ClientUnderTest['open'] =>
  (count) =>
    Promise.all(Array.from({ length: count }, open));

/** A page's session whose commands all go the same way, as one under test. */
export function plainSession(
  send: Send,
  rest: Pick<SessionUnderTest, 'attach' | 'lose' | 'belongings'>,
): SessionUnderTest {
  return {
    send,
    release: (objectId) => send('Runtime.releaseObject', { objectId }),
    sender: { send },
    hang: () => runForEver(send),
    ...rest,
  };
}

/** Keeps a page busy until the engine is told to stop that, which is heard even so. */
export async function runForEver(send: Send): Promise<() => Promise<void>> {
  const running = Promise.resolve(send('Runtime.evaluate', { expression: 'for (;;) {}' }));
  return async () => {
    await send('Runtime.terminateExecution');
    await running.catch(() => {});
  };
}

export function conform({ name, open, neverHangs, hasNoGroups, missing }: ClientUnderTest): void {
  const openOne = async (): Promise<SessionUnderTest> => (await open(1))[0] as SessionUnderTest;
  /** Commands that free so many objects, released at once and one by one. */
  const commandsFor = (count: number): number =>
    hasNoGroups === undefined ? count : Math.ceil(count / DEFAULT_BATCH);
  describe(name, lacking(missing), () => {
    it('acknowledges explicit releases at once, and sends them in the background', async () => {
      const session = await openOne();
      const releases = attached(session, { track: false });
      const ids = idsOf(await mint(session, 200));
      await Promise.all(ids.map((id) => session.release(id)));
      expect(releases.stats()).toMatchObject({ disposed: 200, queued: 200, commands: 0 });
      expect(await releases.flush()).toMatchObject({ complete: true, released: 200, pending: 0 });
      expect(releases.stats()).toMatchObject({ commands: commandsFor(200), failed: 0, gone: 0 });
      expect(await alive(session, ids)).toEqual([]);
    });

    const ofGroups = 'frees what was minted together by a few commands for groups';
    it(ofGroups, lacking(hasNoGroups), async () => {
      const session = await openOne();
      const releases = attached(session, { track: true });
      const objects = await mint(session, 200);
      const before = releases.stats();
      await Promise.all(idsOf(objects).map((id) => session.release(id)));
      expect(await releases.flush()).toMatchObject({ complete: true, released: 200 });
      const { commands, groupCommands } = releases.stats();
      expect(groupCommands - before.groupCommands).toBeGreaterThan(0);
      expect(commands - before.commands).toBeLessThan(10);
      expect(await alive(session, idsOf(objects))).toEqual([]);
    });

    it('frees them one by one where groups are off', async () => {
      const session = await openOne();
      const releases = attached(session, { track: true, groups: false });
      const objects = await mint(session, 50);
      await Promise.all(idsOf(objects).map((id) => session.release(id)));
      expect(await releases.flush()).toMatchObject({ complete: true, released: 50 });
      expect(releases.stats()).toMatchObject({ commands: commandsFor(50), groupCommands: 0 });
    });

    it('releases what was let go of, and nothing that is held', async () => {
      const session = await openOne();
      const releases = attached(session, { track: true });
      const [held] = await mint(session, 1);
      const forgotten = await mintAndForget(session, 100);
      await collectUntil(() => releases.stats().collected >= 100);
      await releases.flush();
      expect(await alive(session, forgotten)).toEqual([]);
      expect(releases.stats().live).toBe(1);
      // By its id as it is now: a survivor may have been moved.
      expect(await alive(session, idsOf(held === undefined ? [] : [held]))).toHaveLength(1);
    });

    it('keeps its hands off what was minted where tracking is off', async () => {
      const session = await openOne();
      const releases = attached(session, { track: false });
      const ids = await mintAndForget(session, 20);
      await forceCollection();
      await releases.flush();
      expect(releases.stats()).toMatchObject({ minted: 0, commands: 0 });
      expect(await alive(session, ids)).toHaveLength(20);
    });

    it('ends what is minted in a scope with it, but for what escapes', async () => {
      const session = await openOne();
      const releases = attached(session, { track: true });
      const [kept, ...ended] = await releases.scope(async () => {
        const objects = await mint(session, 100);
        releases.escape(objects[0] as Minted);
        return objects;
      });
      expect(await releases.flush()).toMatchObject({ complete: true, released: 99 });
      expect(await alive(session, idsOf(ended))).toEqual([]);
      expect(await alive(session, idsOf(kept === undefined ? [] : [kept]))).toHaveLength(1);

      const scope = (releases as Attachment & { openScope(...subject: object[]): Disposable }).openScope(
        ...session.belongings,
      );
      const covered = await mint(session, 100);
      scope[Symbol.dispose]();
      expect(await releases.flush()).toMatchObject({ complete: true, released: 100 });
      expect(await alive(session, idsOf(covered))).toEqual([]);
    });

    it('lets a hung session harm only itself', lacking(neverHangs), async () => {
      const [hung, other] = (await open(2)) as [SessionUnderTest, SessionUnderTest];
      const releases = attached(hung, { track: false });
      const others = attached(other, { track: false });
      const [stuck, free] = await Promise.all([mint(hung, 100), mint(other, 100)]);

      const resume = await hung.hang?.();
      await Promise.all(idsOf(stuck).map((id) => hung.release(id)));
      await Promise.all(idsOf(free).map((id) => other.release(id)));
      await vi.waitUntil(() => others.stats().released >= 100, SOON);
      expect(await releases.flush({ timeoutMs: 20 })).toMatchObject({ complete: false, pending: 100 });
      expect(await alive(other, idsOf(free))).toEqual([]);

      await resume?.();
      expect(await releases.flush()).toMatchObject({ complete: true, timedOut: 0 });
      expect(await alive(hung, idsOf(stuck))).toEqual([]);
    });

    it('frees all that a session held when it is lost, whatever was waiting', async () => {
      const session = await openOne();
      const releases = attached(session, { track: true });
      const objects = await mint(session, 100);
      await Promise.all(idsOf(objects.slice(0, 30)).map((id) => session.release(id)));
      await session.lose();
      await vi.waitUntil(() => releases.stats().live === 0, SOON);
      expect(await releases.flush()).toMatchObject({ complete: true, pending: 0 });
      expect(releases.stats()).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
    });

    it('flushes at once where nothing waits, and throws for a bad time only', async () => {
      const session = await openOne();
      const releases = attached(session);
      expect(await releases.flush()).toMatchObject({ complete: true, released: 0, pending: 0 });
      await expect(releases.flush({ timeoutMs: -1 })).rejects.toThrow(RangeError);
    });

    it('sends what was dropped before it is detached, and nothing that is dropped later', async () => {
      const session = await openOne();
      const releases = attached(session, { track: true });
      const objects = await mint(session, 40);
      const [before, after] = [idsOf(objects.slice(0, 20)), idsOf(objects.slice(20))];
      await Promise.all(before.map((id) => session.release(id)));
      releases.detach();
      await vi.waitUntil(async () => (await alive(session, before)).length === 0, SOON);
      expect(await alive(session, after)).toHaveLength(20);
      await session.release(after[0] as string);
      expect(releases.stats().disposed, 'now the client does it').toBe(20);
      expect(await alive(session, after)).toHaveLength(19);
    });

    it('serves a batcher by itself, until that is closed', async () => {
      const session = await openOne();
      const ids = idsOf(await mint(session, 150));
      const batcher = new ReleaseBatcher();
      for (const id of ids.slice(0, 100)) expect(batcher.release(session.sender, id)).toBe(true);
      expect(await batcher.flush()).toMatchObject({ complete: true, released: 100 });
      for (const id of ids.slice(100, 149)) batcher.release(session.sender, id);
      await batcher.close();
      expect(batcher.release(session.sender, ids[149] as string)).toBe(false);
      expect(batcher.stats()).toMatchObject({ released: 149, dropped: 1, failed: 0 });
      expect(await alive(session, ids)).toEqual([ids[149]]);
    });

    it('gives the same attachment when attached to again, and another once detached', async () => {
      const session = await openOne();
      const releases = attached(session);
      expect(givenBack(session.attach())).toBe(releases);
      releases.detach();
      expect(attached(session)).not.toBe(releases);
    });

    it('detaches with its signal', async () => {
      const session = await openOne();
      const controller = new AbortController();
      const releases = attached(session, { signal: controller.signal });
      controller.abort();
      expect(releases.detached).toBe(true);
    });

    it('names the line that forgets', async () => {
      const session = await openOne();
      const releases = attached(session, { track: true, traceLeaks: true });
      await mintAndForget(session, 10);
      expect(releases.leaks()).toMatchObject([
        { line: expect.stringContaining('/test/clients/'), kind: 'object' },
      ]);
    });

    it('lets errors pass as they are', async () => {
      const session = await openOne();
      const plain = await failureOf(nameOf(session, 'no id at all'));
      attached(session, { track: true });
      const tracked = await failureOf(nameOf(session, 'no id at all'));
      expect(tracked.message).toBe(plain.message);
      expect(tracked.constructor).toBe(plain.constructor);
    });

    it('refuses a bad option, and a subject that it is not for', async () => {
      const session = await openOne();
      const found = session.belongings.map(snapshot);
      expect(() => session.attach({ maxBatchSize: 0 })).toThrow(/maxBatchSize .* got 0/);
      expect(session.belongings.map(snapshot), 'and touches nothing').toEqual(found);
    });
  });
}

/** How many releases go into a batch unless told otherwise. */
const DEFAULT_BATCH = 64;

const checked = new WeakSet<Attachment>();

/** Attaches, and checks what is owed when the running test is over. */
export function attached(session: SessionUnderTest, options: AttachOptions = {}): Attachment {
  const found = session.belongings.map(snapshot);
  const releases = session.attach(options);
  if (checked.has(releases)) return givenBack(releases); // One that is for both sessions.
  checked.add(releases);
  onTestFinished(async () => {
    expectConserved(releases.stats());
    await vi.waitUntil(async () => {
      expect(await releases.flush()).toMatchObject({ complete: true });
      const { queued, inFlight } = releases.stats();
      return queued + inFlight === 0; // A collection may come in between, and drop some more.
    }, SOON);
    expectAtRest(releases.stats());
    releases.detach();
    expect(session.belongings.map(snapshot), 'the client is left as it was found').toEqual(found);
  });
  return releases;
}

export async function mint(session: SessionUnderTest, count: number): Promise<Minted[]> {
  const { dialect } = session;
  if (dialect !== undefined) return Promise.all(Array.from({ length: count }, () => dialect.mint()));
  const answers = Array.from({ length: count }, () =>
    session.send('Runtime.evaluate', { expression: '({ minted: [] })' }),
  );
  return (await Promise.all(answers)).map((answer) => (answer as { result: Minted }).result);
}

/** Gives the ids, and lets go of the objects. */
async function mintAndForget(session: SessionUnderTest, count: number): Promise<string[]> {
  return idsOf(await mint(session, count));
}

/** A few live on of a group of which the rest is released: they are moved, and the group goes by one command. */
export async function expectSurvivorsMoved(session: SessionUnderTest): Promise<void> {
  const releases = attached(session, { track: true });
  const objects = await mint(session, 100);
  const [kept, released] = [objects.slice(0, 5), objects.slice(5)];
  const before = releases.stats().commands;
  await Promise.all(idsOf(released).map((id) => session.release(id)));
  expect(await releases.flush()).toMatchObject({ complete: true, released: 95 });
  expect(releases.stats()).toMatchObject({ moved: 5, live: 5 });
  expect(releases.stats().commands - before).toBeLessThan(10);
  expect(await alive(session, idsOf(kept)), 'by their ids as they are now').toHaveLength(5);
}

export function idsOf(objects: readonly Minted[]): string[] {
  return objects.map(({ objectId, handle }) => objectId ?? handle ?? '');
}

/** Which of these the browser still knows, asked by a command that mints nothing. */
async function alive(session: SessionUnderTest, ids: readonly string[]): Promise<string[]> {
  const answers = ids.map((id) =>
    Promise.resolve(nameOf(session, id)).then(
      () => [id],
      () => [],
    ),
  );
  return (await Promise.all(answers)).flat();
}

/** A command that names an object, and mints nothing. */
function nameOf(session: SessionUnderTest, id: string): PromiseLike<unknown> {
  if (session.dialect !== undefined) return session.dialect.name(id);
  const command = { functionDeclaration: 'function () {}', returnByValue: true };
  return session.send('Runtime.callFunctionOn', { objectId: id, ...command });
}

/** Collects until something forgotten here is known to have been found. */
async function forceCollection(): Promise<void> {
  let isCollected = false;
  const registry = keptRegistry(() => {
    isCollected = true;
  });
  (() => registry.register({}, undefined))();
  await collectUntil(() => isCollected);
}

async function failureOf(answer: PromiseLike<unknown>): Promise<Error> {
  try {
    await answer;
  } catch (error) {
    return error as Error;
  }
  throw new Error('this should have failed');
}

type Snapshot = readonly (readonly [PropertyKey, object])[];

/** The own properties of an object, in order; of those that are state, that they are there. */
function snapshot(object: object): { readonly own: Snapshot; readonly listeners: Params } {
  const own = Reflect.ownKeys(object).map((key) => {
    const { value, ...flags } = Object.getOwnPropertyDescriptor(object, key) ?? {};
    return [key, typeof value === 'function' ? { ...flags, value } : flags] as const;
  });
  const listeners: Params = {};
  if (object instanceof EventEmitter) {
    for (const event of object.eventNames()) listeners[String(event)] = object.listenerCount(event);
  }
  return { own, listeners };
}
