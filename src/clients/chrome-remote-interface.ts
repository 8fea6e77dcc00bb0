/**
 * chrome-remote-interface: promises and callbacks, `client.Runtime.releaseObject(…)` and `client.send(…)`, the client's own
 * session and flat sessions. All of these pass through `client.send`, which is shadowed on that one client. Each session
 * has a ledger of its own, since ids are valid in their session only.
 *
 * With `track: true` a program must hold the RemoteObject of the answer or the event. An id that is kept as a string keeps nothing.
 */

import type { ReleaseSession } from '../batcher/release.ts';
import { refusalOf } from '../batcher/release.ts';
import { type AttachOptions, resolveAttachOptions } from '../handles/attach-options.ts';
import type { SessionTap } from '../handles/observe-session.ts';
import { isAwaitable, type Params } from '../handles/protocol.ts';
import { NOTICED_EVENTS } from '../handles/session-events.ts';
import { IN_FLIGHT_BATCHES_OF_CRI } from '../policy.ts';
import { requireObject, textOption } from '../runtime/option-checks.ts';
import { CallbackAnswer, deliver } from './callback-answer.ts';
import { requireMethods, SessionAttachment } from './session-attachment.ts';
import { below, shadow } from './session-hook.ts';
import { claim, Notes, warnOfOwner } from './session-ownership.ts';
import { takesCommandsInOrder } from './target-type.ts';

export type * from './public-types.ts';
export type { SessionAttachment } from './session-attachment.ts';

/** The part of a client that is used. */
export interface RemoteInterfaceClient {
  send(method: never, ...rest: never[]): unknown;
  on(event: never, listener: never): unknown;
  close(callback?: never): unknown;
}

/** What `attach` takes for a client of chrome-remote-interface. */
export interface RemoteInterfaceOptions extends AttachOptions {
  /** Attaches to this flat session alone. Default: the client with all its sessions, those to come included. */
  readonly sessionId?: string | undefined;
  /**
   * The type of the target, as `Target.TargetInfo` names it: of the session attached to, or of the client's own. As for
   * `cdp-release-batcher/session`. Default: the type that `Target.attachedToTarget` gave, or `'other'`.
   */
  readonly targetType?: string | undefined;
  /**
   * Batches of one session that may be unanswered. Default 2: for each reply the client counts all requests that it still
   * waits for, so a wide window costs more than it gains.
   */
  readonly maxInFlightBatches?: number | undefined;
}

const hooks = new Notes<ClientHook>('chrome-remote-interface');

/**
 * From now on `Runtime.releaseObject` is acknowledged at once and sent in the background, in whichever form it is called.
 * With `track: true`, objects that you no longer reference are released as well. Attaching again, or to a session of a
 * client that is attached, gives the same attachment.
 *
 * @example
 * ```ts
 * const client = await CDP();
 * using releases = attach(client, { track: true });
 * ```
 * @throws TypeError if `client` is no client of chrome-remote-interface; TypeError or RangeError for a bad option.
 */
export function attach(
  client: RemoteInterfaceClient,
  options: RemoteInterfaceOptions = {},
): SessionAttachment {
  requireMethods(client, 'a client of chrome-remote-interface', 'send', 'on', 'emit', 'close');
  requireObject('options', options);
  const sessionId = textOption('sessionId', options.sessionId);
  const targetType = textOption('targetType', options.targetType);
  const { maxInFlightBatches = IN_FLIGHT_BATCHES_OF_CRI } = options;
  const resolved = resolveAttachOptions({ ...options, maxInFlightBatches }, ['sessionId', 'targetType']);
  const hook = hooks.get(client);
  const known = hook?.attachmentOf(sessionId ?? EVERY);
  if (known !== undefined) return known.hold(options);
  const attachment = new SessionAttachment(resolved);
  if (attachment.detached) return attachment; // Its signal had fired.
  (hook ?? new ClientHook(client as unknown as Client)).add(sessionId ?? EVERY, attachment, targetType);
  return attachment;
}

/** The key of the attachment for all sessions that have no attachment of their own. */
const EVERY = '*';
/** The key of the client's own session. */
const OWN = '';

interface Client {
  send(method: string, ...rest: unknown[]): unknown;
  emit(event: string, ...payload: unknown[]): unknown;
  close(...callback: unknown[]): unknown;
}
type Callback = (...answer: unknown[]) => void;

/** The reason of a failed callback, and the arguments for the program's own callback. */
interface CallbackRefusal {
  readonly message: string;
  readonly answer: readonly unknown[];
}

interface Message {
  readonly method?: unknown;
  readonly params?: { readonly sessionId?: string; readonly targetInfo?: { readonly type?: string } };
  readonly sessionId?: string;
}

/** The hook of one client, shared by its attachments. It is there as long as one of them is. */
class ClientHook {
  readonly #client: Client;
  /** The original `send`, for commands of our own. */
  readonly #send: Client['send'];
  #sendBelow: () => Client['send'];
  readonly #attachments = new Map<string, SessionAttachment>();
  readonly #taps = new Map<string, { readonly tap: SessionTap; readonly attachment: SessionAttachment }>();
  readonly #targetTypes = new Map<string, string>();
  #undo: () => void = () => {};
  #isHooked = true;

  constructor(client: Client) {
    this.#client = client;
    this.#send = client.send;
    this.#sendBelow = below(client, 'send');
    hooks.set(client, this);
    if (!this.#shadow()) warnOfOwner();
  }

  /** Shadows `send` now, or when the client's present owner gives it up. @returns whether it is shadowed now. */
  #shadow(): boolean {
    const client = this.#client;
    const ownership = claim(client, this, {
      succeed: () => {
        if (this.#isHooked) this.#shadow();
      },
      isOver: () => !this.#isHooked,
    });
    if (ownership === undefined) return false;
    this.#sendBelow = below(client, 'send');
    const emitBelow = below(client, 'emit');
    const closeBelow = below(client, 'close');
    const undo = [
      shadow(client, 'send', (method: string, ...rest: unknown[]) => this.#command(method, rest)),
      shadow(client, 'emit', (event: string, ...payload: unknown[]) => {
        // Each event is emitted as `event` first, and then by its name, with and without its session.
        if (event === 'event') this.#onMessage(payload[0] as Message | undefined);
        else if (event === 'disconnect') this.#endAll();
        return emitBelow().call(client, event, ...payload);
      }),
      shadow(client, 'close', (...callback: unknown[]) => {
        this.#endAll(); // No event will tell that the sessions have ended.
        return closeBelow().call(client, ...callback);
      }),
    ];
    this.#undo = () => {
      for (const step of undo) step();
      ownership.giveUp([]);
    };
    return true;
  }

  attachmentOf(sessionId: string): SessionAttachment | undefined {
    return this.#attachments.get(sessionId) ?? this.#attachments.get(EVERY);
  }

  add(sessionId: string, attachment: SessionAttachment, targetType: string | undefined): void {
    this.#attachments.set(sessionId, attachment);
    const first = sessionId === EVERY ? OWN : sessionId;
    if (targetType !== undefined) this.#targetTypes.set(first, targetType);
    this.#tapOf(first); // Opened now, so that a scope can cover the session.
    attachment.onDetach(() => {
      this.#attachments.delete(sessionId);
      if (targetType !== undefined) this.#targetTypes.delete(first);
      for (const [id, open] of this.#taps) if (open.attachment === attachment) this.#taps.delete(id);
      if (this.#attachments.size > 0) return;
      this.#isHooked = false;
      hooks.delete(this.#client, this);
      this.#undo();
    });
  }

  /** One command in place of `send`. The client recognises arguments by their types, in any order, and so does this. */
  #command(method: string, rest: readonly unknown[]): unknown {
    const params = (rest.find((value) => typeof value === 'object') ?? undefined) as Params | undefined;
    const sessionId = rest.find((value) => typeof value === 'string');
    const callback = rest.find((value) => typeof value === 'function') as Callback | undefined;
    const tap = typeof method === 'string' ? this.#tapOf(sessionId ?? OWN) : undefined;
    if (tap === undefined) return this.#sendBelow().call(this.#client, method, ...rest);
    if (callback === undefined) {
      return tap.command(method, params, (outgoing) => this.#forward(method, rest, outgoing, sessionId));
    }
    const answer = tap.command(method, params, (outgoing) =>
      this.#forwardByCallback(method, outgoing, sessionId),
    );
    deliver(
      answer,
      (result) => callback(false, result),
      (reason) => callback(...((reason as Partial<CallbackRefusal>).answer ?? [reason])),
    );
    return undefined;
  }

  /** Calls the original `send` with the arguments as they are, except for the parameters. */
  #forward(
    method: string,
    rest: readonly unknown[],
    params: Params | undefined,
    sessionId: string | undefined,
  ): PromiseLike<unknown> {
    const place = rest.findIndex((value) => typeof value === 'object');
    let given = rest;
    if (place >= 0) given = rest.with(place, params);
    else if (params !== undefined) given = [params, ...rest];
    const answer = this.#sendBelow().call(this.#client, method, ...given) as Promise<unknown>;
    if (sessionId === undefined || !isAwaitable(answer)) return answer;
    return answer.then(undefined, (error: unknown) => {
      this.#onRefused(sessionId, error);
      throw error;
    });
  }

  /** Ends the session if a refusal says so: a command after the session's end has opened a ledger that no event would end. */
  #onRefused(sessionId: string, reason: unknown): void {
    if (refusalOf(reason).reach === 'session') this.#end(sessionId);
  }

  #forwardByCallback(
    method: string,
    params: Params | undefined,
    sessionId: string | undefined,
  ): CallbackAnswer {
    const answer = new CallbackAnswer();
    this.#sendBelow().call(this.#client, method, params, sessionId, (...handed: unknown[]) => {
      const [error, response] = handed;
      if (!error) {
        answer.resolve(response);
        return;
      }
      const message = messageOf(error, response);
      if (sessionId !== undefined) this.#onRefused(sessionId, message);
      answer.reject({ message, answer: handed } satisfies CallbackRefusal);
    });
    return answer;
  }

  #onMessage(message: Message | undefined): void {
    if (!this.#isHooked || typeof message?.method !== 'string') return;
    const { method, params, sessionId = OWN } = message;
    if (method === 'Target.attachedToTarget' && params?.sessionId !== undefined) {
      this.#targetTypes.set(params.sessionId, params.targetInfo?.type ?? '');
    } else if (method === 'Target.detachedFromTarget' && params?.sessionId !== undefined) {
      this.#targetTypes.delete(params.sessionId);
      this.#end(params.sessionId);
    } else if (NOTICED_EVENTS.includes(method)) {
      this.#tapOf(sessionId)?.event(method, params);
    }
  }

  /** The tap of a session that is attached to. The ledger of a flat session is opened by its first command or event. */
  #tapOf(sessionId: string): SessionTap | undefined {
    const open = this.#taps.get(sessionId);
    if (open?.tap.ledger.hasEnded === false) return open.tap;
    open?.attachment.end(open.tap);
    const attachment = this.#isHooked ? this.attachmentOf(sessionId) : undefined;
    if (attachment === undefined) return undefined;
    const sender: ReleaseSession = {
      send: (method, params) => {
        const to = sessionId === OWN ? undefined : sessionId;
        return this.#send.call(this.#client, method, params, to) as Promise<unknown>;
      },
    };
    const isOrdered = takesCommandsInOrder(this.#targetTypes.get(sessionId) ?? 'other');
    const tap = attachment.begin(sender, isOrdered);
    this.#taps.set(sessionId, { tap, attachment });
    return tap;
  }

  #end(sessionId: string): void {
    const open = this.#taps.get(sessionId);
    this.#taps.delete(sessionId);
    open?.attachment.end(open.tap);
  }

  #endAll(): void {
    for (const sessionId of this.#taps.keys()) this.#end(sessionId);
  }
}

/** The message for a failed callback. It gets `true` and the reply's error, or only the connection's error. */
function messageOf(error: unknown, response: unknown): string {
  const cause = (error === true ? response : error) as { readonly message?: unknown } | undefined;
  return String(cause?.message);
}
