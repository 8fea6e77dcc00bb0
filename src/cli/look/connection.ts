/**
 * A plain connection to a running browser, for a look without a client library: flat sessions over one WebSocket, which is
 * Node's own. When a target or the browser ends, its unanswered commands are rejected.
 */
import type { AttachedSession, LookConnection } from '../../observe/browser-look.ts';
import { clearTimeout, setTimeout } from '../../timers.ts';
import { CannotRunError } from '../cannot-run-error.ts';

/** Milliseconds that a browser may take to answer the first request. */
const CONNECT_TIMEOUT_MS = 10_000;

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: { readonly sessionId?: string };
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Pending {
  readonly sessionId: string | undefined;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class BrowserConnection implements LookConnection {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, Pending>();
  readonly #sessions = new Map<string, Session>();
  /** Resolves when the browser has closed the connection, or `close` was called. */
  readonly closed: Promise<void>;
  #lastId = 0;
  #isClosed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(String(data)) as Message);
    this.closed = new Promise((resolve) => {
      socket.onclose = () => {
        this.#isClosed = true;
        this.#rejectAll(undefined, 'the browser closed the connection');
        resolve();
      };
    });
  }

  /** @throws {CannotRunError} where no browser answers there. */
  static async open(endpoint: string, timeoutMs: number = CONNECT_TIMEOUT_MS): Promise<BrowserConnection> {
    let socket: WebSocket;
    try {
      socket = new WebSocket(endpoint);
      await opened(socket, timeoutMs);
    } catch (error) {
      throw new CannotRunError(
        `No browser answers at ${endpoint}: ${(error as Error).message.replace(/\.$/, '')}.`,
      );
    }
    return new BrowserConnection(socket);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  send(method: string, params: object = {}, sessionId?: string): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(new Error('the browser closed the connection'));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { sessionId, resolve, reject });
      this.#socket.send(
        JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }),
      );
    });
  }

  async attach(targetId: string): Promise<AttachedSession> {
    const { sessionId } = (await this.send('Target.attachToTarget', { targetId, flatten: true })) as {
      sessionId: string;
    };
    const session = new Session(this, sessionId);
    this.#sessions.set(sessionId, session);
    return session;
  }

  /** Ends a session, with everything that it held. */
  async detach(sessionId: string): Promise<void> {
    this.#end(sessionId, 'it was detached');
    await this.send('Target.detachFromTarget', { sessionId }).catch(() => {}); // It is gone already.
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.closed;
  }

  #receive({ id, sessionId, method, params, result, error }: Message): void {
    if (id !== undefined) {
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (error === undefined) pending?.resolve(result);
      else pending?.reject(new Error(error.message));
      return;
    }
    if (method === 'Target.detachedFromTarget' && params?.sessionId !== undefined) {
      this.#end(params.sessionId, 'it was closed meanwhile');
      return;
    }
    if (sessionId === undefined || method === undefined) return;
    if (method === 'Inspector.targetCrashed') this.#end(sessionId, 'it crashed');
    else this.#sessions.get(sessionId)?.emit(method, params);
  }

  #end(sessionId: string, why: string): void {
    this.#sessions.delete(sessionId);
    this.#rejectAll(sessionId, why);
  }

  /** @param sessionId of the session that has ended; all sessions where it is left out. */
  #rejectAll(sessionId: string | undefined, why: string): void {
    for (const [id, pending] of this.#pending) {
      if (sessionId !== undefined && pending.sessionId !== sessionId) continue;
      this.#pending.delete(id);
      pending.reject(new Error(why));
    }
  }
}

class Session implements AttachedSession {
  readonly #connection: BrowserConnection;
  readonly #id: string;
  readonly #listeners = new Map<string, (params: unknown) => void>();

  constructor(connection: BrowserConnection, id: string) {
    this.#connection = connection;
    this.#id = id;
  }

  send(method: string, params?: object): Promise<unknown> {
    return this.#connection.send(method, params, this.#id);
  }

  /** One listener for each event: nobody else has this session. */
  on(event: string, listener: (params: unknown) => void): void {
    this.#listeners.set(event, listener);
  }

  off(event: string): void {
    this.#listeners.delete(event);
  }

  emit(event: string, params: unknown): void {
    this.#listeners.get(event)?.(params);
  }

  detach(): Promise<void> {
    return this.#connection.detach(this.#id);
  }
}

/**
 * The WebSocket address of a browser that was started with `--remote-debugging-port`.
 *
 * @throws {CannotRunError} where no browser answers there.
 */
export async function endpointOf(browserUrl: string): Promise<string> {
  const hint = 'A browser answers there that was started with --remote-debugging-port.';
  let version: { webSocketDebuggerUrl?: unknown };
  try {
    const address = new URL('/json/version', browserUrl);
    const answer = await fetch(address, { signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS) });
    version = (await answer.json()) as typeof version;
  } catch (error) {
    throw new CannotRunError(`No browser answers at ${browserUrl}: ${reasonOf(error)}. ${hint}`);
  }
  const endpoint = version.webSocketDebuggerUrl;
  if (typeof endpoint === 'string') return endpoint;
  throw new CannotRunError(
    `What answers at ${browserUrl} is no browser: it names no WebSocket address. ${hint}`,
  );
}

function opened(socket: WebSocket, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`nothing came for ${timeoutMs / 1_000} s`));
      socket.close();
    }, timeoutMs);
    socket.onopen = () => {
      clearTimeout(timer);
      resolve();
    };
    socket.onerror = (event) => {
      clearTimeout(timer);
      reject(new Error((event as { message?: string }).message || 'the connection failed'));
    };
  });
}

/** `fetch` says only that it failed; the reason is its `cause`. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const reason = cause as (Error & { code?: string }) | undefined;
  return reason?.code ?? (reason?.message || message);
}
