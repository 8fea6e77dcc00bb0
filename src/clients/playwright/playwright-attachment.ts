/**
 * An attachment to Playwright: the ledgers of all handles of a browser, a context or a page, in both halves of Playwright. Remote
 * objects come through the server half's sessions; a script forgets the client half's handles.
 */

import type { ResolvedAttachOptions } from '../../handles/attach-options.ts';
import { Attachment } from '../../handles/attachment.ts';
import type { RemoteObject } from '../../handles/protocol.ts';
import type { HandleScope } from '../../handles/scope.ts';
import { describeGiven } from '../given.ts';
import { below } from '../session-hook.ts';
import { ClientHandles } from './client-handles.ts';
import { DistantKeeper } from './distant-keeper.ts';
import { heldIdOf } from './held-id.ts';
import { HookedSession, hookOf, noActions, playwrightRules } from './hooked-session.ts';
import { LocalKeeper } from './local-keeper.ts';
import { type Seams, type ServerHalf, seamsOf, serverObjectOf, serverPageOf } from './seams.ts';
import { ServerSessions, type SessionFacts } from './server-sessions.ts';
import { type ChannelOwner, isHandleType, isPage, type PageLike } from './structure.ts';

/** Whether an attachment covers a session of its browser. */
export type Coverage = (facts: SessionFacts) => boolean;

/** What `attach` gives: the counts of all handles that it covers, and scopes, flushes and leaks. */
export class PlaywrightAttachment extends Attachment {
  readonly #options: ResolvedAttachOptions;
  readonly #sessions = new Map<SessionFacts, HookedSession>();
  /** How many callers of `traceMeanwhile` are tracing. */
  #tracers = 0;

  /** @internal Made by `attach`. */
  constructor(options: ResolvedAttachOptions) {
    super(options);
    this.#options = options;
    if (options.traceLeaks) this.trace();
  }

  /**
   * A scope over one page as a block: every handle minted there while it is open is released at the block's end,
   * whoever minted it.
   *
   * @example
   * ```ts
   * using scope = releases.openScope(page);
   * ```
   */
  openScope(page: PageLike): HandleScope {
    if (!isPage(page)) {
      throw new TypeError(
        `openScope: expected Playwright's Page, got ${describeGiven(page)}; scope(body) covers all`,
      );
    }
    const seams = seamsOf(page);
    const session = seams?.server && serverPageOf(seams)._mainFrameSession._client;
    return this.cover((ledger) => {
      for (const [facts, { tap }] of this.#sessions)
        if (tap.ledger === ledger) return isWithin(facts, session);
      return false;
    });
  }

  /**
   * Lets a handle, or a RemoteObject by itself, outlive the scopes around it. Gives it back; for one that is in
   * no scope that is all.
   *
   * @throws TypeError for something that is neither.
   */
  override escape<Handle extends object>(handle: Handle): Handle {
    const owner = handle as Handle & Partial<ChannelOwner>;
    if (!isHandle(owner)) {
      super.escape(handle as Handle & RemoteObject);
      return handle;
    }
    const remoteObject = remoteObjectOf(handle);
    if (remoteObject !== undefined) super.escape(remoteObject);
    return handle;
  }

  /** Traces until the returned function is called; for good with `traceLeaks`. @internal */
  traceMeanwhile(): () => void {
    this.#tracers++;
    this.trace();
    return () => {
      if (--this.#tracers === 0 && !this.#options.traceLeaks) this.untrace();
    };
  }

  /** Tells of a ledger whether its session is covered. @internal */
  sessionsOf(coverage: Coverage): (ledger: object) => boolean {
    return (ledger) => {
      for (const [facts, { tap }] of this.#sessions) if (tap.ledger === ledger) return coverage(facts);
      return true; // Its session has ended.
    };
  }

  /** Covers the client half alone: the server half is in another process. @internal */
  beginDistant({ owner, connection }: Seams): void {
    if (this.#options.track === false) return;
    this.onDetach(ClientHandles.keep(owner, new DistantKeeper(this, connection)));
  }

  /** Covers both halves, where both are in this process. @internal */
  begin({ owner, connection }: Seams, server: ServerHalf, coverage: Coverage): void {
    const tracks = this.#options.track ?? true;
    if (tracks) {
      this.onDetach(ClientHandles.keep(owner, new LocalKeeper(this, connection, server)));
      this.onDetach(() => this.#giveBackIds(server));
    }
    this.onDetach(
      ServerSessions.of(server.browser).add({
        takes: coverage,
        hook: (facts) => this.#hook(facts, tracks),
      }),
    );
  }

  #hook(facts: SessionFacts, tracks: boolean): (hasEnded: boolean) => void {
    const { session, isOrdered } = facts;
    const sendBelow = below(session, 'send');
    const tap = this.open(
      { send: (method, params) => sendBelow().call(session, method, params) },
      {
        isOrdered,
        actions: noActions,
        tracks,
        isTracedByCall: true,
        handlesRefusals: true,
        createRules: () => playwrightRules,
      },
    );
    const hooked = new HookedSession(session, tap, {
      tracks,
      holdsConsoleWeakly: this.#options.consoleEntries === 'discard',
    });
    this.#sessions.set(facts, hooked);
    return (hasEnded) => {
      this.#sessions.delete(facts);
      hooked.unhook();
      if (hasEnded) this.end(tap);
    };
  }

  /** Gives the server's handles their ids as strings, as they would have them without us. */
  #giveBackIds({ dispatchers }: ServerHalf): void {
    const hooked = new Set(this.#sessions.values());
    for (const { _object: object } of dispatchers.values()) {
      const id = heldIdOf(object);
      const hook = id && hookOf(id);
      if (id !== undefined && hook !== undefined && hooked.has(hook)) {
        Reflect.set(object as object, '_objectId', id.toString());
      }
    }
  }
}

function isWithin(facts: SessionFacts, root: unknown): boolean {
  for (let current: SessionFacts | undefined = facts; current !== undefined; current = current.parent) {
    if (current.session === root) return true;
  }
  return false;
}

/** The RemoteObject by which the ledger knows a handle; `undefined` for anything else, and for a handle that is not covered. */
export function remoteObjectOf(handle: unknown): RemoteObject | undefined {
  return isHandle(handle) ? heldIdOf(serverObjectOf(handle._connection, handle))?.remoteObject : undefined;
}

function isHandle(value: unknown): value is ChannelOwner {
  if (typeof value !== 'object' || value === null) return false;
  return isHandleType(Reflect.get(value, '_type')) && Reflect.get(value, '_connection') !== undefined;
}
