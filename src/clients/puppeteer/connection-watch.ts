/**
 * Sees the commands of all sessions of a connection on their way out, including sessions that the script made itself, and notes
 * them in the state of their target (`TargetState`). Of most commands it reads only the name.
 *
 * Invariant: a connection is hooked once, while one of its sessions is, however many attachments there are.
 */
import { factsOf } from '../../handles/protocol.ts';
import { TargetState } from '../../handles/target-state.ts';
import { shadow } from '../session-hook.ts';
import { targetOf } from './browser-connection.ts';
import { DirectCommand } from './direct-command.ts';
import type { CdpSessionLike, ConnectionLike } from './structure.ts';

/** None of these is public in Puppeteer. Versions 22 to 25 and their forks have them. */
interface WatchableConnection extends ConnectionLike {
  _rawSend(
    callbacks: unknown,
    method: string,
    params: unknown,
    sessionId: string | undefined,
    ...rest: unknown[]
  ): unknown;
  readonly _sessions?: ReadonlyMap<string, CdpSessionLike>;
}

/** A session that listens to one of these events has its debugger on, maybe since before anything was watched. */
const DEBUGGER_EVENTS = ['Debugger.scriptParsed', 'Debugger.paused'];

const watches = new WeakMap<ConnectionLike, ConnectionWatch>();
/** Above 0 while a command of our own is being sent. */
let ownSends = 0;

/** Sends a command of our own, which the watch does not note. */
export function sendUnwatched<Answer>(send: () => Answer): Answer {
  ownSends++;
  try {
    return send();
  } finally {
    ownSends--;
  }
}

/** One hooked session's share in the watch. */
export interface WatchedSession {
  readonly target: TargetState;
  /** The session is no longer hooked. */
  end(): void;
}

/**
 * Watches the connection of a session while the session is hooked.
 *
 * @param targetId given if Puppeteer may not know it yet.
 */
export function watchConnectionOf(session: CdpSessionLike, targetId: string | undefined): WatchedSession {
  const connection = session.connection();
  if (!isWatchable(connection)) return { target: new TargetState(), end: () => {} };
  let watch = watches.get(connection);
  if (watch === undefined) {
    watch = new ConnectionWatch(connection);
    watches.set(connection, watch);
  }
  return watch.add(targetId ?? keyOf(session));
}

class ConnectionWatch {
  readonly #connection: WatchableConnection;
  readonly #unshadow: () => void;
  /** By target, or by session if the target is not known. */
  readonly #targets = new Map<unknown, TargetState>();
  #sessions = 0;
  readonly #onDetached = (session: CdpSessionLike): void => {
    for (const [key, target] of this.#targets) {
      target.remove(session.id());
      this.#forgetIfEmpty(key, target);
    }
  };

  constructor(connection: WatchableConnection) {
    this.#connection = connection;
    const { _rawSend } = connection;
    this.#unshadow = shadow(
      connection,
      '_rawSend',
      (callbacks: unknown, method: string, params: unknown, sessionId?: string, ...rest: unknown[]) => {
        if (sessionId !== undefined && factsOf(method).concernsTarget) {
          const isOurs = ownSends > 0 || callbacks instanceof DirectCommand;
          if (!isOurs) this.#note(sessionId, method);
        }
        return _rawSend.call(connection, callbacks, method, params, sessionId, ...rest);
      },
    );
    connection.on('sessiondetached', this.#onDetached);
    for (const session of connection._sessions?.values() ?? []) {
      if (DEBUGGER_EVENTS.some((event) => (session.listenerCount?.(event) ?? 0) > 0)) {
        this.#note(session.id(), 'Debugger.enable');
      }
    }
  }

  add(key: unknown): WatchedSession {
    this.#sessions++;
    const target = this.#targetFor(key);
    return {
      target,
      end: () => {
        this.#forgetIfEmpty(key, target);
        if (--this.#sessions === 0) this.#stop();
      },
    };
  }

  #note(sessionId: string, method: string): void {
    const session = this.#connection.session(sessionId);
    if (session === null) return;
    const key = keyOf(session);
    const target = this.#targetFor(key);
    target.noteCommand(sessionId, method);
    this.#forgetIfEmpty(key, target);
  }

  #targetFor(key: unknown): TargetState {
    let target = this.#targets.get(key);
    if (target === undefined) {
      target = new TargetState();
      this.#targets.set(key, target);
    }
    return target;
  }

  #forgetIfEmpty(key: unknown, target: TargetState): void {
    if (target.isEmpty) this.#targets.delete(key);
  }

  #stop(): void {
    this.#unshadow();
    this.#connection.off('sessiondetached', this.#onDetached);
    watches.delete(this.#connection);
  }
}

/** The key that the sessions of one target share. */
function keyOf(session: CdpSessionLike): unknown {
  return targetOf(session)?._targetId ?? session;
}

function isWatchable(connection: ConnectionLike | undefined): connection is WatchableConnection {
  return typeof (connection as Partial<WatchableConnection> | undefined)?._rawSend === 'function';
}
