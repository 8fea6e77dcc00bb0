/**
 * An attachment to sessions that the user drives himself, by any client. He may keep ids as strings, which no garbage
 * collector sees. So nothing is tracked unless he asks for it, and then he has to hold the RemoteObject.
 *
 * A client's `attach` has this form; `session.ts` is the shortest whole one:
 *
 * ```ts
 * attachOnce(session, options, (attachment) => {
 *   const { send } = session; // Taken before it is shadowed: the way to the browser that is not hooked.
 *   const forward = (method, params) => send.call(session, method, params);
 *   const tap = attachment.begin({ send: forward }, takesCommandsInOrder(targetType)); // Of a worker it must be false.
 *   attachment.onDetach(shadow(session, 'send', (method, params) => tap.command(method, params, (sent) => forward(method, sent))));
 *   // And: tap.event(name, params) for each of NOTICED_EVENTS; attachment.end(tap) when the session is over.
 * });
 * ```
 *
 * Invariant: an object has one attachment at a time, whichever client it was attached by.
 */
import type { ReleaseSession } from '../batcher/release.ts';
import { PageActions } from '../handles/acknowledge.ts';
import {
  type AttachOptions,
  type ResolvedAttachOptions,
  resolveAttachOptions,
} from '../handles/attach-options.ts';
import { Attachment } from '../handles/attachment.ts';
import { plainRules } from '../handles/command-rules.ts';
import type { SessionTap } from '../handles/observe-session.ts';
import type { HandleScope } from '../handles/scope.ts';
import { describeGiven } from './given.ts';
import { claim, Notes, warnOfOwner } from './session-ownership.ts';

/** What `attach` gives: the counts of all remote objects of its sessions, and scopes, flushes and leaks. */
export class SessionAttachment extends Attachment {
  readonly #tracks: boolean;
  readonly #taps = new Set<SessionTap>();

  /** @internal Made by the clients' `attach`. */
  constructor(options: ResolvedAttachOptions) {
    super({ ...options, track: options.track ?? false });
    this.#tracks = options.track ?? false;
  }

  /**
   * A scope as a block: every remote object minted while it is open, in all sessions of the attachment, is
   * released at the block's end. Only where `track` is on.
   *
   * @example
   * ```ts
   * using scope = releases.openScope();
   * ```
   */
  openScope(): HandleScope {
    return this.cover(() => true);
  }

  /**
   * Opens the ledger of a session.
   *
   * @param sender sends to the browser past the hook.
   * @param isOrdered whether the browser carries out commands in the order sent.
   * @internal
   */
  begin(sender: ReleaseSession, isOrdered: boolean): SessionTap {
    const tap = this.open(sender, {
      isOrdered,
      actions: new PageActions(),
      tracks: this.#tracks,
      createRules: () => plainRules,
    });
    this.#taps.add(tap);
    return tap;
  }

  /** @internal */
  override end(tap: SessionTap): void {
    this.#taps.delete(tap);
    super.end(tap);
  }
}

const attachments = new Notes<SessionAttachment>('session-attachment');

/** Attaches to a session by calling `hook`. A session that is attached already gives its attachment. */
export function attachOnce(
  session: object,
  options: AttachOptions,
  hook: (attachment: SessionAttachment) => void,
  others: readonly string[] = [],
): SessionAttachment {
  const resolved = resolveAttachOptions(options, others);
  const known = attachments.get(session);
  if (known?.detached === false) return known.hold(options);
  const attachment = new SessionAttachment(resolved);
  if (attachment.detached) return attachment; // Its signal had fired.
  attachments.set(session, attachment);
  attachment.onDetach(() => attachments.delete(session, attachment));
  if (!hookIfFree(session, attachment, hook)) warnOfOwner();
  return attachment;
}

/** Hooks a session now, or when its present owner gives it up. @returns whether it is hooked now. */
function hookIfFree(
  session: object,
  attachment: SessionAttachment,
  hook: (attachment: SessionAttachment) => void,
): boolean {
  if (attachment.detached) return false;
  const ownership = claim(session, attachment, {
    succeed: () => void hookIfFree(session, attachment, hook),
    isOver: () => attachment.detached,
  });
  if (ownership === undefined) return false;
  hook(attachment);
  attachment.onDetach(() => ownership.giveUp([])); // Runs after the hook is undone, which `hook` has registered before.
  return true;
}

/** @throws TypeError for a subject without these methods. */
export function requireMethods(subject: unknown, expected: string, ...methods: string[]): void {
  const isObject = (typeof subject === 'object' && subject !== null) || typeof subject === 'function';
  const fits = isObject && methods.every((name) => hasMethod(subject, name));
  if (!fits) throw new TypeError(`attach: expected ${expected}, got ${describeGiven(subject)}`);
}

function hasMethod(subject: object, name: string): boolean {
  try {
    return typeof Reflect.get(subject, name) === 'function';
  } catch {
    return false; // A Proxy or a getter that throws.
  }
}
