/// <reference lib="esnext.disposable" preserve="true" />
/**
 * What `attach` gives back: a program's way to the counts of a client's handles. A client's own file knows which sessions
 * there are and how to hook them; it opens and ends their ledgers here.
 *
 * Invariants: once detached, nothing of the client is hooked, and no handle that lives is touched any more. A flush waits for
 * all that had been dropped when it began.
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

/** What the client's own file tells of a session. */
export interface SessionTraits {
  /** Whether the browser takes its commands in the order sent: pages do, workers do not. */
  readonly isOrdered: boolean;
  /** Shared by the sessions of one page. */
  readonly actions: PageActions;
  /** Whether what it mints is watched; if not, only the client's own releases are taken over. */
  readonly tracks: boolean;
  /** Whether the client's own file follows the program's calls; if not, leaks are traced command by command. Default `false`. */
  readonly isTracedByCall?: boolean;
  createRules(hold: CollectionHold): CommandRules;
  /** Whether nobody but the client sends, and it handles each refusal. A program may send by Puppeteer's sessions, too. Default `false`. */
  readonly handlesRefusals?: boolean;
  /** Whether the client reads streams by itself, so that the program has none of their handles. Default `false`. */
  readonly readsStreams?: boolean;
  /** What it has in common with other sessions of its target; by default it is taken for the only one. */
  readonly targetState?: TargetState;
}

/** A handle of some client's: it can be asked for the remote object that it stands for. */
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
    this.#unhooks.push(this.#sessions.memories.stop);
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
    // Where it cannot be told which session's it is, all that have the id escape.
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
    const sessions = this.#sessions; // A timer waits with it, and is to keep no client alive.
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

  /** Another `attach` gets this attachment. A signal gives it back as `detach` does. @internal */
  hold(options: AttachOptions): this {
    warnOfOtherOptions(options, this.#options);
    const { signal } = options;
    if (signal?.aborted) return this;
    this.#holders++;
    if (signal !== undefined) this.#unhooks.push(onAbort(signal, this, detachOf));
    return this;
  }

  /** Detaches, whoever holds it: what it was made for is over. @internal */
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

  /** What is traced, from now on if it was not before. @internal */
  trace(): LeakReport {
    this.#tracing.report ??= new LeakReport(this.#options.now);
    return this.#tracing.report;
  }

  /** Traces no more, and forgets what was traced. @internal */
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
        () => void this.#beingLookedAt.delete(ledger), // It may be gone, or have no heap.
      );
    }
  }

  /** What is traced; `undefined` while nothing is. @internal */
  get leakReport(): LeakReport | undefined {
    return this.#tracing.report;
  }

  /** Opens the ledger of a session, and gives what the client's own file hands commands and events to. @internal */
  open(session: ReleaseSession, traits: SessionTraits): SessionTap {
    const ledger = this.openLedger(session, traits.isOrdered, traits.targetState);
    const consoleEntries =
      this.#options.consoleEntries === 'discard' ? new ConsoleEntries(ledger) : undefined;
    if (consoleEntries !== undefined) this.#sessions.consoleEntries.set(ledger, consoleEntries);
    const rules = traits.createRules(ledger.holds);
    const parts = {
      sender: session,
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
    return new SessionTap(parts, traits.tracks);
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
    this.#answers.run(); // What came before the end ends with it.
    tap.end();
    this.endLedger(tap.ledger);
  }

  /** `end` for a ledger that was opened by `openLedger`. @internal */
  protected endLedger(ledger: SessionLedger): void {
    this.#sessions.end(ledger);
    this.#tracing.report?.forget(ledger);
  }

  /** For a protocol whose commands no tap can read: sends all that was dropped in a session at once. @internal */
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

  /** A scope over those sessions, present and to come, that `includes` says belong to it. @internal */
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

  /** What `detach` has to undo. @internal */
  onDetach(unhook: () => void): void {
    this.#unhooks.push(unhook);
  }
}

function detachOf(attachment: Attachment): void {
  attachment.detach();
}

/** The RemoteObject behind a handle, or the one given: the protocol's has a `type` always. */
function remoteObjectOf(handle: unknown): { readonly objectId?: string | undefined } | undefined {
  if (typeof handle !== 'object' || handle === null) return undefined;
  if (typeof (handle as Partial<RemoteHandle>).remoteObject === 'function') {
    return (handle as RemoteHandle).remoteObject();
  }
  const { type, objectId } = handle as RemoteObject;
  return typeof objectId === 'string' || typeof type === 'string' ? handle : undefined;
}
