/**
 * Any connection with `send` and `on`: a raw WebSocket or pipe with a few lines around it, or a client that
 * has no file of its own here. It stands apart from the package's root because that is the batcher alone;
 * like every client it is imported by its name: `cdp-release-batcher/session`.
 *
 * What must be held: with `track: true`, the RemoteObject that `send` resolved with, or that an event
 * carried; an id kept as a string keeps nothing.
 */

import type { AttachOptions } from '../handles/attach-options.ts';
import type { SessionTap } from '../handles/observe-session.ts';
import { NOTICED_EVENTS } from '../handles/observe-session.ts';
import type { Params } from '../handles/protocol.ts';
import { requireObject, textOption } from '../runtime/option-checks.ts';
import { attachOnce, requireMethods, type SessionAttachment } from './session-attachment.ts';
import { below, shadow } from './session-hook.ts';
import { takesCommandsInOrder } from './target-type.ts';

export type * from './public-types.ts';
export type { SessionAttachment } from './session-attachment.ts';

/** One session of the protocol. Listeners get the event's parameters. */
export interface SessionLike {
  send(method: string, params?: Params): PromiseLike<unknown>;
  on(event: string, listener: (params: unknown) => void): unknown;
  /** By either of these `detach` takes the listeners away; without them they stay, and do nothing. */
  off?(event: string, listener: (params: unknown) => void): unknown;
  removeListener?(event: string, listener: (params: unknown) => void): unknown;
}

/** What `attach` takes for a bare session. */
export interface SessionOptions extends AttachOptions {
  /**
   * What the session's target is, as `Target.TargetInfo` names it. Pages and frames (`'page'`, `'iframe'`, `'webview'`,
   * `'background_page'`) carry out commands in the order sent, which allows for moving survivors; anything else is
   * treated with the care that a worker needs. Default `'other'`.
   */
  readonly targetType?: string | undefined;
}

/** By these a session tells that it is over: the protocol's own, and what connections emit. */
const ENDINGS = ['Inspector.detached', 'close', 'disconnect', 'disconnected'];

/**
 * From now on the session's `Runtime.releaseObject` is acknowledged at once and done in the background;
 * with `track: true`, what you let go of is released as well. Attaching again gives the same attachment.
 *
 * @example
 * ```ts
 * using releases = attach(session, { track: true, targetType: 'page' });
 * ```
 * @throws TypeError if `session` lacks `send` or `on`; TypeError or RangeError for a bad option.
 */
export function attach(session: SessionLike, options: SessionOptions = {}): SessionAttachment {
  requireMethods(session, 'an object with send and on', 'send', 'on');
  requireObject('options', options);
  const targetType = textOption('targetType', options.targetType) ?? 'other';
  return attachOnce(
    session,
    options,
    (attachment) => hook(attachment, session, takesCommandsInOrder(targetType)),
    ['targetType'],
  );
}

function hook(attachment: SessionAttachment, session: SessionLike, isOrdered: boolean): void {
  const { send } = session;
  const sendBelow = below(session, 'send');
  const sender = { send: (method: string, params?: Params) => send.call(session, method, params) };
  let tap = attachment.begin(sender, isOrdered);
  const off = offOf(session);
  let isHooked = true;
  /** The same object may be connected anew: with other ids, so with other books, from its first command on. */
  const currentTap = (): SessionTap => {
    if (tap.ledger.hasEnded) {
      attachment.end(tap);
      tap = attachment.begin(sender, isOrdered);
    }
    return tap;
  };

  const undo: (() => void)[] = [
    // What else a client's `send` may take goes through as it came.
    shadow(session, 'send', (method: string, params?: Params, ...rest: []) => {
      const forward = (outgoing: Params | undefined) => sendBelow().call(session, method, outgoing, ...rest);
      return isHooked ? currentTap().command(method, params, forward) : forward(params);
    }),
  ];
  const listen = (event: string, listener: (params: unknown) => void): void => {
    const guarded = (params: unknown): void => {
      if (isHooked) listener(params);
    };
    session.on(event, guarded);
    if (off !== undefined) undo.push(() => off.call(session, event, guarded));
  };
  for (const event of NOTICED_EVENTS) listen(event, (params) => tap.event(event, params));
  for (const event of ENDINGS) listen(event, () => attachment.end(tap));

  attachment.onDetach(() => {
    isHooked = false;
    for (const step of undo) step();
  });
}

/** What takes a listener away; a strict Proxy throws where it is asked for what is not there. */
function offOf(session: SessionLike): SessionLike['off'] {
  try {
    if ('off' in session) return session.off;
    return 'removeListener' in session ? session.removeListener : undefined;
  } catch {
    return undefined;
  }
}
