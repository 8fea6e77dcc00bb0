/**
 * What the sessions of one target have in common, whoever made them: the ledgers that are kept of some, and whether any
 * has a debugger or a profiler on. Commands are noted here before they are sent.
 */
import type { SessionLedger } from './ledger/session-ledger.ts';
import { measuresMemory } from './protocol.ts';

/** Domains to which a script of ours would be told, with the commands that turn them on and off. */
const WATCHING: ReadonlyMap<string, { readonly domain: string; readonly isOn: boolean }> = new Map([
  ['Debugger.enable', { domain: 'Debugger', isOn: true }],
  ['Debugger.disable', { domain: 'Debugger', isOn: false }],
  ['Profiler.enable', { domain: 'Profiler', isOn: true }],
  ['Profiler.disable', { domain: 'Profiler', isOn: false }],
]);

/** Whether a command is one that `TargetState.noteCommand` wants to know of. */
export function concernsTarget(method: string): boolean {
  return measuresMemory(method) || WATCHING.has(method);
}

export class TargetState {
  readonly #ledgers = new Set<SessionLedger>();
  /** By session, the domains that it has on. */
  readonly #watchers = new Map<unknown, Set<string>>();

  addLedger(ledger: SessionLedger): void {
    this.#ledgers.add(ledger);
  }

  removeLedger(ledger: SessionLedger): void {
    this.#ledgers.delete(ledger);
    this.#watchers.delete(ledger);
  }

  /** Whether a script that is run in the target now would be seen by a debugger or a profiler. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Whether nothing is known of it, and it may be forgotten. */
  get isEmpty(): boolean {
    return this.#ledgers.size + this.#watchers.size === 0;
  }

  /**
   * A session is about to send a command. One that measures the page's memory first sees released what was dropped, in
   * all sessions.
   *
   * @param session tells the target's sessions apart; whatever its type.
   */
  noteCommand(session: unknown, method: string): void {
    const watching = WATCHING.get(method);
    if (watching !== undefined) this.#noteWatching(session, watching.domain, watching.isOn);
    else if (measuresMemory(method)) this.#sendAllNow();
  }

  /** A session is over, and with it what it had on. */
  endSession(session: unknown): void {
    this.#watchers.delete(session);
  }

  #noteWatching(session: unknown, domain: string, isOn: boolean): void {
    const domains = this.#watchers.get(session) ?? new Set();
    if (isOn) this.#watchers.set(session, domains.add(domain));
    else if (domains.delete(domain) && domains.size === 0) this.#watchers.delete(session);
  }

  #sendAllNow(): void {
    for (const { services, releases } of this.#ledgers) {
      services.answers.enter();
      releases.sendAllNow();
    }
  }
}
