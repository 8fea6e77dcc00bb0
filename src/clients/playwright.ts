/**
 * Playwright's `CDPSession`, from `context.newCDPSession(page)` or `browser.newBrowserCDPSession()`, of a browser
 * that Playwright launched or found by `connectOverCDP`.
 *
 * What must be held: with `track: true`, the RemoteObject that `send` resolved with, or that an event
 * carried; an id kept as a string keeps nothing.
 *
 * Playwright's own JSHandles are out of reach, and stay the script's to `dispose()`. Read in playwright-core 1.65,
 * and tried: its connection holds each handle in a map until that is disposed of, so no collection ever finds
 * one forgotten. Behind it stands an object of Playwright's server with nothing but the id, as a string, of
 * a session that no public member leads to. Past 100,000 handles the server drops the oldest tenth: the script's own
 * handles throw from then on, and of 105,105 that were all disposed of in the end, 10,000 objects stayed in the
 * page, their ids known to nobody. To release these one would have to reach into the server: into members
 * that each bundle may rename, that are in another process behind `connect()`, and on whose session the server
 * keeps ids of its own, so that a wrong guess takes away what a script still uses.
 */
import type { AttachOptions } from '../handles/attach-options.ts';
import type { Params } from '../handles/protocol.ts';
import { attachOnce, requireMethods, type SessionAttachment } from './session-attachment.ts';
import { type EmittingSession, hookSession } from './session-hook.ts';

export type * from './public-types.ts';
export type { SessionAttachment } from './session-attachment.ts';

/** The part of Playwright's `CDPSession` that is used. */
export interface PlaywrightSession {
  send(method: never, params?: never): Promise<unknown>;
  on(event: never, listener: never): unknown;
  detach(): Promise<void>;
}

/**
 * From now on the session's `Runtime.releaseObject` is acknowledged at once and done in the background;
 * with `track: true`, what you let go of is released as well. Attaching again gives the same attachment.
 *
 * @example
 * ```ts
 * const session = await context.newCDPSession(page);
 * using releases = attach(session, { track: true });
 * ```
 * @throws TypeError if `session` is no `CDPSession` of Playwright's; TypeError or RangeError for a bad option.
 */
export function attach(session: PlaywrightSession, options: AttachOptions = {}): SessionAttachment {
  requireMethods(session, "Playwright's CDPSession", 'send', 'on', 'emit', 'detach');
  return attachOnce(session, options, (attachment) => {
    const hooked = session as unknown as EmittingSession;
    const { send } = hooked;
    const sender = { send: (method: string, params?: Params) => send.call(hooked, method, params) };
    // A page's session, which keeps order; and on its way there each command takes the same steps through Playwright.
    // Tried, traced by Playwright and not: of 6,000 calls with the release of their object right behind, none failed.
    const tap = attachment.begin(sender, true);
    const unhook = hookSession(hooked, tap, (event) => {
      if (event === 'close') attachment.end(tap);
    });
    attachment.onDetach(unhook);
  });
}
