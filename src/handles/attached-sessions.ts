/**
 * The ledgers of one attachment, and what they share; with the two waits over all of them: for a flush, and for what is left
 * at a detach.
 *
 * Invariant: nothing here leads to the attachment, which leads to the client.
 */
import { Dispatcher } from '../batcher/dispatcher.ts';
import type { ReleaseSession } from '../batcher/release.ts';
import type { Tracing } from '../observe/leak-report.ts';
import { FIRST_BYTES_PER_HANDLE, LEAST_BYTES_PER_HANDLE } from '../policy.ts';
import {
  type BoundedWait,
  type DeferredTasks,
  SlicedWork,
  settledUnattended,
  Waiters,
} from '../runtime/event-loop.ts';
import type { ResolvedAttachOptions } from './attach-options.ts';
import { CollectionWatch, SuspectsOfAttachment } from './collection.ts';
import type { ConsoleEntries } from './console-entries.ts';
import { GroupSweep } from './groups.ts';
import type { LedgerStats } from './handle-table.ts';
import { type AskablePage, FollowingMemory, fixedMemory, type PageMemory } from './page-memory.ts';
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
      work: new SlicedWork(() => this.sweep.afterWork()),
      changes: new Waiters(),
      usesGroups: groups,
      movesSurvivors,
      flushes: { begun: 0 },
      now,
    };
    this.sweep = new GroupSweep(this.#services);
    this.watch = new CollectionWatch({ keepsObjects: movesSurvivors, createRegistry });
    this.memories = pressure === 'follow' ? followingMemories(now, stats) : fixedMemories(pressure, stats);
  }

  open(session: ReleaseSession, isOrdered: boolean, target: TargetState): SessionLedger {
    const services = this.#services;
    const ledger = new SessionLedger(services, session, isOrdered, target);
    const onLook = (pageBytes: number, pageBytesPerHandle: number): void => {
      services.stats.pageBytes = pageBytes;
      services.stats.pageBytesPerHandle = pageBytesPerHandle;
      if (!ledger.hasEnded) this.#tracing.report?.noteHeap(ledger, pageBytes);
    };
    ledger.memory = this.memories.open(ledger.queue, () => ledger.size, onLook);
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

  /** Resolves when all has ended that was dropped at the call, or the wait is over. */
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
      if (wait.isOver || (isAllSent && !owes())) break; // Of what was queued, some may have been named again.
      // What is left is being moved, or named by an unanswered command: it goes when that is over.
      if (!isAllSent) await change;
    }
    await Promise.all([...this.consoleEntries.values()].map((entries) => entries.flush(wait)));
  }

  /**
   * Detached: what lives is the program's own affair. What was dropped is still sent, for it was acknowledged; what commands
   * name is sent when these are answered, and given up after `releaseTimeoutMs`. Then the dispatcher closes.
   */
  abandon(releaseTimeoutMs: number): void {
    const { dispatcher, work } = this.#services;
    this.sweep.flushLast();
    // Unhooked, the client's sessions keep them no more; they are needed for what is on its way.
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

  /** Resolves when what was dropped, but could not be released in the call, or for commands that named it, is on its way. */
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

/** What the sessions of one attachment hold of their pages. */
export interface SessionMemories {
  /** @param countHandles how many handles the browser holds for the session. */
  open(page: AskablePage, countHandles: () => number, onLook: OnLook): PageMemory;
  /** A session for which one was opened is over. Once for each. */
  end(): void;
  /** Stops watching this process, for good. */
  stop(): void;
}

/** Told of each look at a page: its heap, and what a handle stands for there, in bytes; 0 while unknown. */
export type OnLook = (pageBytes: number, pageBytesPerHandle: number) => void;

/** The counts that the memories of an attachment keep, and the one that they read. */
export type MemoryStats = Pick<LedgerStats, 'live' | 'chargedBytes' | 'bytesPerHandle'>;

/** Each handle is taken to hold the same number of bytes; with 0 no collection is ever caused. */
function fixedMemories(bytes: number, stats: MemoryStats): SessionMemories {
  if (bytes === 0) return { open: () => fixedMemory(0), end: () => {}, stop: () => {} };
  return memoriesBy(stats, (_page, onMinted) => fixedMemory(bytes, onMinted));
}

/** Each follows its page. A new page is taken to be like the last one looked at: in a farm pages live for a second. */
export function followingMemories(now: () => number, stats: MemoryStats): SessionMemories {
  let lastBytes = FIRST_BYTES_PER_HANDLE;
  const onWeighed = (bytes: number): void => {
    lastBytes = bytes;
  };
  return memoriesBy(
    stats,
    (page, onMinted, countHandles, onLook) =>
      new FollowingMemory(page, {
        firstBytes: lastBytes,
        countHandles,
        now,
        onMinted: (handles, bytes) => onMinted(handles, Math.max(bytes, LEAST_BYTES_PER_HANDLE)),
        onLook,
        onWeighed,
      }),
  );
}

type OpenMemory = (
  page: AskablePage,
  onMinted: (handles: number, bytesPerHandle: number) => void,
  countHandles: () => number,
  onLook: OnLook,
) => PageMemory;

function memoriesBy(stats: MemoryStats, open: OpenMemory): SessionMemories {
  const suspects = new SuspectsOfAttachment(stats);
  const onMinted = (handles: number, bytesPerHandle: number): void => {
    stats.bytesPerHandle = bytesPerHandle;
    stats.chargedBytes = suspects.add(handles, bytesPerHandle);
  };
  let sessions = 0;
  let isStopped = false;
  return {
    open: (page, countHandles, onLook) => {
      sessions++;
      if (!isStopped) suspects.start();
      return open(page, onMinted, countHandles, onLook);
    },
    end: () => {
      if (--sessions === 0) suspects.stop();
    },
    stop: () => {
      isStopped = true;
      suspects.stop();
    },
  };
}
