/**
 * The state that the sessions of one target share, whoever made them: whether any has a debugger or a profiler on, and the calls
 * that send the releases of each session at once. Commands are noted here before they are sent.
 */

/** Whether a command measures what the page holds: handles that are dropped and not released would be in the figure. */
export function measuresMemory(method: string): boolean {
  return (
    method.startsWith('HeapProfiler.') ||
    method.startsWith('Memory.') ||
    method === 'Performance.getMetrics' ||
    method === 'Runtime.getHeapUsage' ||
    method === 'Runtime.queryObjects'
  );
}

/** Commands that turn on or off a domain that would report a script of ours. */
const WATCHING = /^(Debugger|Profiler)\.(enable|disable)$/;

/** Whether `TargetState.noteCommand` has to be told of a command. */
export const concernsTarget = (method: string): boolean => measuresMemory(method) || WATCHING.test(method);

export class TargetState {
  /** By session, the call that sends the releases of its dropped handles at once. */
  readonly #senders = new Map<unknown, () => void>();
  /** By session, the domains that are on in it. */
  readonly #watchers = new Map<unknown, Set<string>>();

  add(session: unknown, sendNow: () => void): void {
    this.#senders.set(session, sendNow);
  }

  /** A session is over: its domains are off. */
  remove(session: unknown): void {
    this.#senders.delete(session);
    this.#watchers.delete(session);
  }

  /** Whether a script that is run in the target now would be seen by a debugger or a profiler. */
  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Whether nothing is entered here, so that it may be forgotten. */
  get isEmpty(): boolean {
    return this.#senders.size + this.#watchers.size === 0;
  }

  /**
   * A session is about to send a command. If it measures the page's memory, all sessions send the releases of their dropped handles
   * first.
   *
   * @param session any value by which the target's sessions are told apart.
   */
  noteCommand(session: unknown, method: string): void {
    const [, domain, verb] = WATCHING.exec(method) ?? [];
    if (domain !== undefined) {
      const domains = this.#watchers.get(session) ?? new Set();
      if (verb === 'enable') this.#watchers.set(session, domains.add(domain));
      else if (domains.delete(domain) && domains.size === 0) this.#watchers.delete(session);
    } else if (measuresMemory(method)) {
      for (const sendNow of this.#senders.values()) sendNow();
    }
  }
}
