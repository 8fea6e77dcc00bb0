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
import { UNTOLD_BYTES_PER_HANDLE } from '../../../policy.ts';
import { PuppeteerAttachment, requireScopeSubject } from '../puppeteer-attachment.ts';
import { type CdpSessionLike, isSession, type PageLike } from '../structure.ts';
import { member, type OwningValue } from './remote-values.ts';
import { contextIdsOfPage, keyOfTarget, type ScriptTarget } from './structure.ts';

/** Whether a browsing context belongs to the attachment; `undefined` stands for a worker that belongs to no page. */
export type ContextCoverage = (contextId: string | undefined) => boolean;

/**
 * One realm with a ledger. Handles that a page had before it was attached to have a ledger of their own: only their target is
 * known, not their realm.
 */
interface KnownRealm {
  readonly ledger: SessionLedger;
  /** Kept alive here: the ledger refers to it weakly. */
  readonly sender: ReleaseSession;
  readonly realm: string | undefined;
  readonly contextId: string | undefined;
}

/** The realm that a value comes from. */
export interface Origin {
  readonly realm: string;
  readonly contextId: string | undefined;
  /** The target by which Puppeteer will name the realm when it disowns the value. */
  readonly target: ScriptTarget | undefined;
}

/** The scope and the leak report that a mint belongs to. */
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
  readonly #known = new Set<KnownRealm>();
  readonly #byRealm = new Map<string, KnownRealm>();
  /** By target, the realm that the target stands for now. */
  readonly #byTarget = new Map<string, KnownRealm>();
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
      pressure: options.pressure === 'follow' ? UNTOLD_BYTES_PER_HANDLE : options.pressure,
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
      return super.escape(handle); // That says what is wrong.
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
    for (const { ledger } of this.#known) {
      const found = ledger.find(handle);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** How the scope was opened that a handle has ended with; `undefined` if no scope ended it. @internal */
  endedScopeOf(handle: string): ScopeKind | undefined {
    for (const { ledger } of this.#known) {
      const kind = ledger.endedScopeOf(handle);
      if (kind !== undefined) return kind;
    }
    return undefined;
  }

  /** Enters a value that the client is about to get, and watches for its collection. @internal */
  mint(value: OwningValue, origin: Origin, { scope, trace, isException }: MintOwner): void {
    const { ledger } = this.#realmOf(origin);
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
      else this.#realmFor(target).ledger.enqueueUnknown(handle);
    }
  }

  /** Whether an unanswered command names one of these handles. @internal */
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
    const { ledger } = this.#realmFor(target);
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

  /** Sends the releases of all dropped handles, ahead of the next command. @internal */
  releaseAllNow(): void {
    for (const { ledger } of this.#known) this.sendNow(ledger);
  }

  /** @internal */
  endRealm(realm: string): void {
    const known = this.#byRealm.get(realm);
    if (known !== undefined) this.#close(known);
  }

  /** Ends the realms of a tab, a window or a frame that is gone. @internal */
  endContext(contextId: string): void {
    for (const known of this.#known) if (known.contextId === contextId) this.#close(known);
  }

  /** Ends all realms: the connection is gone, or the page that this attachment is for. @internal */
  endAll(): void {
    for (const known of this.#known) this.#close(known);
  }

  #realmOf({ realm, contextId, target }: Origin): KnownRealm {
    let known = this.#byRealm.get(realm);
    if (known?.ledger.hasEnded !== false) {
      if (known !== undefined) this.#close(known);
      known = this.#open({ realm }, realm, contextId);
      this.#byRealm.set(realm, known);
    }
    if (target !== undefined) this.#byTarget.set(keyOfTarget(target), known);
    return known;
  }

  #realmFor(target: ScriptTarget): KnownRealm {
    const key = keyOfTarget(target);
    let known = this.#byTarget.get(key);
    if (known?.ledger.hasEnded !== false) {
      if (known !== undefined) this.#close(known);
      known = this.#open(target, undefined, 'context' in target ? target.context : undefined);
      this.#byTarget.set(key, known);
    }
    return known;
  }

  #open(target: ScriptTarget, realm: string | undefined, contextId: string | undefined): KnownRealm {
    const sender = this.#createSender(target);
    const known = { ledger: this.openLedger(sender, false), sender, realm, contextId };
    this.#known.add(known);
    return known;
  }

  #close(known: KnownRealm): void {
    this.#known.delete(known);
    if (known.realm !== undefined) this.#byRealm.delete(known.realm);
    for (const [key, others] of this.#byTarget) if (others === known) this.#byTarget.delete(key);
    this.endLedger(known.ledger);
  }
}
