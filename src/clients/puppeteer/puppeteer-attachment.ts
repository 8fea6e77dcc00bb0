/**
 * An attachment to Puppeteer: the sessions that it covers, now and later, and the hook in each.
 *
 * Invariant: a session is hooked by one attachment at most. Only two kinds are hooked: sessions that Puppeteer's auto-attach made,
 * and one that was handed to `attach`. The script may keep ids of the sessions that it made itself.
 */

import { NOT_AWAITED } from '../../batcher/release.ts';
import { PageActions } from '../../handles/acknowledge.ts';
import type { ResolvedAttachOptions } from '../../handles/attach-options.ts';
import { Attachment } from '../../handles/attachment.ts';
import { plainRules } from '../../handles/command-rules.ts';
import type { SessionTap } from '../../handles/observe-session.ts';
import type { HandleScope } from '../../handles/scope.ts';
import type { LeakReport } from '../../observe/leak-report.ts';
import { DEEPEST_NESTING } from '../../policy.ts';
import { describeGiven } from '../given.ts';
import { hookSession } from '../session-hook.ts';
import { claim, type Heir, type Ownership } from '../session-ownership.ts';
import { takesCommandsInOrder } from '../target-type.ts';
import { AskedSessions } from './asked-sessions.ts';
import { targetOf } from './browser-connection.ts';
import { PuppeteerRules } from './command-rules.ts';
import { type WatchedSession, watchConnectionOf } from './connection-watch.ts';
import { type DirectSend, directSend } from './direct-send.ts';
import {
  type AttachedToTarget,
  type BrowserContextLike,
  type BrowserLike,
  type CdpSessionLike,
  type ConnectionLike,
  isBrowser,
  isPage,
  isSession,
  type PageLike,
  type TargetLike,
} from './structure.ts';
import { TracedPages } from './traced-pages.ts';

/** How a session is hooked, by this attachment or by its next owner. */
interface SessionSubject {
  readonly session: CdpSessionLike;
  readonly targetType: string;
  readonly parent: CdpSessionLike | undefined;
  /** `undefined` where only Puppeteer knows it. */
  readonly targetId?: string | undefined;
  /** Whether the user made the session himself, and handed it over. */
  readonly isUsers: boolean;
}

interface HookedSession {
  readonly subject: SessionSubject;
  readonly tap: SessionTap;
  readonly actions: PageActions;
  readonly rules: PuppeteerRules | undefined;
  readonly direct: DirectSend;
  readonly ownership: Ownership;
  readonly watched: WatchedSession;
  readonly unhook: () => void;
}

/** How an attachment learns of sessions to come. */
interface Followed {
  readonly browser: BrowserLike;
  readonly connection: ConnectionLike;
  readonly coverage: Coverage;
  readonly asked: AskedSessions;
}

/** Which of a connection's sessions an attachment is for. */
export interface Coverage {
  includesNew(event: AttachedToTarget, parent: CdpSessionLike | undefined): boolean;
  includesOld(target: TargetLike, session: CdpSessionLike): boolean;
  /** Whether the attachment is over when no session is left. Default `false`: a browser may be without one for a while. */
  readonly endsWithItsSessions?: boolean;
  /** Whether pages that covered pages open are covered too. Default `false`. */
  readonly includesPopups?: boolean;
}

const ATTACHED = 'Target.attachedToTarget';

/** By a page's session, or over WebDriver BiDi by the page itself: the attachment that covers it as a popup. */
const coveringPopups = new WeakMap<object, PuppeteerAttachment>();

/** The attachment that covers a page because another page, which it was made for, has opened it. */
export function attachmentOfPopup(page: PageLike): PuppeteerAttachment | undefined {
  const client = page._client?.();
  return coveringPopups.get(page) ?? (client && coveringPopups.get(client));
}

/** What `attach` gives: the counts of all handles that it covers, and scopes, flushes and leaks. */
export class PuppeteerAttachment extends Attachment {
  readonly #options: ResolvedAttachOptions;
  readonly #sessions = new Map<CdpSessionLike, HookedSession>();
  readonly #tracedPages = new TracedPages();
  /** How many callers of `traceMeanwhile` are tracing. */
  #tracers = 0;
  #followed: Followed | undefined;
  /** Tabs whose page has not come yet, each with the function that ends the wait. */
  readonly #awaitedTabs = new Map<CdpSessionLike, () => void>();

  /** @internal Made by `attach`. */
  constructor(options: ResolvedAttachOptions) {
    super(options);
    this.#options = options;
    this.onDetach(() => {
      this.#unhookAll();
      this.#tracedPages.stop();
    });
    if (options.traceLeaks) this.trace();
  }

  /**
   * A scope over one page, with its frames and workers, present and to come, or over one session that was attached to:
   * every handle minted there while it is open is released at the block's end, whichever code minted it.
   *
   * @example
   * ```ts
   * using scope = releases.openScope(page);
   * ```
   */
  openScope(subject: PageLike | CdpSessionLike): HandleScope {
    requireScopeSubject(subject);
    const root = isSession(subject) ? subject : rootOf(subject);
    return this.cover((ledger) => {
      for (const [session, { tap }] of this.#sessions) {
        if (tap.ledger === ledger) return root !== undefined && isWithin(session, root);
      }
      return false;
    });
  }

  /** @internal */
  covers(session: CdpSessionLike | undefined): boolean {
    return session !== undefined && this.#sessions.has(session);
  }

  /** Hooks a session of Puppeteer's own. @internal */
  adopt(
    session: CdpSessionLike,
    targetType: string,
    parent: CdpSessionLike | undefined,
    targetId?: string,
  ): void {
    this.#hook({ session, targetType, parent, targetId, isUsers: false });
  }

  /** Notes that a page without a session is covered as a popup. @returns a function that ends that. @internal */
  coverPopup(page: object): () => void {
    coveringPopups.set(page, this);
    return () => void coveringPopups.delete(page);
  }

  /** Hooks the session that the user handed over. @internal */
  adoptUsers(session: CdpSessionLike, targetType: string): void {
    this.#hook({ session, targetType, parent: undefined, isUsers: true });
  }

  /**
   * Tells which contexts of an open page are the page's own: those of each frame to the rules of the frame's session, since
   * another session may have the same id for a context of another kind. @internal
   */
  learnFrames(page: PageLike): void {
    for (const frame of page.frames()) {
      const id = frame.mainRealm?.().context?.id;
      const rules = frame.client && this.#sessions.get(frame.client)?.rules;
      if (id !== undefined) rules?.addMainContext(id);
      const utilityId = frame.isolatedRealm?.().context?.id;
      if (utilityId !== undefined) rules?.addUtilityContext(utilityId);
    }
  }

  /** @internal */
  override trace(): LeakReport {
    const report = super.trace();
    if (!this.detached) this.#tracedPages.follow(report);
    return report;
  }

  /** Traces until the returned function is called; for good with `traceLeaks`. @internal */
  traceMeanwhile(): () => void {
    this.#tracers++;
    this.trace();
    return () => {
      if (--this.#tracers > 0 || this.#options.traceLeaks) return;
      this.untrace();
      this.#tracedPages.stop();
    };
  }

  /** Tells of a ledger whether its session is one of a page, a context or the browser. @internal */
  sessionsOf(subject: PageLike | BrowserContextLike | BrowserLike): (ledger: object) => boolean {
    const isOf = membershipIn(subject);
    return (ledger) => {
      for (const [session, { tap }] of this.#sessions) if (tap.ledger === ledger) return isOf(session);
      return true; // Its session has ended.
    };
  }

  /**
   * How many handles the browser holds for Puppeteer, as the ledgers have it, by the id of each target of a page, a context or the
   * browser.
   *
   * @throws Error if nothing is tracked. @internal
   */
  knownIn(subject: PageLike | BrowserContextLike | BrowserLike): Map<string, number> {
    if (this.#options.track === false) throw new Error('nothing is tracked');
    this.stats(); // Answers that have come are entered first.
    const isOf = membershipIn(subject);
    const known = new Map<string, number>();
    for (const [session, { subject: hooked, tap }] of this.#sessions) {
      if (hooked.targetId === undefined || !isOf(session)) continue;
      known.set(hooked.targetId, (known.get(hooked.targetId) ?? 0) + tap.ledger.size);
    }
    return known;
  }

  /** The CDP connection through which the sessions come; `undefined` if none is followed. @internal */
  get connection(): ConnectionLike | undefined {
    return this.#followed?.connection;
  }

  /** Tells calls on a page, and on objects that it gives, from Puppeteer's own, while leaks are traced. @internal */
  tracePage(page: PageLike): void {
    this.#tracedPages.add(page);
  }

  /** The same for a worker that no page has. @internal */
  traceWorker(worker: object): void {
    this.#tracedPages.addWorker(worker);
  }

  /** Follows the sessions that Puppeteer attaches to from now on. @internal */
  follow(browser: BrowserLike, connection: ConnectionLike, coverage: Coverage): void {
    const onAttached = (event: AttachedToTarget) => this.#onAttached(event, undefined);
    const onDetached = (session: CdpSessionLike) => {
      this.#awaitedTabs.get(session)?.();
      this.#forget(session);
    };
    connection.on(ATTACHED, onAttached);
    connection.on('sessiondetached', onDetached);
    const asked = AskedSessions.join(connection);
    this.#followed = { browser, connection, coverage, asked };
    this.onDetach(() => {
      asked.leave();
      connection.off(ATTACHED, onAttached);
      connection.off('sessiondetached', onDetached);
      this.#followed = undefined;
      for (const stop of this.#awaitedTabs.values()) stop();
    });
  }

  #onAttached(event: AttachedToTarget, parent: CdpSessionLike | undefined): void {
    if (this.#followed === undefined) return;
    const { browser, connection, coverage, asked } = this.#followed;
    const session = connection.session(event.sessionId);
    if (session === null || !asked.isAutoAttached(event, browser, parent)) return;
    const { type, targetId, openerId } = event.targetInfo;
    if (coverage.includesNew(event, parent)) {
      this.adopt(session, type, parent, targetId);
    } else if (coverage.includesPopups && this.#coversTarget(openerId)) {
      if (parent !== undefined) this.adopt(parent, 'tab', undefined);
      this.adopt(session, type, parent, targetId);
      if (this.covers(session)) coveringPopups.set(session, this);
    } else if (coverage.includesPopups && type === 'tab') {
      this.#awaitPageOf(session);
    }
  }

  /** Waits for a tab's page, which comes through the tab, because only the page's event names the opener. */
  #awaitPageOf(tab: CdpSessionLike): void {
    if (this.#awaitedTabs.has(tab)) return;
    const stop = (): void => {
      tab.off?.(ATTACHED, onAttached);
      this.#awaitedTabs.delete(tab);
    };
    const onAttached = (event: AttachedToTarget): void => {
      stop();
      this.#onAttached(event, tab);
    };
    tab.on?.(ATTACHED, onAttached);
    this.#awaitedTabs.set(tab, stop);
  }

  #coversTarget(targetId: string | undefined): boolean {
    if (targetId === undefined) return false;
    for (const { subject } of this.#sessions.values()) if (subject.targetId === targetId) return true;
    return false;
  }

  #hook(subject: SessionSubject): void {
    const { session, targetType, parent, targetId, isUsers } = subject;
    if (this.detached || this.#sessions.has(session)) return;
    // A page's attachment may be older than its browser's, which gets the page's sessions when the older one is detached.
    const ownership = claim(session, this, this.#heirTo(subject), parent && { parent, targetType });
    if (ownership === undefined) return;
    const actions = (parent && this.#sessions.get(parent)?.actions) ?? new PageActions();
    const direct = directSend(session);
    const watched = watchConnectionOf(session, targetId);
    let rules: PuppeteerRules | undefined;
    const tap = this.open(direct, {
      isOrdered: takesCommandsInOrder(targetType),
      actions,
      tracks: this.#options.track ?? !isUsers,
      isTracedByCall: !isUsers,
      readsStreams: !isUsers,
      targetState: watched.target,
      createRules: (hold) => {
        if (isUsers) return plainRules;
        rules = new PuppeteerRules(hold, (method, params) =>
          this.#followed?.asked.onSent(session, method, params),
        );
        return rules;
      },
    });
    const unhook = hookSession(session, tap, (event, payload) => {
      rules?.onEvent(event, payload);
      if (event === 'Page.lifecycleEvent') this.#tracedPages.addPageOf(session);
      if (isDisconnected(event)) this.#forget(session);
      else if (event === ATTACHED) this.#onAttached(payload as AttachedToTarget, session);
    });
    this.#sessions.set(session, { subject, tap, actions, rules, direct, ownership, watched, unhook });
  }

  #forget(session: CdpSessionLike): void {
    const hooked = this.#sessions.get(session);
    if (hooked === undefined) return;
    this.#sessions.delete(session);
    coveringPopups.delete(session);
    hooked.unhook();
    hooked.direct.close('Session closed');
    hooked.ownership.end();
    this.end(hooked.tap);
    hooked.watched.end();
    // Otherwise the attachment's listeners would stay on the connection as long as the browser is there, one set for each page.
    const { endsWithItsSessions = hooked.subject.isUsers } = this.#followed?.coverage ?? {};
    if (this.#sessions.size === 0 && endsWithItsSessions) this.detachForAll();
  }

  #unhookAll(): void {
    const hooked = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const { subject, unhook, direct, ownership, rules } of hooked) {
      coveringPopups.delete(subject.session);
      unhook();
      direct.close(NOT_AWAITED);
      ownership.giveUp(rules?.mainContexts ?? []);
    }
    // Last: others that have hooked these sessions by now need the state of the targets.
    for (const { watched } of hooked) watched.end();
  }

  #heirTo(subject: SessionSubject): Heir {
    return {
      succeed: (contextIds) => {
        this.#hook(subject);
        const rules = this.#sessions.get(subject.session)?.rules;
        for (const id of contextIds) rules?.addMainContext(id);
      },
      isOver: () => this.detached,
      // An heir to a page is an heir to the page's frames and workers, too: it would have been told of them by the page.
      forChild: (child, targetType) => {
        if (subject.isUsers || !isSession(child)) return undefined;
        return this.#heirTo({ session: child, targetType, parent: subject.session, isUsers: false });
      },
    };
  }
}

/**
 * The session through which all others of a page come: its tab's, which stays when the page's own is swapped for another.
 */
function rootOf(page: PageLike): CdpSessionLike | undefined {
  const client = page._client?.();
  return client?.parentSession?.() ?? client;
}

/** @returns a function that tells whether a session belongs to a page, a context or the browser. */
function membershipIn(
  subject: PageLike | BrowserContextLike | BrowserLike,
): (session: CdpSessionLike) => boolean {
  if (isBrowser(subject)) return () => true;
  if (!isPage(subject)) return (session) => targetOf(session)?.browserContext?.() === subject;
  return (session) => {
    const client = subject._client?.(); // Read each time: the page's session may be swapped.
    return client === undefined || isWithin(session, client);
  };
}

/** Whether a session is another, or was attached through it: a page's frames and workers. */
function isWithin(session: CdpSessionLike, root: CdpSessionLike): boolean {
  let current: CdpSessionLike | undefined = session;
  for (let depth = 0; current !== undefined && current !== root && depth < DEEPEST_NESTING; depth++) {
    const parent: CdpSessionLike | undefined = current.parentSession?.();
    current = parent === current ? undefined : parent; // Puppeteer gives the session itself where there is no parent.
  }
  return current === root;
}

/** Puppeteer's event for the end of a session is a symbol that it does not export. */
function isDisconnected(event: string | symbol): boolean {
  return typeof event === 'symbol' && event.description === 'CDPSession.Disconnected';
}

/** @throws TypeError for anything that a scope cannot cover. */
export function requireScopeSubject(subject: unknown): void {
  if (isPage(subject) || isSession(subject)) return;
  throw new TypeError(
    `openScope: expected a Puppeteer Page or CDPSession, got ${describeGiven(subject)}; scope(body) covers all`,
  );
}
