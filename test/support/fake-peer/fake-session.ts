/**
 * The client's end of a session without a socket: what a library for the protocol hands to its user. Each
 * message is serialised and parsed again, so nothing is shared with the peer that a wire would not carry,
 * and each reply comes in a macrotask of its own.
 */
import { EventEmitter } from 'node:events';
import type { ClientEnd, PeerSession } from './peer-session.ts';
import { isReply, type Message, type Params, type ReplyError } from './protocol.ts';

interface Pending {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** What `send` rejects with, worded as Puppeteer words it. */
class FakeProtocolError extends Error {
  readonly code: number | undefined;

  constructor(method: string, message: string, code?: number) {
    super(`Protocol error (${method}): ${message}`);
    this.code = code;
  }
}

export class FakeSession extends EventEmitter implements ClientEnd {
  /** The other end: what is alive there, in which context, in which group. */
  readonly peer: PeerSession;
  readonly #pending = new Map<number, Pending>();
  #lastId = 0;
  #hasEnded = false;

  constructor(open: (client: ClientEnd) => PeerSession) {
    super();
    this.peer = open(this);
  }

  id(): string {
    return this.peer.id;
  }

  /**
   * Sends a command.
   *
   * @throws at once what cannot be serialised, as clients do; all else rejects.
   */
  send(method: string, params: Params = {}): Promise<unknown> {
    const id = ++this.#lastId;
    const frame = JSON.stringify({ id, method, params });
    if (this.#hasEnded) {
      const message = 'Session closed. Most likely the page has been closed.';
      return Promise.reject(new FakeProtocolError(method, message));
    }
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { method, resolve, reject });
      this.peer.take(JSON.parse(frame));
    });
  }

  async detach(): Promise<void> {
    this.peer.end();
  }

  receive(message: Message): void {
    if (!isReply(message)) {
      this.emit(message.method, JSON.parse(JSON.stringify(message.params)));
      return;
    }
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    if (message.error) pending.reject(protocolError(pending.method, message.error));
    else pending.resolve(JSON.parse(JSON.stringify(message.result ?? null)));
  }

  ended(): void {
    this.#hasEnded = true;
    for (const { method, reject } of this.#pending.values())
      reject(new FakeProtocolError(method, 'Target closed'));
    this.#pending.clear();
    this.emit('disconnected');
  }
}

function protocolError(method: string, { message, code, data }: ReplyError): FakeProtocolError {
  return new FakeProtocolError(method, data === undefined ? message : `${message} ${data}`, code);
}
