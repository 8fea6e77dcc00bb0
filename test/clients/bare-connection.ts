/** A few lines around a raw WebSocket, as a user without any client has them: sessions with `send` and `on`. */
import { EventEmitter } from 'node:events';
import WebSocket from 'ws';

type Params = Record<string, unknown>;
interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

export class BareSession extends EventEmitter {
  readonly #write: (method: string, params: Params) => Promise<unknown>;

  constructor(write: (method: string, params: Params) => Promise<unknown>) {
    super();
    this.#write = write;
  }

  send(method: string, params: Params = {}): Promise<unknown> {
    return this.#write(method, params);
  }
}

export class BareConnection {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #sessions = new Map<string, BareSession>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(JSON.parse(String(data))));
    socket.on('close', () => this.#end());
  }

  static async open(endpoint: string): Promise<BareConnection> {
    const socket = new WebSocket(endpoint);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return new BareConnection(socket);
  }

  /** The session of that id; without one, the browser's. */
  session(sessionId?: string): BareSession {
    const key = sessionId ?? '';
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const session = new BareSession((method, params) => {
      const id = ++this.#lastId;
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
      return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    });
    this.#sessions.set(key, session);
    return session;
  }

  close(): void {
    this.#socket.close();
  }

  #receive({ id, result, error, method, params, sessionId }: Message): void {
    if (id !== undefined) {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(result);
      else pending?.reject(new Error(error.message));
      return;
    }
    this.#sessions.get(sessionId ?? '')?.emit(method ?? '', params);
    if (method === 'Target.detachedFromTarget') this.#sessions.get(params?.sessionId ?? '')?.emit('close');
  }

  #end(): void {
    for (const { reject } of this.#pending.values()) reject(new Error('Connection closed'));
    for (const session of this.#sessions.values()) session.emit('close');
  }
}

interface Message {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: { readonly sessionId?: string };
  readonly sessionId?: string;
}
