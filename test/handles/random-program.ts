// A program at random, run against the fake peer: it mints, names, drops, moves in and out of scopes, while contexts
// and sessions end, pages crash, commands are refused and answers come in whatever order the protocol allows; and in its
// midst it may detach. It names an id only while the handle is its own, so a command that finds its object released is a
// fault of the ledger's.
import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { expect } from 'vitest';
import type { AttachOptions } from '../../src/handles/attach-options.ts';
import { type CommandRules, plainRules } from '../../src/handles/command-rules.ts';
import { deferred } from '../support/deferred.ts';
import type { Command, FakeTarget, Hold, Message } from '../support/fake-peer.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type Handle, type Params } from './attached-peer.ts';

type FakeContext = FakeTarget['defaultContext'];

/** The number of the worker's session. */
const WORKER = 2;
/** The client keeps nothing of the error that this throws. */
const THROWN_AND_DROPPED = 'throw { thrown: "and dropped" }';
const rules: CommandRules = {
  ...plainRules,
  dropsThrown: (_method, params) => params?.expression === THROWN_AND_DROPPED,
};

/** What a worker does although it is busy. */
const INTERRUPTING = /^Runtime\.(releaseObject|releaseObjectGroup|getHeapUsage)$/;

/** One thing that a program does; the numbers choose among what there is to choose from then. */
export type Step =
  | { do: 'mint'; session: number; count: number; group: 'none' | 'mine' | 'isolated' }
  | {
      do: 'mintInAScopeThatEndsAtOnce' | 'throw' | 'throwAndDrop' | 'log' | 'act' | 'measure';
      session: number;
    }
  | { do: 'list' | 'call' | 'await' | 'pass'; handle: number; argument: number }
  | { do: 'nameAndDrop'; handle: number; how: 'dispose' | 'collect' }
  | { do: 'dispose' | 'collect' | 'forget'; handle: number; count: number }
  | {
      do: 'openScope' | 'closeScope' | 'releaseMine' | 'navigate' | 'endWorld' | 'endSession';
      session: number;
    }
  | { do: 'enterScope' | 'stepOutOfScope' | 'leaveScope' | 'crash' | 'detach' }
  | { do: 'escape'; handle: number }
  | { do: 'refuse'; handle: number; how: 'unlisted' | 'context' | 'throw' }
  | { do: 'answer'; session: number; count: number }
  | { do: 'elapse'; ms: number };

const index = fc.nat({ max: 1_000 });
const session = fc.nat({ max: 2 });
const of = <Name extends Step['do']>(...names: Name[]): fc.Arbitrary<Name> => fc.constantFrom(...names);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: of('mint'),
      session,
      count: fc.integer({ min: 1, max: 40 }),
      group: fc.constantFrom('none', 'none', 'none', 'mine', 'isolated'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: of('mintInAScopeThatEndsAtOnce', 'throw', 'throwAndDrop', 'log'), session }),
  },
  { weight: 2, arbitrary: fc.record({ do: of('act', 'measure'), session }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: of('list', 'call', 'await', 'pass'), handle: index, argument: index }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: of('nameAndDrop'),
      handle: index,
      how: fc.constantFrom('dispose', 'collect'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: of('dispose', 'collect', 'forget'),
      handle: index,
      count: fc.integer({ min: 1, max: 40 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: of('openScope', 'closeScope', 'releaseMine'), session }) },
  { weight: 1, arbitrary: fc.record({ do: of('navigate', 'endWorld'), session }) },
  { weight: 1, arbitrary: fc.record({ do: of('enterScope', 'stepOutOfScope', 'leaveScope') }) },
  { weight: 2, arbitrary: fc.record({ do: of('escape'), handle: index }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: of('refuse'),
      handle: index,
      how: fc.constantFrom('unlisted', 'context', 'throw'),
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({ do: of('answer'), session, count: fc.integer({ min: 1, max: 100 }) }),
  },
  { weight: 5, arbitrary: fc.record({ do: of('elapse'), ms: fc.constantFrom(10, 60, 200, 2_500) }) },
) as fc.Arbitrary<Step>;

/** Openings that bring a program where it is risky: it goes on at random from there. */
const openings: readonly Step[][] = [
  [],
  // Most of a group is dead, its survivors are on the move, and one of them is named meanwhile.
  [
    { do: 'mint', session: 0, count: 40, group: 'none' },
    { do: 'answer', session: 0, count: 100 },
    { do: 'collect', handle: 3, count: 37 },
    { do: 'elapse', ms: 10 },
    { do: 'elapse', ms: 2_500 },
    { do: 'answer', session: 0, count: 100 },
    { do: 'pass', handle: 0, argument: 1 },
    { do: 'answer', session: 0, count: 100 },
    { do: 'answer', session: 0, count: 100 },
    { do: 'elapse', ms: 10 },
    { do: 'pass', handle: 1, argument: 2 },
  ],
  // Much of a young group is disposed of, its survivors move out late, and more is minted at once.
  [
    { do: 'mint', session: 0, count: 12, group: 'none' },
    { do: 'answer', session: 0, count: 100 },
    { do: 'dispose', handle: 1, count: 7 },
    { do: 'collect', handle: 1, count: 4 },
    { do: 'elapse', ms: 10 },
    { do: 'elapse', ms: 60 },
    { do: 'elapse', ms: 60 },
    { do: 'elapse', ms: 60 },
    { do: 'answer', session: 0, count: 100 },
    { do: 'answer', session: 0, count: 100 },
    { do: 'answer', session: 0, count: 100 },
    { do: 'mint', session: 0, count: 3, group: 'none' },
    { do: 'answer', session: 0, count: 100 },
  ],
  // Most of a group in a busy worker is dead, and a survivor is disposed of behind an action.
  [
    { do: 'mint', session: 2, count: 40, group: 'none' },
    { do: 'answer', session: 2, count: 100 },
    { do: 'collect', handle: 3, count: 37 },
    { do: 'elapse', ms: 10 },
    { do: 'elapse', ms: 2_500 },
    { do: 'act', session: 2 },
    { do: 'dispose', handle: 0, count: 1 },
  ],
  // All of a group is dead, but a busy worker has been asked something about a member.
  [
    { do: 'mint', session: 2, count: 5, group: 'none' },
    { do: 'answer', session: 2, count: 100 },
    { do: 'pass', handle: 0, argument: 1 },
    { do: 'collect', handle: 0, count: 5 },
    { do: 'elapse', ms: 10 },
    { do: 'elapse', ms: 2_500 },
  ],
  // What a scope holds is listed by others, while it runs.
  [
    { do: 'enterScope' },
    { do: 'mint', session: 0, count: 2, group: 'none' },
    { do: 'answer', session: 0, count: 100 },
    { do: 'call', handle: 0, argument: 1 },
    { do: 'answer', session: 0, count: 100 },
    { do: 'stepOutOfScope' },
    { do: 'list', handle: 2, argument: 0 },
    { do: 'answer', session: 0, count: 100 },
  ],
  // Something is asked for, and something else of its group let go of.
  [
    { do: 'mint', session: 0, count: 5, group: 'none' },
    { do: 'answer', session: 0, count: 100 },
    { do: 'nameAndDrop', handle: 0, how: 'dispose' },
    { do: 'dispose', handle: 1, count: 2 },
    { do: 'list', handle: 0, argument: 0 },
    { do: 'mint', session: 0, count: 2, group: 'none' },
  ],
  // Most of a group is released one by one. If that fills the queue, the release of the rest is dropped. Then the page navigates.
  [
    { do: 'mint', session: 0, count: 40, group: 'none' },
    { do: 'mint', session: 0, count: 10, group: 'mine' },
    { do: 'answer', session: 0, count: 100 },
    { do: 'collect', handle: 1, count: 39 },
    { do: 'elapse', ms: 10 },
    { do: 'elapse', ms: 2_500 },
    { do: 'dispose', handle: 1, count: 10 },
    { do: 'collect', handle: 0, count: 1 },
    { do: 'elapse', ms: 10 },
    { do: 'navigate', session: 0 },
  ],
];

/** What is too much for each program: at most once in one, and in most not at all. */
const interruption: fc.Arbitrary<Step[]> = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Step[]>([]) },
  { weight: 1, arbitrary: fc.constant<Step[]>([{ do: 'crash' }]) },
  { weight: 1, arbitrary: session.map((number): Step[] => [{ do: 'endSession', session: number }]) },
  { weight: 2, arbitrary: fc.constant<Step[]>([{ do: 'detach' }]) },
);
const steps = fc.array(step, { minLength: 10, maxLength: 40, size: 'max' });

export const programs: fc.Arbitrary<Step[]> = fc
  .tuple(fc.constantFrom(...openings), steps, interruption, steps)
  .map(([opening, before, interrupting, after]) => [...opening, ...before, ...interrupting, ...after]);

interface OpenScope {
  /** The session that it is over; `undefined` for one that the program runs in. */
  readonly session: AttachedSession | undefined;
  /** Does something in it. */
  run(action: () => void): void;
  end(): Promise<void>;
  hasEnded: boolean;
}

interface Held {
  readonly handle: Handle;
  readonly session: AttachedSession;
  readonly scope: OpenScope | undefined;
  /** Its id as it was at first, which a program may have kept as a string. */
  readonly firstId: string;
}

/** What is known of a command as it is sent, and decides whose its result is when it is answered. */
interface Sent {
  readonly session: AttachedSession;
  readonly scope: OpenScope | undefined;
  /** How often the program had released its own group by then; only for what is minted into that. */
  readonly releasesOfMine: number | undefined;
}

/** Things that happened over all runs: a property that never saw a move would prove little. */
export interface Coverage {
  moved: number;
  groupFreed: number;
  elided: number;
  released: number;
  dropped: number;
  escaped: number;
  refused: number;
  crashed: number;
  sessionsEnded: number;
  detached: number;
}

/** @param workerIsOrdered a lie to tell the ledger, to see what it is worth. */
export async function runProgram(
  steps: readonly Step[],
  options: AttachOptions = {},
  coverage?: Coverage,
  workerIsOrdered: boolean = false,
): Promise<void> {
  await using world = new AttachedPeer({
    maxInFlightBatches: 2,
    maxBatchSize: 8,
    releaseTimeoutMs: 2 ** 31 - 1,
    ...options,
  });
  const program = new Program(world, workerIsOrdered, options.maxQueueSize !== undefined);
  await turns(5);
  for (const step of steps) {
    await program.take(step);
    world.expectConserved();
  }
  await program.end();
  if (coverage === undefined) return;
  const { moved, groupFreed, elided, released, dropped } = world.stats;
  coverage.moved += moved;
  coverage.groupFreed += groupFreed;
  coverage.elided += elided;
  coverage.released += released;
  coverage.dropped += dropped;
  coverage.escaped += program.done('escape');
  coverage.refused += program.done('refuse');
  coverage.crashed += program.done('crash');
  coverage.sessionsEnded += program.done('endSession');
  coverage.detached += program.done('detach');
}

class Program {
  readonly #world: AttachedPeer;
  readonly #page: FakeTarget;
  readonly #workerIsOrdered: boolean;
  /** Whether the queue may be full: then releases are dropped, each of which is counted. */
  readonly #mayDrop: boolean;
  readonly #sessions: AttachedSession[] = [];
  /** Commands that wait until the page is idle; releases do not wait for a worker. */
  readonly #commands: Hold<Command>[] = [];
  readonly #answers: Hold<Message>[] = [];
  readonly #running: Promise<unknown>[] = [];
  readonly #escaped = new Set<Handle>();
  readonly #releasesOfMine = new Map<AttachedSession, number>();
  /** What was let go of while attached, and is to be gone in the end. */
  readonly #dropped: Pick<Held, 'handle' | 'session'>[] = [];
  readonly #done = new Map<Step['do'], number>();
  #held: Held[] = [];
  #scopes: OpenScope[] = [];
  /** Whether what is done now is done in the innermost scope that the program runs in. */
  #isInside = false;
  #isDetached = false;
  /** Resolves when the page crashes: what it has not answered by then it never does. */
  #crash = deferred<void>();
  #isolated: FakeContext;

  constructor(world: AttachedPeer, workerIsOrdered: boolean, mayDrop: boolean) {
    this.#world = world;
    this.#workerIsOrdered = workerIsOrdered;
    this.#mayDrop = mayDrop;
    this.#page = world.peer.openTarget();
    // Two sessions of one page, which give the same ids to different objects, and a worker's, which keeps no order.
    for (const number of [0, 1, WORKER]) this.#open(number);
    this.#isolated = this.#page.createContext('world');
  }

  #open(number: number): void {
    const { inbound, outbound } = this.#world.peer;
    const handlesRefusals = number !== 1;
    const createRules = (): CommandRules => rules;
    const attached =
      number === WORKER
        ? this.#world.open({ kind: 'worker', isOrdered: this.#workerIsOrdered, handlesRefusals, createRules })
        : this.#world.open({ target: this.#page, handlesRefusals, createRules });
    const { session } = attached;
    this.#sessions[number] = attached;
    this.#send(attached, 'Runtime.enable', {}, undefined);
    this.#commands[number] = inbound.hold(({ sessionId, method }) => {
      const overtakes = number === WORKER && INTERRUPTING.test(method);
      return sessionId === session.id() && !overtakes;
    });
    this.#answers[number] = outbound.hold(({ sessionId }) => sessionId === session.id());
  }

  /** How often something was done. */
  done(step: Step['do']): number {
    return this.#done.get(step) ?? 0;
  }

  async take(step: Step): Promise<void> {
    const scope = this.#isInside ? this.#innermost : undefined;
    let taking: Promise<void> | undefined;
    const take = (): void => {
      taking = this.#take(step);
    };
    if (scope === undefined) take();
    else scope.run(take);
    await taking;
  }

  /** The innermost scope that the program runs in. */
  get #innermost(): OpenScope | undefined {
    return this.#scopes.findLast(({ session }) => session === undefined);
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'mint':
        return this.#mint(this.#session(step.session), step.count, step.group);
      case 'mintInAScopeThatEndsAtOnce': {
        const session = this.#session(step.session);
        const minting = this.#world.attachment.scope(() => {
          this.#send(session, 'Runtime.evaluate', { expression: '({})' }, undefined);
        });
        this.#running.push(minting);
        return;
      }
      case 'throw':
        return this.#send(
          this.#session(step.session),
          'Runtime.evaluate',
          { expression: 'throw { thrown: 1 }', returnByValue: step.session !== WORKER },
          undefined,
        );
      case 'throwAndDrop':
        return this.#send(
          this.#session(step.session),
          'Runtime.evaluate',
          { expression: THROWN_AND_DROPPED, returnByValue: step.session !== WORKER },
          undefined,
        );
      case 'log':
        return this.#send(
          this.#session(step.session),
          'Runtime.evaluate',
          { expression: 'console.log({}, {})' },
          undefined,
        );
      case 'act':
        return this.#send(this.#session(step.session), 'Page.enable', {}, undefined);
      case 'measure':
        return this.#send(this.#session(step.session), 'Runtime.getHeapUsage', {}, undefined);
      case 'list':
      case 'call':
      case 'await':
      case 'pass':
        return this.#name(step.do, step.handle, step.argument);
      case 'nameAndDrop':
        this.#name('pass', step.handle, step.handle);
        return this.#drop(step.handle, 1, step.how);
      case 'dispose':
      case 'collect':
      case 'forget':
        return this.#drop(step.handle, step.count, step.do);
      case 'openScope':
        return this.#openScope(this.#session(step.session));
      case 'closeScope':
        return this.#endScope(this.#scopes.at(step.session % Math.max(1, this.#scopes.length)));
      case 'enterScope':
        return this.#enterScope();
      case 'stepOutOfScope':
        this.#isInside = !this.#isInside;
        return;
      case 'leaveScope':
        return this.#endScope(this.#innermost);
      case 'escape': {
        const held = this.#held[step.handle % Math.max(1, this.#held.length)];
        if (held === undefined || this.#isDetached) return;
        this.#world.attachment.escape({ remoteObject: () => held.handle });
        this.#escaped.add(held.handle);
        return this.#note('escape');
      }
      case 'refuse':
        return this.#beRefused(step.handle, step.how);
      case 'crash':
        return this.#crashAndReload();
      case 'endSession':
        return this.#endSession(step.session);
      case 'detach':
        this.#isDetached = true;
        this.#world.attachment.detach();
        return this.#note('detach');
      case 'releaseMine':
        return this.#releaseMine(this.#session(step.session));
      case 'navigate':
        this.#page.navigate();
        this.#isolated = this.#page.createContext('world');
        return this.#giveUpTheDead();
      case 'endWorld':
        this.#page.destroyContext(this.#isolated);
        this.#isolated = this.#page.createContext('world');
        return this.#giveUpTheDead();
      case 'answer':
        return this.#answer(step.session, step.count);
      case 'elapse':
        this.#world.elapse(step.ms);
        return turns(1);
    }
  }

  /** Lets all answers go, drops what is to be dropped, and asserts that the browser has what the program has. */
  async end(): Promise<void> {
    for (const scope of [...this.#scopes]) await this.#endScope(scope);
    for (const hold of [...this.#commands, ...this.#answers]) hold[Symbol.dispose]();
    await this.#world.rest();
    await Promise.all(this.#running);
    if (!this.#isDetached) await this.#collectTheRest();

    expect(this.#world.peer.earlyReleases, 'never early').toEqual([]);
    for (const session of this.#sessions) this.#expectAlive(session);
    const { queued, inFlight, live, failed, timedOut, dropped } = this.#world.stats;
    expect({ queued, inFlight, failed, timedOut }).toEqual({
      queued: 0,
      inFlight: 0,
      failed: 0,
      timedOut: 0,
    });
    if (!this.#mayDrop) expect(dropped).toBe(0);
    if (this.#isDetached) return;
    expect(live).toBe(this.#held.length);
    const alive = this.#sessions.flatMap((session) => session.alive());
    expect(alive.length, 'never lost').toBeLessThanOrEqual(live + dropped);
  }

  /** What the program never held (the double of a thrown error, a listing's prototype) is garbage in the end. */
  async #collectTheRest(): Promise<void> {
    const held = new Set<object>(this.#held.map(({ handle }) => handle));
    const { collector } = this.#world;
    collector.collect(...collector.registered.filter((handle) => !held.has(handle)));
    await this.#world.rest();
  }

  #expectAlive(session: AttachedSession): void {
    const idsOf = (handles: readonly Pick<Held, 'handle' | 'session'>[]): string[] =>
      handles.filter((each) => each.session === session).map(({ handle }) => handle.objectId);
    const alive = session.alive();
    if (!this.#isDetached && !this.#mayDrop) {
      expect(alive.sort(), 'never early, never lost').toEqual(idsOf(this.#held).sort());
      return;
    }
    // What was let go of after the detach, or answered after it, is nobody's; nor is what found the queue full.
    for (const objectId of idsOf(this.#held)) expect(alive, 'never early').toContain(objectId);
    if (this.#mayDrop) return;
    for (const objectId of idsOf(this.#dropped)) expect(alive, 'never lost').not.toContain(objectId);
  }

  #note(step: Step['do']): void {
    this.#done.set(step, this.done(step) + 1);
  }

  #session(number: number): AttachedSession {
    const session = this.#sessions[number];
    if (session === undefined) throw new RangeError(`no session ${number}`);
    return session;
  }

  #mint(session: AttachedSession, count: number, group: 'none' | 'mine' | 'isolated'): void {
    const isMine = group === 'mine';
    const params = {
      expression: '({ made: "by evaluate" })',
      ...(isMine ? { objectGroup: 'mine' } : {}),
      ...(group === 'isolated' && session !== this.#sessions[WORKER] ? { contextId: this.#isolated.id } : {}),
    };
    for (let made = 0; made < count; made++)
      this.#send(session, 'Runtime.evaluate', params, this.#sent(session, isMine));
  }

  /** Names one handle as the target, and another of its session and context as an argument. */
  #name(how: 'list' | 'call' | 'await' | 'pass', target: number, argument: number): void {
    const held = this.#held[target % Math.max(1, this.#held.length)];
    if (held === undefined) return;
    const { session, handle } = held;
    const firstId = this.#firstIdOf(held);
    const isMine = groupOf(held) === 'mine';
    if (how === 'list') {
      const params = { objectId: handle.objectId, ownProperties: true };
      this.#send(session, 'Runtime.getProperties', params, this.#sent(session, isMine));
      return;
    }
    if (how === 'await') {
      // In a group of the program's own its result could be bound before or after that is released.
      const functionDeclaration = 'async function() { return { awaited: this }; }';
      const params = { objectId: firstId, functionDeclaration, awaitPromise: true };
      if (!isMine) this.#send(session, 'Runtime.callFunctionOn', params, this.#sent(session, false));
      return;
    }
    const others = this.#held.filter(
      (other) => other.session === session && contextOf(other.handle) === contextOf(handle),
    );
    const other = others[argument % others.length];
    const params = {
      objectId: handle.objectId,
      functionDeclaration:
        how === 'call' ? 'function(other) { return { child: this, other }; }' : 'function() { return 1; }',
      arguments: other === undefined ? [] : [{ objectId: this.#firstIdOf(other) }],
      ...(how === 'call' ? {} : { returnByValue: argument % 2 === 0 }),
    };
    this.#send(
      session,
      'Runtime.callFunctionOn',
      params,
      how === 'call' ? this.#sent(session, isMine) : undefined,
    );
  }

  /** The id that an object had at first; once detached nobody knows which that was. */
  #firstIdOf({ handle, firstId }: Held): string {
    return this.#isDetached ? handle.objectId : firstId;
  }

  #drop(first: number, count: number, how: 'dispose' | 'collect' | 'forget'): void {
    const start = first % Math.max(1, this.#held.length);
    for (const { handle, session } of this.#held.splice(start, count)) {
      if (this.#isDetached) {
        // Sent as it is: in a worker it would overtake the program's own commands, which is its own affair.
        if (how === 'dispose' && session !== this.#sessions[WORKER]) this.#release(session, handle);
        continue;
      }
      if (how === 'collect') this.#world.collector.collect(handle);
      if (how === 'dispose') this.#release(session, handle);
      if (how !== 'forget') this.#dropped.push({ session, handle });
    }
  }

  #release(session: AttachedSession, { objectId }: Handle): void {
    this.#send(session, 'Runtime.releaseObject', { objectId }, undefined);
  }

  #openScope(session: AttachedSession): void {
    if (this.#isDetached) return;
    const scope = this.#world.attachment.cover((ledger) => ledger === session.tap.ledger);
    const end = async (): Promise<void> => scope[Symbol.dispose]();
    this.#scopes.push({ session, run: (action) => action(), end, hasEnded: false });
  }

  /** Goes into a scope of the program's own, beside which it may go on doing other things. */
  async #enterScope(): Promise<void> {
    if (this.#isDetached) return;
    const left = deferred<void>();
    let run: OpenScope['run'] = () => {};
    const body = (): Promise<void> => {
      run = AsyncLocalStorage.snapshot();
      return left.promise;
    };
    const ended = this.#world.attachment.scope(body);
    const end = (): Promise<void> => {
      left.resolve();
      return ended;
    };
    this.#scopes.push({ session: undefined, run, end, hasEnded: false });
    this.#isInside = true;
  }

  async #endScope(ending: OpenScope | undefined): Promise<void> {
    if (ending === undefined) return;
    ending.hasEnded = true;
    await ending.end();
    this.#scopes = this.#scopes.filter((scope) => scope !== ending);
    if (this.#isDetached) return; // Its handles are the program's own affair.
    this.#held = this.#held.filter(({ handle, scope }) => scope !== ending || this.#escaped.has(handle));
  }

  /** Sends a command about a handle that comes to nothing, and leaves the handle as it was. */
  #beRefused(number: number, how: 'unlisted' | 'context' | 'throw'): void {
    const held = this.#held[number % Math.max(1, this.#held.length)];
    if (held === undefined) return;
    const { session, handle } = held;
    const { objectId } = handle;
    const functionDeclaration = 'function() {}';
    const returnByValue = number % 2 === 0;
    const given = { arguments: [{ objectId }], returnByValue };
    const params = { functionDeclaration, executionContextId: 1_000_000, ...given };
    if (how === 'unlisted') this.#send(session, 'Future.use', { of: [objectId] }, undefined);
    if (how === 'context') this.#send(session, 'Runtime.callFunctionOn', params, undefined);
    if (how === 'throw') {
      const cyclic = { objectId, functionDeclaration, arguments: [{ value: 1n }] };
      expect(() => void session.send('Runtime.callFunctionOn', cyclic)).toThrow(TypeError);
    }
    this.#note('refuse');
  }

  /** What the page has not answered it never will, and all that it held is gone. */
  #crashAndReload(): void {
    this.#page.crash();
    for (const number of [0, 1]) this.#commands[number]?.letGo();
    this.#page.reloadAfterCrash();
    this.#isolated = this.#page.createContext('world');
    this.#giveUpTheDead();
    this.#crash.resolve();
    this.#crash = deferred();
    this.#note('crash');
  }

  /** The session ends, and another takes its place. */
  async #endSession(number: number): Promise<void> {
    if (this.#isDetached) return;
    const ending = this.#session(number);
    this.#held = this.#held.filter(({ session }) => session !== ending);
    await ending.session.detach();
    this.#open(number);
    this.#note('endSession');
  }

  /** A worker's release of a group would overtake the program's own commands: that is its own affair. */
  #releaseMine(session: AttachedSession): void {
    if (session === this.#sessions[WORKER]) return;
    this.#held = this.#held.filter((held) => held.session !== session || groupOf(held) !== 'mine');
    this.#releasesOfMine.set(session, (this.#releasesOfMine.get(session) ?? 0) + 1);
    this.#send(session, 'Runtime.releaseObjectGroup', { objectGroup: 'mine' }, undefined);
  }

  #giveUpTheDead(): void {
    this.#held = this.#held.filter(isInALivingContext);
  }

  /** Commands run in order. So do pages answer; from a worker the newest answers come first. */
  async #answer(number: number, count: number): Promise<void> {
    const commands = this.#commands[number];
    const running = commands?.messages.slice(0, count) ?? [];
    if (running.length > 0) commands?.letGo(...running);
    await turns(3);
    const answers = this.#answers[number];
    const messages = answers?.messages ?? [];
    const chosen = number === WORKER ? messages.slice(-count).reverse() : messages.slice(0, count);
    if (chosen.length > 0) answers?.letGo(...chosen);
    await turns(2);
  }

  #sent(session: AttachedSession, isMine: boolean): Sent {
    return {
      session,
      scope: this.#scopeOf(session),
      releasesOfMine: isMine ? (this.#releasesOfMine.get(session) ?? 0) : undefined,
    };
  }

  /** The scope that what is minted now belongs to. */
  #scopeOf(session: AttachedSession): OpenScope | undefined {
    const inside = this.#isInside ? this.#innermost : undefined;
    return inside ?? this.#scopes.findLast((scope) => scope.session === session);
  }

  /** @param sent where the result is the program's to hold. */
  #send(session: AttachedSession, method: string, params: Params, sent: Sent | undefined): void {
    const answered = session.send(method, params).then(
      (answer) => {
        if (sent !== undefined) for (const handle of handlesIn(answer)) this.#hold(handle, sent);
      },
      (error: Error) => {
        // What the program did itself, to a page, a session or a command, and nothing else.
        expect(error.message).toMatch(
          /context|Inspected target navigated|Target closed|Session closed|'Future.use' wasn't found/,
        );
      },
    );
    const isOfPage = session !== this.#sessions[WORKER];
    this.#running.push(isOfPage ? Promise.race([answered, this.#crash.promise]) : answered);
  }

  #hold(handle: Handle, { session, scope, releasesOfMine }: Sent): void {
    if (!this.#sessions.includes(session)) return; // It has ended.
    const held: Held = { handle, session, scope, firstId: handle.objectId };
    const isReleasedWithItsGroup =
      releasesOfMine !== undefined && releasesOfMine !== (this.#releasesOfMine.get(session) ?? 0);
    const hasItsScope = !scope?.hasEnded || this.#isDetached;
    if (hasItsScope && !isReleasedWithItsGroup && isInALivingContext(held)) this.#held.push(held);
  }
}

/** The object that a call came to, or the objects that a listing found. */
function handlesIn(answer: unknown): Handle[] {
  const { result } = answer as { result: Handle | { value?: Handle }[] };
  const found = Array.isArray(result) ? result.flatMap(({ value }) => value ?? []) : [result];
  return found.filter(({ objectId }) => objectId !== undefined);
}

function groupOf({ session, handle }: Held): string {
  return session.groupOf(handle);
}

function contextOf({ objectId }: Handle): number {
  return Number(objectId.split('.')[1]);
}

function isInALivingContext({ session, handle }: Held): boolean {
  return session.session.peer.target.hasContext(contextOf(handle));
}
