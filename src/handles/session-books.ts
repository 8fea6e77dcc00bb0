/**
 * The ledgers of all sessions of one attachment, and what they owe together: what was dropped and has not ended yet. A
 * flush waits for all that had been dropped when it began; after a detach, what commands still name is sent when these
 * are answered, and given up after `releaseTimeoutMs`.
 */

import type { ReleaseSession } from '../batcher/release.ts';
import type { BoundedWait } from '../runtime/event-loop.ts';
import { settledUnattended } from '../runtime/event-loop.ts';
import type { ConsoleEntries } from './console-entries.ts';
import type { HandleRecord } from './ledger/handle-record.ts';
import { SessionLedger, type SessionServices } from './ledger/session-ledger.ts';
import type { Sweeper } from './sweep/sweeper.ts';
import type { TargetState } from './target-state.ts';

export class SessionBooks {
  readonly #services: SessionServices;
  readonly #sweeper: Sweeper;
  readonly #ledgers = new Set<SessionLedger>();
  readonly #consoleEntries = new Map<SessionLedger, ConsoleEntries>();

  constructor(services: SessionServices, sweeper: Sweeper) {
    this.#services = services;
    this.#sweeper = sweeper;
  }

  open(session: ReleaseSession, isOrdered: boolean, target: TargetState): SessionLedger {
    const ledger = new SessionLedger(this.#services, session, isOrdered, target);
    target.addLedger(ledger);
    this.#ledgers.add(ledger);
    return ledger;
  }

  /** The session is over. */
  end(ledger: SessionLedger): void {
    ledger.endings.endSession();
    ledger.target.removeLedger(ledger);
    if (this.#ledgers.delete(ledger)) this.#services.weights.end();
    this.#consoleEntries.delete(ledger);
  }

  has(ledger: SessionLedger): boolean {
    return this.#ledgers.has(ledger);
  }

  get ledgers(): Iterable<SessionLedger> {
    return this.#ledgers;
  }

  /** A store of console messages that a flush empties as well. */
  addConsoleEntries(ledger: SessionLedger, entries: ConsoleEntries): void {
    this.#consoleEntries.set(ledger, entries);
  }

  /** The records that an id may stand for. Another session may have the same id for another object. */
  recordsOf(objectId: string): HandleRecord[] {
    return [...this.#ledgers].flatMap((ledger) => ledger.find(objectId) ?? []);
  }

  /** Resolves when all has ended that was dropped at the call, or the wait is over. */
  async settled(wait: BoundedWait): Promise<void> {
    await this.#sweeper.flush();
    const flush = ++this.#services.flushes.begun;
    const owes = (): boolean =>
      this.#sweeper.owes(flush) || [...this.#ledgers].some((ledger) => ledger.debts.owes(flush));
    for (;;) {
      const change = wait.for(this.#sweeper.changes);
      await this.#sweeper.flush();
      const isAllSent = !owes();
      await this.#services.dispatcher.settled(wait);
      if (wait.isOver || (isAllSent && !owes())) break; // Of what was queued, some may have been named again.
      // What is left is being moved, or named by an unanswered command: it goes when that is over.
      if (!isAllSent) await change;
    }
    await Promise.all([...this.#consoleEntries.values()].map((entries) => entries.flush(wait)));
  }

  /** Detached: what lives is the program's own affair, what was dropped is still sent, and then the batcher closes. */
  forsake(releaseTimeoutMs: number): void {
    // Unhooked, the client's sessions keep them no more; they are needed for what is on its way.
    const sessions = [...this.#ledgers].map(({ queue }) => queue.session);
    for (const ledger of this.#ledgers) {
      ledger.forsake();
      ledger.target.removeLedger(ledger);
      if (!ledger.releases.isOwing) this.#ledgers.delete(ledger);
    }
    const closed =
      this.#ledgers.size === 0 && !this.#sweeper.isBusy
        ? this.#services.dispatcher.closeUnattended()
        : settledUnattended((wait) => this.#owedSent(wait), releaseTimeoutMs).then(() => this.#close());
    void closed.then(() => sessions.splice(0));
  }

  /** Resolves when what was dropped, but could not be released for commands that named it, is on its way. */
  async #owedSent(wait: BoundedWait): Promise<void> {
    while (this.#sweeper.isBusy && !wait.isOver) await wait.for(this.#sweeper.changes);
    for (const ledger of this.#ledgers) {
      while (ledger.releases.isOwing && !wait.isOver) await wait.for(this.#sweeper.changes);
    }
  }

  #close(): Promise<void> {
    for (const ledger of this.#ledgers) ledger.endings.giveUpPinned();
    this.#ledgers.clear();
    return this.#services.dispatcher.closeUnattended();
  }
}
