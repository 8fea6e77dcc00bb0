/**
 * Tells sessions that Puppeteer's auto-attach made from those that the script asked for, whose object ids it may keep as
 * strings. The event `Target.attachedToTarget` is the same for both, and Puppeteer itself takes some for its own: of two
 * `createCDPSession()` at once the second, and each that is made by `Target.attachToTarget`. So what is told apart is the
 * asking: the event of a session that was asked for comes while that command is unanswered, by the same way.
 *
 * Invariant: where it cannot be told, the session is the script's.
 */
import type { Params } from '../../handles/protocol.ts';
import { below, shadow } from '../session-hook.ts';
import { allTargets } from './browser-connection.ts';
import type {
  AttachedToTarget,
  BrowserLike,
  CdpSessionLike,
  ConnectionLike,
  TargetLike,
} from './structure.ts';

const ASKING = 'Target.attachToTarget';

/** One `Target.attachToTarget` that is unanswered. */
interface Asking {
  /** The session, or the connection, that it was sent by, and that the event of the session will come by. */
  readonly way: CdpSessionLike | ConnectionLike;
  readonly targetId: unknown;
}

const ofConnections = new WeakMap<ConnectionLike, AskedSessions>();

/** What is asked for by one connection; shared by all attachments that follow it. */
export class AskedSessions {
  readonly #connection: ConnectionLike;
  readonly #unanswered = new Set<Asking>();
  #followers = 0;
  #unshadow: () => void = () => {};

  private constructor(connection: ConnectionLike) {
    this.#connection = connection;
  }

  /** Follows what is asked for until `leave`. */
  static join(connection: ConnectionLike): AskedSessions {
    let asked = ofConnections.get(connection);
    if (asked === undefined) {
      asked = new AskedSessions(connection);
      ofConnections.set(connection, asked);
    }
    asked.#join();
    return asked;
  }

  leave(): void {
    if (--this.#followers === 0) this.#unshadow();
  }

  /** Notes a command that is being sent; what it gives is to be called when it is answered. */
  onSent(way: CdpSessionLike, method: string, params: Params | undefined): (() => void) | undefined {
    return method === ASKING ? this.#note(way, params?.targetId) : undefined;
  }

  /**
   * Whether Puppeteer's auto-attach made a session.
   *
   * @param parent the session that the event came by; `undefined` for the connection.
   */
  isAutoAttached(
    { sessionId, targetInfo }: AttachedToTarget,
    browser: BrowserLike,
    parent: CdpSessionLike | undefined,
  ): boolean {
    const { targetId, type } = targetInfo;
    if (type === 'browser' || this.#connection.isAutoAttached?.(targetId) === false) return false;
    const way = parent ?? this.#connection;
    for (const asking of this.#unanswered) {
      if (asking.way === way && asking.targetId === targetId) return false;
    }
    // Puppeteer uses one session of a target, the first; a session's events are seen here before Puppeteer sees them.
    const target = browser._targetManager?.().getAvailableTargets?.().get(targetId);
    return target === undefined || target._session?.() === this.#connection.session(sessionId);
  }

  #join(): void {
    if (++this.#followers > 1) return;
    const connection = this.#connection;
    if (typeof connection.send !== 'function') return;
    const sendBelow = below(connection as ConnectionLike & Required<Pick<ConnectionLike, 'send'>>, 'send');
    this.#unshadow = shadow(connection, 'send', (method: string, ...rest: unknown[]) => {
      if (method !== ASKING) return sendBelow().call(connection, method, ...rest);
      const answered = this.#note(connection, (rest[0] as Params | undefined)?.targetId);
      let answer: Promise<unknown>;
      try {
        answer = sendBelow().call(connection, method, ...rest);
      } catch (error) {
        answered();
        throw error;
      }
      return answer.finally(answered);
    });
  }

  #note(way: CdpSessionLike | ConnectionLike, targetId: unknown): () => void {
    const asking: Asking = { way, targetId };
    this.#unanswered.add(asking);
    return () => void this.#unanswered.delete(asking);
  }
}

/**
 * Whether Puppeteer's auto-attach made the session that it uses for a target. It attaches to pages by way of their tab.
 * Where a page has one that is not, the script made it, and Puppeteer took it for its own.
 */
export function wasAutoAttached(browser: BrowserLike, target: TargetLike, session: CdpSessionLike): boolean {
  if (target.type() !== 'page') return true;
  const parent = session.parentSession?.();
  const isOfTab = parent !== undefined && parent !== session;
  // DevTools has pages without a tab.
  return isOfTab || !allTargets(browser).some((other) => other.type() === 'tab');
}
