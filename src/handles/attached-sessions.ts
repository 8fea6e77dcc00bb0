/**
 * The ledgers of one attachment, what they share, and the two waits over all of them: for a flush, and after a detach for the
 * releases that are still to be sent.
 *
 * Invariant: nothing here refers to the attachment, which refers to the client.
 */
import { Dispatcher } from '../batcher/dispatcher.ts';
import type { ReleaseSession } from '../batcher/release.ts';
import type { Tracing } from '../observe/leak-report.ts';
import { LEAST_BYTES_PER_HANDLE } from '../policy.ts';
import {
  type BoundedWait,
  type DeferredTasks,
  SlicedWork,
  settledUnattended,
  Waiters,
} from '../runtime/event-loop.ts';
import type { ResolvedAttachOptions } from './attach-options.ts';
import { AttachmentPressure, CollectionWatch, type PressureStats } from './collection.ts';
import type { ConsoleEntries } from './console-entries.ts';
import { GroupSweep } from './groups.ts';
import type { LedgerStats } from './handle-table.ts';
import {
  type AskablePage,
  FollowingMemory,
  type FollowingServices,
  fixedMemory,
  type PageMemory,
} from './page-memory.ts';
import { type Group, type Handle, type LedgerServices, SessionLedger } from './session-ledger.ts';
import type { TargetState } from './target-state.ts';

export class AttachedSessions {
  readonly ledgers: Set<SessionLedger> = new Set();
  readonly consoleEntries: Map<SessionLedger, ConsoleEntries> = new Map();
  readonly memories: SessionMemories;
  readonly watch: CollectionWatch;
  readonly sweep: GroupSweep;
  readonly #services: LedgerServices;
  readonly #tracing: Readonly<Tracing>;

  constructor(
    options: ResolvedAttachOptions,
    stats: LedgerStats,
    answers: DeferredTasks,
    tracing: Readonly<Tracing>,
  ) {
    const { groups, now, pressure, createRegistry } = options;
    this.#tracing = tracing;
    const movesSurvivors = groups && options.moveSurvivors;
    const touched: Group[] = [];
    this.#services = {
      stats,
      answers,
      dispatcher: new Dispatcher(options, stats),
      touched,
      toTidy: new Set(),
      work: new SlicedWork(() => this.sweep.afterWork()),
      changes: new Waiters(),
      usesGroups: groups,
      movesSurvivors,
      flushes: { begun: 0 },
      now,
    };
    this.sweep = new GroupSweep(this.#services);
    this.watch = new CollectionWatch({ keepsObjects: movesSurvivors, createRegistry });
    this.memories = new SessionMemories(pressure, now, stats);
  }

  open(session: ReleaseSession, isOrdered: boolean, target: TargetState): SessionLedger {
    const services = this.#services;
    const ledger = new SessionLedger(services, session, isOrdered, target);
    const onLook = (pageBytes: number, pageBytesPerHandle: number): void => {
      services.stats.pageBytes = pageBytes;
      services.stats.pageBytesPerHandle = pageBytesPerHandle;
      if (!ledger.hasEnded) this.#tracing.report?.noteHeap(ledger, pageBytes);
    };
    ledger.memory = this.memories.open(ledger.queue, ledger, onLook);
    target.add(ledger, () => {
      services.answers.run();
      this.sweep.sendNow(ledger);
    });
    this.ledgers.add(ledger);
    return ledger;
  }

  /** The session is over. */
  end(ledger: SessionLedger): void {
    ledger.endSession();
    ledger.target.remove(ledger);
    if (this.ledgers.delete(ledger)) this.memories.end();
    this.consoleEntries.delete(ledger);
  }

  /** The records that an id may stand for. Another session may have the same id for another object. */
  recordsOf(objectId: string): Handle[] {
    return [...this.ledgers].flatMap((ledger) => ledger.find(objectId) ?? []);
  }

  /** Resolves when all handles that were dropped before the call have ended, or the wait is over. */
  async settled(wait: BoundedWait): Promise<void> {
    const { flushes, changes, dispatcher } = this.#services;
    await this.sweep.flush();
    const flush = ++flushes.begun;
    const owes = (): boolean =>
      this.sweep.owes(flush) || [...this.ledgers].some((ledger) => ledger.owes(flush));
    for (;;) {
      const change = wait.for(changes);
      await this.sweep.flush();
      const isAllSent = !owes();
      await dispatcher.settled(wait);
      if (wait.isOver || (isAllSent && !owes())) break; // A command may have named some of the queued ones again.
      // The rest is being moved, or named by an unanswered command: it is released when that is over.
      if (!isAllSent) await change;
    }
    await Promise.all([...this.consoleEntries.values()].map((entries) => entries.flush(wait)));
  }

  /**
   * Detaches the ledgers. Live handles are left to the program. The releases of dropped handles are still sent, because they were
   * acknowledged. Dropped handles that commands name are released when the commands are answered, and given up after
   * `releaseTimeoutMs`. Then the dispatcher closes.
   */
  abandon(releaseTimeoutMs: number): void {
    const { dispatcher, work } = this.#services;
    this.sweep.flushLast();
    // The ledgers hold their sessions weakly, and without the hooks nothing else has to: the releases that are left need them.
    const sessions = [...this.ledgers].map(({ queue }) => queue.session);
    for (const ledger of this.ledgers) {
      ledger.abandon();
      ledger.target.remove(ledger);
      if (!ledger.isOwing) this.ledgers.delete(ledger);
    }
    const closed =
      this.ledgers.size === 0 && work.isIdle
        ? dispatcher.closeUnattended()
        : settledUnattended((wait) => this.#owedSent(wait), releaseTimeoutMs).then(() => this.#close());
    void closed.then(() => sessions.splice(0));
  }

  /** Resolves when the releases are queued that had to wait for other turns, or for commands that named their handles. */
  async #owedSent(wait: BoundedWait): Promise<void> {
    const { work, changes } = this.#services;
    while (!work.isIdle && !wait.isOver) await wait.for(changes);
    for (const ledger of this.ledgers) {
      while (ledger.isOwing && !wait.isOver) await wait.for(changes);
    }
  }

  #close(): Promise<void> {
    for (const ledger of this.ledgers) ledger.giveUpPinned();
    this.ledgers.clear();
    return this.#services.dispatcher.closeUnattended();
  }
}

/** Told of each look at a page: its heap, and what one handle stands for there, both in bytes; 0 while unknown. */
export type OnLook = (pageBytes: number, pageBytesPerHandle: number) => void;

/** How much of their pages the sessions of one attachment hold. */
export class SessionMemories {
  readonly #bytes: number | 'follow';
  readonly #now: () => number;
  readonly #pressure: AttachmentPressure;
  /** A new page is taken to be like the last one looked at: in a farm pages live for a second. */
  #lastBytes = 0;
  #sessions = 0;
  #isStopped = false;

  /** @param bytes what each handle is taken to hold: 0 causes no collection, `follow` asks each page. */
  constructor(bytes: number | 'follow', now: () => number, stats: PressureStats) {
    this.#bytes = bytes;
    this.#now = now;
    this.#pressure = new AttachmentPressure(stats, bytes === 'follow' ? LEAST_BYTES_PER_HANDLE : 0);
  }

  open(page: AskablePage, handles: FollowingServices['handles'], onLook: OnLook): PageMemory {
    const pressure = this.#pressure;
    this.#sessions++;
    if (!this.#isStopped && this.#bytes !== 0) pressure.start();
    if (this.#bytes !== 'follow') return fixedMemory(this.#bytes, pressure.add);
    return new FollowingMemory(page, {
      firstBytes: this.#lastBytes,
      handles,
      collections: pressure.collections,
      now: this.#now,
      onMinted: pressure.add,
      onCorrected: pressure.correct,
      onLook,
      onWeighed: (bytes) => {
        this.#lastBytes = bytes;
      },
    });
  }

  /** A session for which a memory was opened is over. Called once for each. */
  end(): void {
    if (--this.#sessions === 0) this.#pressure.stop();
  }

  /** Stops watching this process, for good. */
  stop(): void {
    this.#isStopped = true;
    this.#pressure.stop();
  }
}
