/**
 * Any connection with `send` and `on`: a raw WebSocket or pipe with a few lines around it, or a client without a file of
 * its own here. The package's root has only the batcher, so this is imported by its name, as every client is:
 * `cdp-release-batcher/session`.
 *
 * With `track: true` a program must hold the RemoteObject that `send` resolved with, or that an event carried. An id that is kept
 * as a string keeps nothing.
 */

import type { AttachOptions } from '../handles/attach-options.ts';
import type { SessionTap } from '../handles/observe-session.ts';
import type { Params } from '../handles/protocol.ts';
import { NOTICED_EVENTS } from '../handles/session-events.ts';
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
  /** `detach` removes the listeners by either of these. Without both they stay, and do nothing. */
  off?(event: string, listener: (params: unknown) => void): unknown;
  removeListener?(event: string, listener: (params: unknown) => void): unknown;
}

/** What `attach` takes for a bare session. */
export interface SessionOptions extends AttachOptions {
  /**
   * The type of the session's target, as `Target.TargetInfo` names it. Pages and frames (`'page'`, `'iframe'`, `'webview'`,
   * `'background_page'`) carry out commands in the order sent, so that survivors can be moved. All other types are treated
   * as workers are. Default `'other'`.
   */
  readonly targetType?: string | undefined;
}

/** Events that say that a session is over: the protocol's own, and those that connections emit. */
const ENDINGS = ['Inspector.detached', 'close', 'disconnect', 'disconnected'];

/**
 * From now on the session's `Runtime.releaseObject` is acknowledged at once and sent in the background. With `track: true`,
 * objects that you no longer reference are released as well. Attaching again gives the same attachment.
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
  /** The tap of the session as it is connected now. If it was connected anew, its ids are new, so it gets a new ledger. */
  const currentTap = (): SessionTap => {
    if (tap.ledger.hasEnded) {
      attachment.end(tap);
      tap = attachment.begin(sender, isOrdered);
    }
    return tap;
  };

  const undo: (() => void)[] = [
    // Further arguments of a client's `send` go through unchanged.
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

/** The method that removes a listener. A strict Proxy throws for a member that it does not have. */
function offOf(session: SessionLike): SessionLike['off'] {
  try {
    if ('off' in session) return session.off;
    return 'removeListener' in session ? session.removeListener : undefined;
  } catch {
    return undefined;
  }
}
