/**
 * What a ledger has of its session: a way to the browser that keeps nothing alive. A registry holds records for as long
 * as their objects live, and a record leads to its ledger. If the ledger led on to the client's session, it would lead
 * to the target, the page, its handles, and so to the very objects that the registry waits for: none would ever be
 * collected. The session itself is kept by those who reach it anyway: by the tap in the client's own session.
 *
 * Invariant: nothing that a ledger reaches is an object of the client's.
 */
import { type OnAnswer, POST, type PostingSession, type ReleaseSession } from '../../batcher/release.ts';

/** What is sent through it once its session is collected, or was let go of, is refused as by a session that is closed. */
export interface WeakSession extends ReleaseSession {
  /** The session itself; whoever takes it keeps it alive. */
  readonly strong: ReleaseSession | undefined;
  /** The session is over. */
  letGo(): void;
}

/** With the members that the session has: by them the batcher tells what it can send at once. */
export function weakly(session: ReleaseSession): WeakSession {
  if (POST in session) return new WeakPostingSession(session as PostingSession);
  return session.releaseObjects === undefined
    ? new WeakSendingSession(session)
    : new WeakBulkSession(session);
}

class WeakSendingSession<Session extends ReleaseSession = ReleaseSession> implements WeakSession {
  #session: WeakRef<Session> | undefined;

  constructor(session: Session) {
    this.#session = new WeakRef(session);
  }

  get strong(): Session | undefined {
    return this.#session?.deref();
  }

  letGo(): void {
    this.#session = undefined;
  }

  send(method: string, params?: Record<string, unknown>): PromiseLike<unknown> {
    return this.strong?.send(method, params) ?? Promise.reject(closed());
  }
}

class WeakBulkSession extends WeakSendingSession {
  releaseObjects(objectIds: readonly string[]): PromiseLike<unknown> {
    return this.strong?.releaseObjects?.(objectIds) ?? Promise.reject(closed());
  }
}

class WeakPostingSession extends WeakSendingSession<PostingSession> implements PostingSession {
  [POST](
    method: string,
    params: Record<string, unknown> | undefined,
    slot: number,
    onAnswer: OnAnswer,
  ): void {
    const session = this.strong;
    if (session === undefined) onAnswer(slot, closed());
    else session[POST](method, params, slot, onAnswer);
  }
}

function closed(): Error {
  return new Error('Session closed');
}
