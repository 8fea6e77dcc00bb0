/**
 * What the sessions of one target have in common, whoever made them: how what was dropped in each is sent at once, and
 * whether any has a debugger or a profiler on. Commands are noted here before they are sent.
 */
import { measuresMemory, watchingBy } from './protocol.ts';

export class TargetState {
  /** By session, the call that sends what was dropped in it at once. */
  readonly #senders = new Map<unknown, () => void>();
  /** By session, the domains that it has on. */
  readonly #watchers = new Map<unknown, Set<string>>();

  add(session: unknown, sendNow: () => void): void {
    this.#senders.set(session, sendNow);
  }

  /** A session is over, and with it what it had on. */
  remove(session: unknown): void {
    this.#senders.delete(session);
    this.#watchers.delete(session);
  }

  /** Whether a script that is run in the target now would be seen by a debugger or a profiler. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Whether nothing is known of it, and it may be forgotten. */
  get isEmpty(): boolean {
    return this.#senders.size + this.#watchers.size === 0;
  }

  /**
   * A session is about to send a command. One that measures the page's memory first sees released what was dropped, in
   * all sessions.
   *
   * @param session tells the target's sessions apart; whatever its type.
   */
  noteCommand(session: unknown, method: string): void {
    const watching = watchingBy(method);
    if (watching !== undefined) {
      const domains = this.#watchers.get(session) ?? new Set();
      if (watching.isOn) this.#watchers.set(session, domains.add(watching.domain));
      else if (domains.delete(watching.domain) && domains.size === 0) this.#watchers.delete(session);
    } else if (measuresMemory(method)) {
      for (const sendNow of this.#senders.values()) sendNow();
    }
  }
}
