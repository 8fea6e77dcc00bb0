/** Finds a browser's connection and targets through Puppeteer's own, and tells when one of its contexts is closed. */
import { below, shadow } from '../session-hook.ts';
import type {
  BrowserContextLike,
  BrowserLike,
  CdpSessionLike,
  ConnectionLike,
  TargetLike,
} from './structure.ts';

/** The connection of a browser; `undefined` if Puppeteer has no session anywhere yet. */
export function connectionOf(browser: BrowserLike): ConnectionLike | undefined {
  for (const target of allTargets(browser)) {
    const connection = target._session?.()?.connection();
    if (connection !== undefined) return connection;
  }
  return undefined;
}

/** The same, by a session made for this purpose; `undefined` if the browser went away. */
export async function connectionByOwnSession(browser: BrowserLike): Promise<ConnectionLike | undefined> {
  try {
    const session = await browser.target().createCDPSession();
    const connection = session.connection();
    await session.detach?.();
    return connection;
  } catch {
    return undefined; // The browser went away: there is nothing to attach to.
  }
}

/** All targets, with the tabs and prerendered pages that `targets()` leaves out. */
export function allTargets(browser: BrowserLike): TargetLike[] {
  const available = browser._targetManager?.().getAvailableTargets?.();
  return available === undefined ? browser.targets() : [...available.values()];
}

/** Targets of sessions for which Puppeteer itself knows no target: those of shared and service workers. */
const notedTargets = new WeakMap<CdpSessionLike, TargetLike>();

export function noteTargetOf(session: CdpSessionLike, target: TargetLike): void {
  notedTargets.set(session, target);
}

/** The target of a session; `undefined` if Puppeteer knows none, as for a session that the script made on the connection itself. */
export function targetOf(session: CdpSessionLike): TargetLike | undefined {
  const noted = notedTargets.get(session);
  if (noted !== undefined) return noted;
  try {
    return session.target?.() ?? session._target?.();
  } catch {
    return undefined;
  }
}

/**
 * Calls `onClosed` when a context was closed. There is no event for that, but each way to close a context calls its
 * `close`.
 *
 * @returns a function that undoes this.
 */
export function whenClosed(context: BrowserContextLike, onClosed: () => void): () => void {
  if (context.close === undefined) return () => {};
  const closeBelow = below(
    context as BrowserContextLike & Required<Pick<BrowserContextLike, 'close'>>,
    'close',
  );
  return shadow(context, 'close', (...args: never[]) =>
    closeBelow()
      .apply(context, args)
      .then((result) => {
        onClosed();
        return result;
      }),
  );
}
