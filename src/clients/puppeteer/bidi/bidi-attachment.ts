/**
 * An attachment to a Puppeteer that speaks WebDriver BiDi: the ledger of each realm that it covers. The protocol has no
 * object groups: handles are released by arrays, one realm at a time, and a realm's end frees all that was in it.
 *
 * Invariant: a handle is disowned in the realm that minted it, even if the page has navigated since.
 */

import type { ReleaseSession } from '../../../batcher/release.ts';
import { refusalOf } from '../../../batcher/release.ts';
import { countCommands } from '../../../batcher/stats.ts';
import type { ResolvedAttachOptions } from '../../../handles/attach-options.ts';
import type { RemoteHandle } from '../../../handles/attachment.ts';
import type { ScopeKind } from '../../../handles/handle-table.ts';
import type { RemoteObject } from '../../../handles/protocol.ts';
import type { HandleScope } from '../../../handles/scope.ts';
import type { Handle, SessionLedger } from '../../../handles/session-ledger.ts';
import type { MintTrace } from '../../../observe/leak-report.ts';
import { FIRST_BYTES_PER_HANDLE } from '../../../policy.ts';
import { PuppeteerAttachment, requireScopeSubject } from '../puppeteer-attachment.ts';
import { type CdpSessionLike, isSession, type PageLike } from '../structure.ts';
import { member, type OwningValue } from './remote-values.ts';
import { contextIdsOfPage, keyOfTarget, type ScriptTarget } from './structure.ts';

/** Whether a browsing context belongs to the attachment; `undefined` stands for a worker that belongs to no page. */
export type ContextCoverage = (contextId: string | undefined) => boolean;

/**
 * The ledger of one realm, or of the handles that a page had before it was attached to, which are known by their target
 * only.
 */
interface RealmBooks {
  readonly ledger: SessionLedger;
  /** Kept alive here: the ledger refers to it weakly. */
  readonly sender: ReleaseSession;
  readonly realm: string | undefined;
  readonly contextId: string | undefined;
}

/** Where a value comes from. */
export interface Origin {
  readonly realm: string;
  readonly contextId: string | undefined;
  /** The target by which Puppeteer will name the realm when it disowns the value. */
  readonly target: ScriptTarget | undefined;
}

/** What else a mint belongs to, besides its ledger. */
export interface MintOwner {
  readonly scope: HandleScope | undefined;
  readonly trace: MintTrace | undefined;
  readonly isException: boolean;
}

export class BidiAttachment extends PuppeteerAttachment {
  /** Whether handles that the program no longer references are released. */
  readonly tracks: boolean;
  readonly #coverage: ContextCoverage;
  readonly #createSender: (target: ScriptTarget) => ReleaseSession;
  readonly #books = new Set<RealmBooks>();
  readonly #byRealm = new Map<string, RealmBooks>();
  /** The ledgers that a target's handles are in, for as long as the target stands for the same realm. */
  readonly #byTarget = new Map<string, RealmBooks>();
  #openScopes: { readonly scope: HandleScope; readonly page: PageLike }[] = [];

  /** @internal Made by `attach`. */
  constructor(
    options: ResolvedAttachOptions,
    coverage: ContextCoverage,
    createSender: (target: ScriptTarget) => ReleaseSession,
  ) {
    super({
      ...options,
      groups: false,
      moveSurvivors: false,
      consoleEntries: 'keep',
      // The protocol has no command for the size of a page's heap, so there is nothing to follow.
      pressure: options.pressure === 'follow' ? FIRST_BYTES_PER_HANDLE : options.pressure,
    });
    this.tracks = options.track ?? true;
    this.#coverage = coverage;
    this.#createSender = createSender;
  }

  override openScope(subject: PageLike | CdpSessionLike): HandleScope {
    requireScopeSubject(subject);
    const scope = this.scopes.cover(() => false);
    this.#openScopes = this.#openScopes.filter((open) => !open.scope.hasEnded);
    if (!isSession(subject)) this.#openScopes.push({ scope, page: subject });
    return scope;
  }

  override escape<Handle extends RemoteHandle | RemoteObject>(handle: Handle): Handle {
    const remoteValue = member(handle, 'remoteValue');
    if (typeof remoteValue !== 'function' && typeof member(handle, 'type') !== 'string') {
      return super.escape(handle); // It says what is wrong.
    }
    const value: unknown = typeof remoteValue === 'function' ? remoteValue.call(handle) : handle;
    const id = member(value, 'handle');
    const record = typeof id === 'string' ? this.find(id, undefined) : undefined;
    if (record !== undefined) record.hasEscaped = true;
    return handle;
  }

  /** @internal */
  coversContext(contextId: string | undefined): boolean {
    return this.#coverage(contextId);
  }

  /** The innermost scope that a command for a browsing context belongs to when it is sent now. @internal */
  scopeFor(contextId: string | undefined): HandleScope | undefined {
    const inContext = this.scopes.inContext();
    if (inContext !== undefined || this.#openScopes.length === 0 || contextId === undefined) return inContext;
    return this.#openScopes.findLast(
      ({ scope, page }) => !scope.hasEnded && contextIdsOfPage(page).includes(contextId),
    )?.scope;
  }

  /** The record of a handle, most likely one of the target's. @internal */
  find(handle: string, target: ScriptTarget | undefined): Handle | undefined {
    const likely = target === undefined ? undefined : this.#byTarget.get(keyOfTarget(target));
    const record = likely?.ledger.find(handle);
    if (record !== undefined) return record;
    for (const { ledger } of this.#books) {
      const found = ledger.find(handle);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The way in which the scope was opened with which a handle ended; `undefined` for all other handles. @internal */
  endedScopeOf(handle: string): ScopeKind | undefined {
    for (const { ledger } of this.#books) {
      const kind = ledger.endedScopeOf(handle);
      if (kind !== undefined) return kind;
    }
    return undefined;
  }

  /** Notes a value that the client is about to get, and watches for its collection. @internal */
  mint(value: OwningValue, origin: Origin, { scope, trace, isException }: MintOwner): void {
    const { ledger } = this.#booksOf(origin);
    const record = this.watch.mint(ledger, value, value.handle, undefined, 0);
    if (record === undefined) return;
    if (trace !== undefined) record.origin = this.leakReport?.noteMint(ledger, value, trace, isException);
    scope?.own(record);
  }

  /** Has handles disowned in the background. @internal */
  release(handles: readonly string[], target: ScriptTarget): void {
    for (const handle of handles) {
      const record = this.find(handle, target);
      if (record !== undefined) record.context?.ledger.drop(record, 'disposed');
      else this.#booksFor(target).ledger.enqueueUnknown(handle);
    }
  }

  /** Whether an unanswered command names one of these. @internal */
  isNamed(handles: readonly string[], target: ScriptTarget): boolean {
    return handles.some((handle) => (this.find(handle, target)?.pins ?? 0) > 0);
  }

  /**
   * Counts a `script.disown` of the client's, which is sent unchanged. The client gets the browser's own answer. @internal
   */
  noteDisown(
    handles: readonly string[],
    target: ScriptTarget,
    forward: () => Promise<unknown>,
  ): Promise<unknown> {
    const answer = forward();
    const { ledger } = this.#booksFor(target);
    let count = 0;
    for (const handle of handles) {
      const record = this.find(handle, target);
      if (record !== undefined) {
        if (record.context?.ledger.take(record)) count++;
        continue;
      }
      ledger.takeUnknown();
      count++;
    }
    countCommands(ledger.services.stats, 1);
    const { barriers } = ledger;
    const barrier = barriers.open(count);
    return answer.then(
      (result) => {
        barriers.settle(barrier, 'released');
        return result;
      },
      (error: unknown) => {
        barriers.settle(barrier, refusalOf(error).outcome);
        throw error;
      },
    );
  }

  /** Sends the releases of all that was dropped, ahead of the next command. @internal */
  releaseAllNow(): void {
    for (const { ledger } of this.#books) this.sendNow(ledger);
  }

  /** @internal */
  endRealm(realm: string): void {
    const books = this.#byRealm.get(realm);
    if (books !== undefined) this.#close(books);
  }

  /** A tab, a window or a frame is gone, and with it each of its realms. @internal */
  endContext(contextId: string): void {
    for (const books of this.#books) if (books.contextId === contextId) this.#close(books);
  }

  /** The connection is gone, or the page that this is for, and with it all that it covers. @internal */
  endAll(): void {
    for (const books of this.#books) this.#close(books);
  }

  #booksOf({ realm, contextId, target }: Origin): RealmBooks {
    let books = this.#byRealm.get(realm);
    if (books?.ledger.hasEnded !== false) {
      if (books !== undefined) this.#close(books);
      books = this.#open({ realm }, realm, contextId);
      this.#byRealm.set(realm, books);
    }
    if (target !== undefined) this.#byTarget.set(keyOfTarget(target), books);
    return books;
  }

  #booksFor(target: ScriptTarget): RealmBooks {
    const key = keyOfTarget(target);
    let books = this.#byTarget.get(key);
    if (books?.ledger.hasEnded !== false) {
      if (books !== undefined) this.#close(books);
      books = this.#open(target, undefined, 'context' in target ? target.context : undefined);
      this.#byTarget.set(key, books);
    }
    return books;
  }

  #open(target: ScriptTarget, realm: string | undefined, contextId: string | undefined): RealmBooks {
    const sender = this.#createSender(target);
    const books = { ledger: this.openLedger(sender, false), sender, realm, contextId };
    this.#books.add(books);
    return books;
  }

  #close(books: RealmBooks): void {
    this.#books.delete(books);
    if (books.realm !== undefined) this.#byRealm.delete(books.realm);
    for (const [key, others] of this.#byTarget) if (others === books) this.#byTarget.delete(key);
    this.endLedger(books.ledger);
  }
}
