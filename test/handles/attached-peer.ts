// A fake peer with attached sessions, for tests in which the test is the clock, the garbage collector and the
// network. When it is disposed of it asserts what holds at the end of every test: the law of conservation, that
// no command came too late for the object it names, and that no rejection went unhandled.
import { expect, vi } from 'vitest';
import { hookSession } from '../../src/clients/session-hook.ts';
import { PageActions } from '../../src/handles/acknowledge.ts';
import { type AttachOptions, resolveAttachOptions } from '../../src/handles/attach-options.ts';
import { Attachment, type SessionTraits } from '../../src/handles/attachment.ts';
import type { Registry, RegistryFactory } from '../../src/handles/collection.ts';
import { plainRules } from '../../src/handles/command-rules.ts';
import type { LedgerStats } from '../../src/handles/handle-table.ts';
import type { SessionTap } from '../../src/handles/observe-session.ts';
import type { RemoteObject } from '../../src/handles/protocol.ts';
import type { Handle as HandleRecord } from '../../src/handles/session-ledger.ts';
import { expectConserved } from '../support/conservation.ts';
import {
  type Command,
  FakePeer,
  type FakeSession,
  type FakeTarget,
  type Hold,
  isReply,
  type Message,
} from '../support/fake-peer.ts';
import { turns } from '../support/turns.ts';

export type Handle = RemoteObject & { objectId: string };
export type Params = Record<string, unknown>;

/** Collects what it is told to, rather than what is garbage. */
class TestCollector {
  readonly #records = new Map<object, HandleRecord>();
  readonly #enterAnswers: () => void;
  #onCollected: (record: HandleRecord) => void = () => {};

  /** @param enterAnswers lets go of answers that are still to be entered in the books: what they hold is no garbage. */
  constructor(enterAnswers: () => void) {
    this.#enterAnswers = enterAnswers;
  }

  readonly createRegistry: RegistryFactory = (onCollected): Registry => {
    this.#onCollected = onCollected;
    return { register: (target: object, record: HandleRecord) => void this.#records.set(target, record) };
  };

  collect(...handles: readonly object[]): void {
    this.#enterAnswers();
    for (const handle of handles) {
      const record = this.#records.get(handle);
      if (record === undefined) throw new Error('collect: not registered, or collected already');
      this.#records.delete(handle);
      this.#onCollected(record);
    }
  }

  /** What is registered and not collected: with ids that no program ever saw, too. */
  get registered(): Handle[] {
    this.#enterAnswers();
    return [...this.#records.keys()] as Handle[];
  }

  recordOf(handle: object): HandleRecord | undefined {
    this.#enterAnswers();
    return this.#records.get(handle);
  }
}

/** A session as its user has it, and the wire behind it. */
export class AttachedSession {
  readonly session: FakeSession;
  readonly tap: SessionTap;
  readonly unhook: () => void;
  readonly #peer: FakePeer;

  constructor(peer: FakePeer, session: FakeSession, tap: SessionTap) {
    this.#peer = peer;
    this.session = session;
    this.tap = tap;
    this.unhook = hookSession(session as never, tap, () => {});
  }

  send(method: string, params?: Params): Promise<unknown> {
    return this.session.send(method, params);
  }

  /** What an expression came to; an object comes with an id. */
  async evaluate(expression: string = '({})', params: Params = {}): Promise<Handle> {
    return resultOf(await this.send('Runtime.evaluate', { expression, ...params }));
  }

  async mint(count: number, params: Params = {}): Promise<Handle[]> {
    return Promise.all(Array.from({ length: count }, () => this.evaluate('({})', params)));
  }

  /** Calls a function on an object. */
  async call(
    target: { objectId: string },
    functionDeclaration: string,
    params: Params = {},
  ): Promise<Handle> {
    const { objectId } = target;
    return resultOf(await this.send('Runtime.callFunctionOn', { objectId, functionDeclaration, ...params }));
  }

  release(handle: { objectId: string }): Promise<unknown> {
    return this.send('Runtime.releaseObject', { objectId: handle.objectId });
  }

  /** Ids alive in the browser, of one group or of all. */
  alive(group?: string): string[] {
    return this.session.peer.store.alive(group);
  }

  groupOf(handle: Handle): string {
    return this.session.peer.store.find(handle.objectId).group;
  }

  /** What reached the browser, by method and parameters. */
  wire(method?: string): { readonly method: string; readonly params: Params }[] {
    return this.#peer.commands
      .filter(
        (command) => command.sessionId === this.session.id() && (method ?? command.method) === command.method,
      )
      .map(({ method, params }) => ({ method, params: { ...params } }));
  }

  releasesOnTheWire(): { readonly method: string; readonly params: Params }[] {
    return this.wire().filter(({ method }) => /^Runtime\.releaseObject/.test(method));
  }

  /** Holds the answers to these commands until told; the commands themselves run. */
  holdAnswers(method: string): Hold<Message> {
    return this.#peer.outbound.hold(
      (message) =>
        isReply(message) && message.sessionId === this.session.id() && message.command.method === method,
    );
  }

  /** Holds these commands on their way to the browser. */
  holdCommands(method: string): Hold<Command> {
    return this.#peer.inbound.hold(
      (command) => command.sessionId === this.session.id() && command.method === method,
    );
  }
}

export interface OpenOptions extends Partial<SessionTraits> {
  readonly target?: FakeTarget;
  readonly kind?: 'page' | 'worker';
}

export class AttachedPeer implements AsyncDisposable {
  readonly peer: FakePeer = new FakePeer();
  readonly collector: TestCollector = new TestCollector(() => this.attachment.stats());
  readonly attachment: Attachment;
  readonly #open = new Set<AttachedSession>();
  readonly #unhandled: unknown[] = [];
  readonly #onUnhandled = (reason: unknown): void => void this.#unhandled.push(reason);
  #now = 0;

  constructor(options: AttachOptions = {}) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    process.on('unhandledRejection', this.#onUnhandled);
    this.attachment = new Attachment(
      resolveAttachOptions({
        createRegistry: this.collector.createRegistry,
        now: () => this.#now,
        pressure: false,
        ...options,
      }),
    );
    this.attachment.onDetach(() => {
      for (const attached of this.#open) attached.unhook();
    });
  }

  get stats(): LedgerStats {
    return this.attachment.stats();
  }

  open({ target, kind = 'page', ...traits }: OpenOptions = {}): AttachedSession {
    const subject = target ?? this.peer.openTarget(kind);
    const session = this.peer.attach(subject);
    const { send } = session;
    const direct = { send: (method: string, params?: Params) => send.call(session, method, params) };
    const tap = this.attachment.open(direct, {
      isOrdered: subject.kind === 'page',
      actions: new PageActions(),
      tracks: true,
      createRules: () => plainRules,
      ...traits,
    });
    const attached = new AttachedSession(this.peer, session, tap);
    this.#open.add(attached);
    session.on('disconnected', () => {
      this.attachment.end(tap);
      attached.unhook();
      this.#open.delete(attached);
    });
    return attached;
  }

  /** Lets time pass, for the clock and for timers. */
  elapse(ms: number): void {
    this.#now += ms;
    vi.advanceTimersByTime(ms);
  }

  /** Lets grace after grace pass, and the event loop turn, until all that is not held is done. */
  async rest(): Promise<void> {
    for (let round = 0; round < 6; round++) {
      await turns();
      this.elapse(2_500);
    }
    await turns();
  }

  expectConserved(): void {
    expectConserved(this.stats);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await turns();
      this.expectConserved();
      expect(this.peer.earlyReleases).toEqual([]);
      expect(this.#unhandled).toEqual([]);
    } finally {
      this.attachment.detach();
      process.off('unhandledRejection', this.#onUnhandled);
      vi.useRealTimers();
    }
  }
}

export function resultOf(answer: unknown): Handle {
  return (answer as { result: Handle }).result;
}
