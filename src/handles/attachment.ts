/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The object that `attach` returns, with the counts of a client's handles, scopes, flushes and leaks. A client's own file knows
 * which sessions there are and how to hook them; it opens and ends their ledgers here.
 *
 * Invariants: once detached, nothing of the client is hooked, and no live handle is touched any more. A flush waits for all
 * handles that were dropped before it began.
 */
import { type FlushOptions, type FlushReport, reportFlush, resolveFlushTimeout } from '../batcher/flush.ts';
import type { ReleaseSession } from '../batcher/release.ts';
import { type Leak, LeakReport, type Tracing } from '../observe/leak-report.ts';
import { onAbort } from '../runtime/abort-listeners.ts';
import { DeferredTasks } from '../runtime/event-loop.ts';
import { requireFunction, show } from '../runtime/option-checks.ts';
import { type PageActions, ReleaseAcknowledger } from './acknowledge.ts';
import { type AttachOptions, type ResolvedAttachOptions, warnOfOtherOptions } from './attach-options.ts';
import { AttachedSessions } from './attached-sessions.ts';
import type { CollectionWatch } from './collection.ts';
import type { CommandRules } from './command-rules.ts';
import { ConsoleEntries } from './console-entries.ts';
import { type AttachmentStats, emptyLedgerStats, type LedgerStats } from './handle-table.ts';
import { SessionTap } from './observe-session.ts';
import { readHeap } from './page-memory.ts';
import type { RemoteObject } from './protocol.ts';
import { type HandleScope, type RunningScope, ScopeStack } from './scope.ts';
import type { SessionLedger } from './session-ledger.ts';
import { Streams } from './streams.ts';
import { TargetState } from './target-state.ts';
import type { CollectionHold } from './unanswered.ts';

/** The facts of a session that the client's own file gives. */
export interface SessionTraits {
  /** Whether the browser takes its commands in the order sent: pages do, workers do not. */
  readonly isOrdered: boolean;
  /** Shared by the sessions of one page. */
  readonly actions: PageActions;
  /** Whether the handles that it mints are watched; if not, only the client's own releases are taken over. */
  readonly tracks: boolean;
  /** Whether the client's own file follows the program's calls; if not, leaks are traced command by command. Default `false`. */
  readonly isTracedByCall?: boolean;
  createRules(hold: CollectionHold): CommandRules;
  /** Whether the client is the only sender, and handles each refusal. By Puppeteer's sessions programs send, too. Default `false`. */
  readonly handlesRefusals?: boolean;
  /** Whether the client reads streams by itself, so that the program has none of their handles. Default `false`. */
  readonly readsStreams?: boolean;
  /** Shared by the sessions of one target. By default the session is taken for the target's only one. */
  readonly targetState?: TargetState;
}

/** A client's handle that can be asked for its remote object. */
export interface RemoteHandle {
  remoteObject(): { readonly objectId?: string | undefined };
}

export class Attachment implements Disposable {
  readonly #options: ResolvedAttachOptions;
  readonly #stats: LedgerStats = emptyLedgerStats();
  readonly #sessions: AttachedSessions;
  readonly #answers = new DeferredTasks();
  readonly #scopes = new ScopeStack(this.#answers);
  readonly #tracing: Tracing = { report: undefined };
  readonly #beingLookedAt = new WeakSet<SessionLedger>();
  readonly #unhooks: (() => void)[] = [];
  #stopListening: () => void = () => {};
  /** Calls of `attach` that have got this attachment, and have not given it back. */
  #holders = 1;
  #isDetached = false;

  /** @internal Made by the clients' `attach`. */
  constructor(options: ResolvedAttachOptions) {
    this.#options = options;
    this.#sessions = new AttachedSessions(options, this.#stats, this.#answers, this.#tracing);
    const { memories } = this.#sessions;
    this.#unhooks.push(() => memories.stop());
    if (options.traceLeaks) this.#tracing.report = new LeakReport(options.now);
    const { signal } = options;
    if (signal?.aborted) this.detachForAll();
    else if (signal !== undefined) this.#stopListening = onAbort(signal, this, detachOf);
  }

  /** Whether it is detached: by `detach`, by its signal, or with the page that it was made for. */
  get detached(): boolean {
    return this.#isDetached;
  }

  /**
   * Runs `body`; every handle minted in it, through any attached session, is released when it ends, by one
   * command a session. Scopes nest, and parallel ones do not mix.
   *
   * @throws what `body` throws; TypeError where it is no function; Error where nothing is tracked.
   * @example
   * ```ts
   * const prices = await releases.scope(async () => {
   *   const cells = await page.$$('td.price');
   *   return Promise.all(cells.map((cell) => cell.evaluate((node) => node.textContent)));
   * });
   * ```
   */
  async scope<T>(body: (scope: RunningScope) => T | PromiseLike<T>): Promise<T> {
    requireFunction('scope: body', body);
    this.#requireTracking('scope');
    return this.#scopes.run(body);
  }

  /**
   * Lets a handle, or a RemoteObject by itself, outlive the scopes around it. Gives it back; for one that is in
   * no scope that is all.
   *
   * @throws TypeError for something that is neither.
   */
  escape<Handle extends RemoteHandle | RemoteObject>(handle: Handle): Handle {
    this.#answers.run();
    const remoteObject = remoteObjectOf(handle);
    if (remoteObject === undefined) {
      throw new TypeError(`escape: expected a handle or a RemoteObject, got ${show(handle)}`);
    }
    const { objectId } = remoteObject;
    if (objectId === undefined) return handle; // A primitive: nothing is held, so nothing can be taken away.
    // If the session cannot be told, the handles of all sessions with this id escape.
    const records = this.#sessions.recordsOf(objectId);
    const own = records.filter((record) => record.remoteObject?.deref() === remoteObject);
    for (const record of own.length > 0 ? own : records) record.hasEscaped = true;
    return handle;
  }

  /**
   * Waits until everything dropped so far has been answered or has timed out. What the garbage collector has
   * not found yet is not dropped yet.
   *
   * @throws TypeError or RangeError for a bad `timeoutMs`; nothing else.
   */
  async flush(options: FlushOptions = {}): Promise<FlushReport> {
    const timeoutMs = resolveFlushTimeout(options, this.#options.releaseTimeoutMs);
    const sessions = this.#sessions; // Not `this`: a timer holds the callback, and must not keep a client alive.
    return reportFlush(this.#stats, (wait) => sessions.settled(wait), timeoutMs);
  }

  /** The counts as of now; a copy. */
  stats(): AttachmentStats {
    this.#answers.run();
    const { commands, released } = this.#stats;
    return { ...this.#stats, commandsPerFreedHandle: released === 0 ? 0 : commands / released };
  }

  /**
   * The lines of the program that forgot handles, or hold some now, the worst first. Empty unless attached
   * with `traceLeaks: true`.
   */
  leaks(): Leak[] {
    return this.#tracing.report?.list() ?? [];
  }

  /**
   * Gives back what one `attach` took. The last to do so leaves the client as it was found, and handles that live on are
   * the program's own affair again. Once detached, it does nothing.
   */
  detach(): void {
    if (--this.#holders <= 0) this.detachForAll();
  }

  /** Counts another `attach` that gets this attachment. Its signal gives the attachment back as `detach` does. @internal */
  hold(options: AttachOptions): this {
    warnOfOtherOptions(options, this.#options);
    const { signal } = options;
    if (signal?.aborted) return this;
    this.#holders++;
    if (signal !== undefined) this.#unhooks.push(onAbort(signal, this, detachOf));
    return this;
  }

  /** Detaches for all holders at once: the browser, page or session that it was made for is over. @internal */
  detachForAll(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#answers.run();
    this.#stopListening(); // The signal may outlive many attachments.
    for (const unhook of this.#unhooks.splice(0)) unhook();
    this.#sessions.abandon(this.#options.releaseTimeoutMs);
  }

  [Symbol.dispose](): void {
    this.detach();
  }

  /** Traces leaks from now on, if they are not traced already. @internal */
  trace(): LeakReport {
    this.#tracing.report ??= new LeakReport(this.#options.now);
    return this.#tracing.report;
  }

  /** Stops tracing, and forgets the report. @internal */
  protected untrace(): void {
    this.#tracing.report = undefined;
  }

  /** Asks each page for its heap, in the background and once at a time; the leak report is told. @internal */
  lookAtHeaps(): void {
    for (const ledger of this.#sessions.ledgers) {
      if (!ledger.isOrdered || this.#beingLookedAt.has(ledger)) continue; // Pages only; one that hangs is asked once.
      this.#beingLookedAt.add(ledger);
      readHeap(ledger.queue).then(
        (usedBytes) => {
          this.#beingLookedAt.delete(ledger);
          if (this.#sessions.ledgers.has(ledger)) this.#tracing.report?.noteHeap(ledger, usedBytes);
        },
        () => void this.#beingLookedAt.delete(ledger), // The page may be gone, or have no heap.
      );
    }
  }

  /** The leak report; `undefined` while nothing is traced. @internal */
  get leakReport(): LeakReport | undefined {
    return this.#tracing.report;
  }

  /** Opens the ledger of a session, and gives the tap to which the client's own file hands commands and events. @internal */
  open(session: ReleaseSession, traits: SessionTraits): SessionTap {
    const ledger = this.openLedger(session, traits.isOrdered, traits.targetState);
    const consoleEntries =
      this.#options.consoleEntries === 'discard' ? new ConsoleEntries(ledger) : undefined;
    if (consoleEntries !== undefined) this.#sessions.consoleEntries.set(ledger, consoleEntries);
    const rules = traits.createRules(ledger.holds);
    const parts = {
      sender: session,
      tracks: traits.tracks,
      ledger,
      watch: this.watch,
      acknowledger: new ReleaseAcknowledger(ledger, traits.actions, rules),
      scopes: this.#scopes,
      rules,
      tracing: this.#tracing,
      isTracedByCall: traits.isTracedByCall ?? false,
      handlesRefusals: traits.handlesRefusals ?? false,
      consoleEntries,
      streams: traits.tracks && traits.readsStreams ? new Streams(ledger) : undefined,
    };
    return new SessionTap(parts);
  }

  /** The ledger alone, for a protocol whose commands no tap can read. The caller keeps the session alive. @internal */
  protected openLedger(
    session: ReleaseSession,
    isOrdered: boolean,
    target: TargetState = new TargetState(),
  ): SessionLedger {
    return this.#sessions.open(session, isOrdered, target);
  }

  /** Ends the ledger of a session that is over. @internal */
  end(tap: SessionTap): void {
    this.#answers.run(); // The handles of answers that came before the end, end with the session.
    tap.end();
    this.endLedger(tap.ledger);
  }

  /** `end` for a ledger that was opened by `openLedger`. @internal */
  protected endLedger(ledger: SessionLedger): void {
    this.#sessions.end(ledger);
    this.#tracing.report?.forget(ledger);
  }

  /** For a protocol whose commands no tap can read: sends the releases of all dropped handles of a session at once. @internal */
  protected sendNow(ledger: SessionLedger): void {
    this.#sessions.sweep.sendNow(ledger);
  }

  /** Enters remote objects in ledgers. @internal */
  protected get watch(): CollectionWatch {
    return this.#sessions.watch;
  }

  /** For a protocol whose commands no tap can read. @internal */
  protected get scopes(): ScopeStack {
    return this.#scopes;
  }

  /** Opens a scope over the present and future sessions for which `includes` is true. @internal */
  cover(includes: (ledger: SessionLedger) => boolean): HandleScope {
    this.#requireTracking('openScope');
    return this.#scopes.cover(includes);
  }

  #requireTracking(caller: string): void {
    if (this.#options.track !== false) return;
    throw new Error(
      `${caller}: nothing is tracked here, so nothing would be released; attach with { track: true }`,
    );
  }

  /** Has a function called by `detach`. @internal */
  onDetach(unhook: () => void): void {
    this.#unhooks.push(unhook);
  }
}

function detachOf(attachment: Attachment): void {
  attachment.detach();
}

/** The RemoteObject of a handle, or the given RemoteObject itself: the protocol's always has a `type`. */
function remoteObjectOf(handle: unknown): { readonly objectId?: string | undefined } | undefined {
  if (typeof handle !== 'object' || handle === null) return undefined;
  if (typeof (handle as Partial<RemoteHandle>).remoteObject === 'function') {
    return (handle as RemoteHandle).remoteObject();
  }
  const { type, objectId } = handle as RemoteObject;
  return typeof objectId === 'string' || typeof type === 'string' ? handle : undefined;
}
