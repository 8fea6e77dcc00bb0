/**
 * Keeps the browser's store of console messages empty, with `consoleEntries: 'discard'`. The store holds the arguments of
 * the last thousand messages, apart from any handle. Only `Runtime.discardConsoleEntries` empties it. That command also
 * releases the group `console` in every session of the page (Chromium 156): all handles that came with a console message or
 * an uncaught error.
 *
 * So the command is sent only while no such handle of this session is in use. It also resets the page's counters
 * (`console.count`; timers go on), so it is not sent while a context exists that has counted. We cannot know of handles of other
 * sessions, nor of arguments logged while the command is on its way: these are released with the others.
 */

import { countCommands } from '../batcher/stats.ts';
import { CONSOLE_DELAY_MS } from '../policy.ts';
import { type BoundedWait, Waiters } from '../runtime/event-loop.ts';
import { clearTimeout, setTimeout, unref } from '../timers.ts';
import { beginForeignRelease, CONSOLE_GROUP } from './groups.ts';
import type { SessionLedger } from './session-ledger.ts';

export class ConsoleEntries {
  readonly #ledger: SessionLedger;
  #isEmpty = true;
  /** Contexts that have counted messages: a discard would reset their counters. */
  readonly #counting = new Set<unknown>();
  #isDiscarding = false;
  readonly #discarded = new Waiters();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ledger: SessionLedger) {
    this.#ledger = ledger;
  }

  /** The browser has stored a message. Its arguments are entered. */
  onEntry(message: unknown): void {
    const { type, executionContextId } = (message ?? {}) as ConsoleMessage;
    if (type === 'count') this.#counting.add(executionContextId);
    this.#isEmpty = false;
    this.#discardLater();
  }

  /** Contexts have ended, the given one or `all`, and their counters with them. */
  onContextsEnded(executionContextId: unknown): void {
    if (this.#counting.size === 0) return;
    if (executionContextId === 'all') this.#counting.clear();
    else this.#counting.delete(executionContextId);
    this.#discardLater();
  }

  /** Empties the store now, if it may be. Never rejects. */
  async flush(wait: BoundedWait): Promise<void> {
    this.#discardIfUnused();
    if (this.#isDiscarding) await wait.for(this.#discarded);
  }

  #discardIfUnused(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#isEmpty || this.#isDiscarding || this.#counting.size > 0) return;
    // Once detached, nobody counts the handles that a discard would release.
    if (this.#ledger.hasEnded || this.#ledger.isAbandoned) return;
    const group = this.#ledger.foreignGroups.get(CONSOLE_GROUP);
    if (group !== undefined && group.live + group.pinned > 0) this.#discardLater();
    else void this.#discard();
  }

  #discardLater(): void {
    this.#timer ??= unref(setTimeout(() => this.#discardIfUnused(), CONSOLE_DELAY_MS));
  }

  async #discard(): Promise<void> {
    this.#isEmpty = true;
    this.#isDiscarding = true;
    countCommands(this.#ledger.services.stats, 1);
    const release = beginForeignRelease(this.#ledger, CONSOLE_GROUP);
    try {
      await this.#ledger.queue.ask('Runtime.discardConsoleEntries');
      release.done();
    } catch {
      release.refused(); // Or the session is over: nothing was discarded.
    }
    this.#isDiscarding = false;
    this.#discarded.wake();
  }
}

/** The members of `Runtime.consoleAPICalled` that are read. */
interface ConsoleMessage {
  readonly type?: unknown;
  readonly executionContextId?: unknown;
}
