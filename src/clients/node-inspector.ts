/**
 * Node's own inspector: a `Session` of `node:inspector`, which takes callbacks, or of `node:inspector/promises`. A session
 * connected to its own thread answers within the call that asks, and callers rely on that. It still does when it is attached,
 * except when a release is acknowledged.
 *
 * With `track: true` a program must hold the RemoteObject of the answer or the event. An id that is kept as a string keeps nothing.
 */
import { Session as PromisesSession } from 'node:inspector/promises';
import { isMainThread } from 'node:worker_threads';
import type { AttachOptions } from '../handles/attach-options.ts';
import type { SessionTap } from '../handles/observe-session.ts';
import type { Params } from '../handles/protocol.ts';
import { requireObject } from '../runtime/option-checks.ts';
import { CallbackAnswer, deliver } from './callback-answer.ts';
import { attachOnce, requireMethods, type SessionAttachment } from './session-attachment.ts';
import { below, shadow } from './session-hook.ts';

export type * from './public-types.ts';
export type { SessionAttachment } from './session-attachment.ts';

/** The part of a `Session` that is used. */
export interface InspectorSession {
  post(method: string, ...rest: never[]): unknown;
  emit(event: string, ...payload: unknown[]): boolean;
  disconnect(): void;
}

type Callback = (error: Error | null, result?: unknown) => void;
type Post = (method: unknown, params?: unknown, callback?: unknown) => unknown;

/**
 * From now on the session's `Runtime.releaseObject` is acknowledged at once and sent in the background. With `track: true`,
 * objects that you no longer reference are released as well. Attaching again gives the same attachment.
 *
 * Unless `pressure` says otherwise, handles cause no collections here: their objects are in this process's own heap,
 * where V8 sees them.
 *
 * @example
 * ```ts
 * const session = new Session();
 * session.connect();
 * using releases = attach(session, { track: true });
 * ```
 * @throws TypeError if `session` is no `Session` of `node:inspector`; TypeError or RangeError for a bad option.
 */
export function attach(session: InspectorSession, options: AttachOptions = {}): SessionAttachment {
  requireMethods(session, 'a Session of node:inspector', 'post', 'emit', 'disconnect');
  requireObject('options', options);
  const { pressure = false } = options;
  const weightless = { ...options, pressure };
  return attachOnce(session, weightless, (attachment) => hook(attachment, session));
}

function hook(attachment: SessionAttachment, session: InspectorSession): void {
  const hooked = session as InspectorSession & { post: Post };
  const { post } = hooked;
  const postBelow = below(hooked, 'post');
  const emitBelow = below(session, 'emit');
  const disconnectBelow = below(session, 'disconnect');
  const givesPromises = session instanceof PromisesSession;
  // Both kinds of session take a callback.
  const postFor = (post: Post, method: string, params: Params | undefined): CallbackAnswer => {
    const answer = new CallbackAnswer();
    const given: unknown = post.call(session, method, params, (error: Error | null, result: unknown) => {
      if (error) answer.reject(error);
      else answer.resolve(result);
    });
    // With a callback, a promise of Node's settles in one case only: it rejects if the session is not connected.
    if (given instanceof Promise) given.catch((error: unknown) => answer.reject(error));
    return answer;
  };
  const sender = { send: (method: string, params?: Params) => postFor(post, method, params) };
  // On the main thread each command is answered before the next can be sent. For a session that a worker has connected to
  // the main thread the order is not known.
  const isOrdered = isMainThread;
  let tap = attachment.begin(sender, isOrdered);
  let isHooked = true;
  /** The tap of the session as it is connected now. If it was connected again, its ids are new, so it gets a new ledger. */
  const currentTap = (): SessionTap => {
    if (tap.ledger.hasEnded) {
      attachment.end(tap);
      tap = attachment.begin(sender, isOrdered);
    }
    return tap;
  };

  const undo = [
    shadow(session, 'post', (...sent: [method: unknown, params?: unknown, callback?: unknown]) => {
      const { method, params, callback } = argumentsOfPost(sent);
      if (!isHooked || method === undefined) return postBelow().apply(session, sent); // Node says what is wrong with it.
      if (givesPromises && callback === undefined) {
        const forward = (outgoing: Params | undefined) =>
          postBelow().call(session, method, outgoing) as Promise<unknown>;
        return currentTap().command(method, params, forward);
      }
      const answer = currentTap().command(method, params, (outgoing) =>
        postFor(postBelow(), method, outgoing),
      );
      if (callback !== undefined) {
        const call = warningOfErrors(callback);
        deliver(
          answer,
          (result) => call(null, result),
          (error) => call(error as Error),
        );
      }
      return undefined;
    }),
    shadow(session, 'emit', (event: string, ...payload: unknown[]) => {
      const message = payload[0] as { readonly params?: unknown } | undefined;
      if (isHooked) tap.event(event, message?.params);
      return emitBelow().call(session, event, ...payload);
    }),
    shadow(session, 'disconnect', () => {
      if (isHooked) attachment.end(tap);
      return disconnectBelow().call(session);
    }),
  ];
  attachment.onDetach(() => {
    isHooked = false;
    for (const step of undo) step();
  });
}

/** Reads the arguments of `post`, which has several forms. Without `method` if they fit none of the forms. */
function argumentsOfPost([method, second, third]: [unknown, unknown?, unknown?]): {
  readonly method?: string;
  readonly params?: Params;
  readonly callback?: Callback;
} {
  const [params, callback] = !third && typeof second === 'function' ? [undefined, second] : [second, third];
  if (typeof method !== 'string' || (params && typeof params !== 'object')) return {};
  if (callback && typeof callback !== 'function') return {};
  return {
    method,
    ...(params ? { params: params as Params } : {}),
    ...(callback ? { callback: callback as Callback } : {}),
  };
}

/** Turns an error that a callback throws into a warning, as Node does. Here the callback may be called outside Node's own code. */
function warningOfErrors(callback: Callback): Callback {
  return (...answer) => {
    try {
      callback(...answer);
    } catch (error) {
      process.emitWarning(error as Error);
    }
  };
}
