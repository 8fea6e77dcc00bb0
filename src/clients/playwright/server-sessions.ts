/**
 * All sessions that Playwright's server half has with one browser, present and future, and which attachment has each. An
 * attachment is also offered sessions that another one has already: when a page's attachment goes, its browser's takes these over.
 *
 * Invariant: a session is hooked by one attachment at most. Sessions that the script made itself are hooked by none.
 */
import { below, shadow } from '../session-hook.ts';
import { takesCommandsInOrder } from '../target-type.ts';
import type { AttachedToTarget, CdpConnection, CdpSession, ServerBrowser } from './structure.ts';

/** One session of the server's own. */
export interface SessionFacts {
  readonly session: CdpSession;
  readonly parent: SessionFacts | undefined;
  readonly isOrdered: boolean;
  /** The id of the session's browser context; `undefined` for the default context. */
  readonly contextId: string | undefined;
  /** Known for pages, and for all sessions that came while we listened. */
  readonly targetId: string | undefined;
  /** The page that has opened this one, while that page is open. */
  opener: SessionFacts | undefined;
}

/** The part of an attachment that takes sessions. */
export interface SessionTaker {
  takes(facts: SessionFacts): boolean;
  /** Hooks a session. @returns a function that gives it up; with `hasEnded` nothing has to be given back. */
  hook(facts: SessionFacts): (hasEnded: boolean) => void;
}

interface KnownSession {
  readonly facts: SessionFacts;
  readonly undo: (() => void)[];
  taker: SessionTaker | undefined;
  giveUp: (hasEnded: boolean) => void;
}

export class ServerSessions {
  readonly #connection: CdpConnection;
  readonly #known = new Map<CdpSession, KnownSession>();
  /** The oldest first. */
  readonly #takers: SessionTaker[] = [];
  #undoRoot: (() => void)[] = [];
  /** The `Target.attachedToTarget` event that is being dispatched: the server creates the session while it handles the event. */
  #attaching: AttachedToTarget | undefined;

  constructor(connection: CdpConnection) {
    this.#connection = connection;
  }

  /** The sessions of a browser, shared by all attachments to it or to a part of it. */
  static of(browser: ServerBrowser): ServerSessions {
    const { _connection: connection } = browser;
    let sessions = all.get(connection);
    if (sessions === undefined) {
      sessions = new ServerSessions(connection);
      all.set(connection, sessions);
    }
    sessions.#findExisting(browser);
    return sessions;
  }

  /** @returns a function that takes the taker away. After the last, each session is as it was found. */
  add(taker: SessionTaker): () => void {
    this.#takers.push(taker);
    for (const known of this.#known.values()) this.#offer(known);
    return () => this.#remove(taker);
  }

  #remove(taker: SessionTaker): void {
    const index = this.#takers.indexOf(taker);
    if (index >= 0) this.#takers.splice(index, 1);
    for (const known of this.#known.values()) {
      if (known.taker !== taker) continue;
      known.giveUp(false);
      known.taker = undefined;
      this.#offer(known);
    }
    if (this.#takers.length > 0) return;
    for (const { undo } of this.#known.values()) for (const each of undo) each();
    for (const each of this.#undoRoot.splice(0)) each();
    this.#known.clear();
    all.delete(this.#connection);
  }

  #offer(known: KnownSession): void {
    if (known.taker !== undefined) return;
    const taker = this.#takers.find((each) => each.takes(known.facts));
    if (taker === undefined) return;
    known.taker = taker;
    known.giveUp = taker.hook(known.facts);
  }

  #findExisting(browser: ServerBrowser): void {
    if (this.#undoRoot.length > 0) return;
    const { rootSession } = this.#connection;
    const rootDisposeBelow = below(rootSession, 'dispose');
    this.#undoRoot = [
      ...this.#watchChildren(rootSession),
      shadow(rootSession, 'dispose', () => {
        rootDisposeBelow().call(rootSession);
        for (const known of [...this.#known.values()]) this.#end(known); // The connection is gone.
      }),
    ];
    const contextIds = new Map<CdpSession, string | undefined>();
    const pages = new Set<CdpSession>();
    for (const { _sessions: frames, _browserContext: context } of browser._crPages.values()) {
      for (const { _client: client } of frames.values()) {
        pages.add(client);
        contextIds.set(client, context._browserContextId);
      }
    }
    for (const { _session: session, browserContext } of browser._serviceWorkers?.values() ?? []) {
      if (session !== undefined) contextIds.set(session, browserContext?._browserContextId);
    }
    const targets = new Map([...browser._crPages].map(([id, page]) => [page._mainFrameSession._client, id]));
    for (const session of this.#connection._sessions.values()) {
      // The target type of a session that is no page's frame is not known. It is treated as a worker, which is safe for all.
      if (!isServersOwn(session)) continue;
      const targetId = targets.get(session);
      this.#note(session, pages.has(session), contextIds.get(session), { targetId });
    }
  }

  /** Notes each session that the server creates through this one. */
  #watchChildren(session: CdpSession): (() => void)[] {
    const createBelow = below(session, 'createChildSession');
    const emitBelow = below(session, 'emit');
    return [
      shadow(session, 'createChildSession', (sessionId: string, ...rest: [eventListener?: unknown]) => {
        const child = createBelow().call(session, sessionId, ...rest);
        if (isServersOwn(child)) this.#noteNew(child);
        return child;
      }),
      shadow(session, 'emit', (event: string | symbol, payload?: unknown, ...rest: unknown[]) => {
        if (event !== 'Target.attachedToTarget') return emitBelow().call(session, event, payload, ...rest);
        const before = this.#attaching;
        this.#attaching = payload as AttachedToTarget;
        try {
          return emitBelow().call(session, event, payload, ...rest);
        } finally {
          this.#attaching = before;
        }
      }),
    ];
  }

  #noteNew(session: CdpSession): void {
    const target = this.#attaching?.sessionId === session._sessionId ? this.#attaching.targetInfo : undefined;
    this.#note(session, takesCommandsInOrder(target?.type ?? 'other'), target?.browserContextId, target);
  }

  #note(
    session: CdpSession,
    isOrdered: boolean,
    ownContextId: string | undefined,
    target: Partial<AttachedToTarget['targetInfo']> = {},
  ): void {
    if (this.#known.has(session)) return;
    const parent = this.#known.get(session._parentSession as CdpSession)?.facts;
    const contextId = parent?.contextId ?? ownContextId;
    const opener = this.#pageOf(target.openerId);
    const facts: SessionFacts = { session, parent, isOrdered, contextId, targetId: target.targetId, opener };
    const disposeBelow = below(session, 'dispose');
    const known: KnownSession = { facts, undo: [], taker: undefined, giveUp: () => {} };
    known.undo.push(
      ...this.#watchChildren(session),
      shadow(session, 'dispose', () => {
        disposeBelow().call(session);
        this.#end(known);
      }),
    );
    this.#known.set(session, known);
    this.#offer(known);
  }

  #pageOf(targetId: string | undefined): SessionFacts | undefined {
    if (targetId === undefined) return undefined;
    for (const { facts } of this.#known.values()) if (facts.targetId === targetId) return facts;
    return undefined;
  }

  #end(known: KnownSession): void {
    if (!this.#known.delete(known.facts.session)) return;
    // Otherwise the last of a chain of popups would keep the facts of every opener alive.
    for (const { facts } of this.#known.values()) if (facts.opener === known.facts) facts.opener = undefined;
    known.giveUp(true);
    for (const each of known.undo) each();
  }
}

const all = new WeakMap<CdpConnection, ServerSessions>();

/** Whether the server made the session for a target. The browser's own has no objects; others the script has made. */
function isServersOwn(session: CdpSession): boolean {
  return session._sessionId !== '' && session._eventListener === undefined;
}
