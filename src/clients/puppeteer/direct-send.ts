/**
 * The cheap way to the browser, for commands whose failure nobody reads. It leaves out the timer, the Error and the four promises
 * that Puppeteer makes for a command: these cost more than twice as much as the message itself. Versions 24 and 25 have the members
 * that it needs. If one is missing, `session.send` without a timer is used.
 */
import { POST, type PostingSession, type ReleaseSession } from '../../batcher/release.ts';
import { below, shadow } from '../session-hook.ts';
import { sendUnwatched } from './connection-watch.ts';
import { DirectCommand, type DirectRoute } from './direct-command.ts';
import type { CdpSessionLike, ConnectionLike } from './structure.ts';

/** None of these is public in Puppeteer. */
interface DirectConnection extends ConnectionLike {
  _rawSend(
    callbacks: Callbacks,
    method: string,
    params: Record<string, unknown> | undefined,
    sessionId: string,
    options: { readonly timeout: number },
  ): PromiseLike<unknown>;
  readonly _idGenerator: () => number;
}
interface DirectSession extends CdpSessionLike {
  onMessage(reply: Reply): void;
  hasCallback(id: number): boolean;
}
/** The part of Puppeteer's register of unanswered commands that `_rawSend` uses. */
interface Callbacks {
  create(method: string, timeoutMs: number, send: (id: number) => void): PromiseLike<unknown>;
}
interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message?: string };
}
export interface DirectSend extends ReleaseSession {
  /**
   * Leaves the session as it was found. Commands sent from now on go through the session itself. Unanswered commands are rejected
   * with `reason`.
   */
  close(reason: string): void;
}

export function directSend(session: CdpSessionLike): DirectSend {
  const connection = session.connection();
  return isDirectSession(session) && isDirectConnection(connection)
    ? throughConnection(session, connection)
    : throughSession(session);
}

function throughSession(session: CdpSessionLike): DirectSend {
  const { send } = session;
  return {
    send: (method, params) => sendUnwatched(() => send.call(session, method, params, NO_TIMER)),
    close: () => {},
  };
}

function throughConnection(
  session: DirectSession,
  connection: DirectConnection,
): DirectSend & PostingSession {
  const waiting = new Map<number, DirectCommand>();
  const route: DirectRoute = { waiting, nextId: () => connection._idGenerator() };
  // As `below`, by name: see `session-hook.ts`.
  const beneath = Object.getPrototypeOf(session) as DirectSession;
  const ownOnMessage = Object.hasOwn(session, 'onMessage') ? session.onMessage : undefined;
  const hasCallbackBelow = below(session, 'hasCallback');
  const sessionId = session.id();
  const plain = throughSession(session);
  let isClosed = false;

  const unshadow = [
    shadow(session, 'onMessage', (reply: Reply) => {
      const command = waiting.size === 0 || reply.id === undefined ? undefined : waiting.get(reply.id);
      if (command === undefined || reply.id === undefined)
        return (ownOnMessage ?? beneath.onMessage).call(session, reply);
      waiting.delete(reply.id);
      command.answer(reply.result, reply.error && new Error(reply.error.message));
    }),
    // Puppeteer calls this to find the session of an answer that does not name one.
    shadow(session, 'hasCallback', (id: number) => waiting.has(id) || hasCallbackBelow().call(session, id)),
  ];
  const post: PostingSession[typeof POST] = (method, params, slot, onAnswer) => {
    const command = new DirectCommand(route, slot, onAnswer);
    try {
      const given =
        isClosed || session.detached === true
          ? plain.send(method, params)
          : connection._rawSend(command, method, params, sessionId, NO_TIMER);
      if (given !== command) command.follow(given);
    } catch (error) {
      command.refuse(error);
    }
  };

  return {
    [POST]: post,
    send: (method, params) =>
      new Promise((resolve, reject) => {
        post(method, params, 0, (_slot, reason, result) =>
          reason === undefined ? resolve(result) : reject(reason),
        );
      }),
    close: (reason) => {
      isClosed = true;
      for (const undo of unshadow) undo();
      const commands = [...waiting.values()];
      waiting.clear();
      for (const command of commands) command.refuse(new Error(reason));
    },
  };
}

const NO_TIMER = { timeout: 0 };

function isDirectSession(session: CdpSessionLike): session is DirectSession {
  const candidate = session as Partial<DirectSession>;
  return typeof candidate.onMessage === 'function' && typeof candidate.hasCallback === 'function';
}

function isDirectConnection(connection: ConnectionLike | undefined): connection is DirectConnection {
  const candidate = connection as Partial<DirectConnection> | undefined;
  return typeof candidate?._rawSend === 'function' && typeof candidate._idGenerator === 'function';
}
