/**
 * The peer's end of one session: takes commands through the inbound fence, has its target run them, and
 * sends replies and events through the outbound one. It knows which ids were released, so it notices every
 * command that comes late.
 */
import { randomBytes } from 'node:crypto';
import type { FakePeer } from '../fake-peer.ts';
import type { FakeTarget } from './fake-target.ts';
import { executePageCommand } from './page-agent.ts';
import { type Command, type Message, type Params, ProtocolFault, sessionNotFound } from './protocol.ts';
import { RemoteObjectStore } from './remote-object-store.ts';
import { RuntimeAgent } from './runtime-agent.ts';

/** A command as it stands on the wire. */
export interface Frame {
  readonly id: number;
  readonly method: string;
  readonly params?: Params;
}

/** What the client's end does with what arrives. */
export interface ClientEnd {
  receive(message: Message): void;
  /** The session is over: nothing more will arrive. */
  ended(): void;
}

export class PeerSession {
  readonly id: string = randomBytes(16).toString('hex').toUpperCase();
  readonly target: FakeTarget;
  readonly store: RemoteObjectStore;
  readonly runtime: RuntimeAgent;
  readonly #peer: FakePeer;
  readonly #client: ClientEnd;
  #hasEnded = false;

  constructor(peer: FakePeer, target: FakeTarget, client: ClientEnd) {
    this.target = target;
    this.store = new RemoteObjectStore(target.isolateId, (contextId) => target.hasContext(contextId));
    this.runtime = new RuntimeAgent(target, this.store, (method, params) => this.emit(method, params));
    this.#peer = peer;
    this.#client = client;
    target.sessions.add(this);
  }

  /** A command has arrived. */
  take({ id, method, params = {} }: Frame): void {
    const command: Command = { id, sessionId: this.id, method, params };
    this.#peer.commands.push(command);
    this.#peer.inbound.pass(command, (passed) => {
      this.target.enqueue(passed.method, () => void this.#run(passed));
    });
  }

  emit(method: string, params: Params): void {
    this.#send({ sessionId: this.id, method, params });
  }

  /** Lets go of everything. What is unanswered stays so. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.target.sessions.delete(this);
    this.#client.ended();
  }

  async #run(command: Command): Promise<void> {
    const { id, sessionId, method, params } = command;
    this.#noteLateNames(command);
    try {
      const outcome = this.#hasEnded ? Promise.reject(sessionNotFound()) : this.#execute(method, params);
      // Only what has to be waited for is: a microtask in between would let a later reply overtake this one.
      const result = outcome instanceof Promise ? await outcome : outcome;
      this.#send({ id, sessionId, command, result });
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      this.#send({ id, sessionId, command, error: error.reply });
    }
  }

  #execute(method: string, params: Params): unknown {
    return executePageCommand(this.target, method, params) ?? this.runtime.execute(method, params);
  }

  #send(message: Message): void {
    this.#peer.outbound.pass(message, (passed) => {
      if (!this.#hasEnded) this.#client.receive(passed);
    });
  }

  #noteLateNames({ method, params }: Command): void {
    for (const objectId of namedIds(params)) {
      if (!this.store.wasReleased(objectId)) continue;
      const list = method === 'Runtime.releaseObject' ? this.#peer.doubleReleases : this.#peer.earlyReleases;
      list.push({ sessionId: this.id, objectId, method });
    }
  }
}

/** The ids that a command names, wherever they stand: target, promise, prototype, arguments. */
function* namedIds(params: unknown): Generator<string> {
  if (typeof params !== 'object' || params === null) return;
  for (const [name, value] of Object.entries(params)) {
    if (typeof value === 'string' && /objectId$/i.test(name)) yield value;
    else yield* namedIds(value);
  }
}
