/**
 * Tells sessions that Puppeteer's auto-attach made from sessions that the script asked for. The script may keep ids of its own
 * sessions as strings. The event `Target.attachedToTarget` is the same for both, and Puppeteer uses some of the script's sessions
 * itself: the second of two `createCDPSession()` at once, and each that `Target.attachToTarget` makes. So the requests are watched:
 * the event of a session that was asked for comes while the request is unanswered, through the session that has sent it.
 *
 * Invariant: a session that cannot be told counts as the script's.
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

/** One unanswered `Target.attachToTarget`. */
interface Asking {
  /** The session or connection that sent it. The new session's event will come through the same. */
  readonly way: CdpSessionLike | ConnectionLike;
  readonly targetId: unknown;
}

const ofConnections = new WeakMap<ConnectionLike, AskedSessions>();

/** The requests of one connection; shared by all attachments that follow it. */
export class AskedSessions {
  readonly #connection: ConnectionLike;
  readonly #unanswered = new Set<Asking>();
  #followers = 0;
  #unshadow: () => void = () => {};

  private constructor(connection: ConnectionLike) {
    this.#connection = connection;
  }

  /** Watches requests until `leave`. */
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

  /** Notes a command that is being sent. @returns a function to call when the command is answered. */
  onSent(way: CdpSessionLike, method: string, params: Params | undefined): (() => void) | undefined {
    return method === ASKING ? this.#note(way, params?.targetId) : undefined;
  }

  /**
   * Whether Puppeteer's auto-attach made a session.
   *
   * @param parent the session that brought the event; `undefined` for the connection.
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
    // Puppeteer uses the first session of a target, and a session's events are seen here before Puppeteer sees them.
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
 * Whether Puppeteer's auto-attach made the session that it uses for a target. It attaches to pages through their tab. Where
 * a page's session did not come that way, the script made it, and Puppeteer uses it.
 */
export function wasAutoAttached(browser: BrowserLike, target: TargetLike, session: CdpSessionLike): boolean {
  if (target.type() !== 'page') return true;
  const parent = session.parentSession?.();
  const isOfTab = parent !== undefined && parent !== session;
  // DevTools has pages without a tab.
  return isOfTab || !allTargets(browser).some((other) => other.type() === 'tab');
}
