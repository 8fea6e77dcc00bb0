import { requireObject } from '../runtime/option-checks.ts';

/** Numbers for sessions, which cannot cross threads themselves. A number is never given twice. */
export class SessionKeys<Session extends object> {
  readonly #sessions = new Map<number, Session>();
  readonly #keys = new WeakMap<Session, number>();
  #last = 0;

  /** The session's number. A session that was forgotten gets the same number again. */
  keyOf(session: Session): number {
    requireObject('keyOf: session', session);
    const key = this.#keys.get(session) ?? ++this.#last;
    this.#keys.set(session, key);
    this.#sessions.set(key, session);
    return key;
  }

  sessionOf(key: number): Session | undefined {
    return this.#sessions.get(key);
  }

  forget(session: Session): void {
    this.#sessions.delete(this.#keys.get(session) ?? 0);
  }

  clear(): void {
    this.#sessions.clear();
  }
}
