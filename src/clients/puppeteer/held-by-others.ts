/**
 * Finds handles that a browser holds for others in the attached pages: more than the attachment's ledgers have. They are held for a
 * session that the program made itself, or for another client.
 *
 * Invariant: only handles that a second look confirms are reported. In the first look an answer or a release on its way may look
 * like another's handle.
 */
import {
  type AttachedSession,
  type LookConnection,
  lookIntoBrowser,
  type TargetLook,
  type UnseenTarget,
} from '../../observe/browser-look.ts';
import type { LookLimits } from '../../observe/heap-look.ts';
import { monotonicNow } from '../../timers.ts';
import type { PuppeteerAttachment } from './puppeteer-attachment.ts';
import type {
  BrowserContextLike,
  BrowserLike,
  CdpSessionLike,
  ConnectionLike,
  PageLike,
} from './structure.ts';

/** Handles that others hold in one page, frame or worker. */
export interface HeldByOthers {
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
  /** Handles on objects, without those of the console's own. */
  readonly held: number;
}

export interface OthersLook {
  /** The largest first; targets where others hold nothing are left out. */
  readonly targets: readonly HeldByOthers[];
  /** The targets that could not be looked into. */
  readonly unseen: readonly UnseenTarget[];
}

export interface OthersLimits extends LookLimits {
  /** Milliseconds for all targets together. A target that has not been looked into by then is left out. */
  readonly budgetMs: number;
}

/**
 * Looks for handles that others hold.
 *
 * @param subject the pages to look in, with their frames and workers.
 * @throws Error if they cannot be told: nothing is tracked, or the browser is not driven over CDP.
 */
export async function heldByOthers(
  attachment: PuppeteerAttachment,
  subject: PageLike | BrowserContextLike | BrowserLike,
  { budgetMs, ...limits }: OthersLimits,
): Promise<OthersLook> {
  const connection = lookConnection(attachment.connection);
  const deadline = monotonicNow() + budgetMs;
  const whyStop = (): string | undefined =>
    monotonicNow() > deadline ? `the ${budgetMs / 1_000} s that looking may take were over` : undefined;

  const lookAt = async (isMeant: (targetId: string) => boolean): Promise<OthersLook> => {
    await attachment.flush({ timeoutMs: limits.timeoutMs });
    const isWanted = ({ targetId }: { readonly targetId: string }): boolean =>
      isMeant(targetId) && attachment.knownIn(subject).has(targetId);
    const { targets, unseen } = await lookIntoBrowser(connection, { ...limits, isWanted, whyStop });
    const known = attachment.knownIn(subject);
    return {
      targets: targets.flatMap((target) => moreThan(known.get(target.targetId), target)),
      unseen: unseen.filter(({ targetId }) => known.has(targetId)), // Others were closed meanwhile.
    };
  };

  const first = await lookAt(() => true);
  if (first.targets.length === 0) return first;
  const suspects = new Map(first.targets.map(({ targetId, held }) => [targetId, held]));
  const second = await lookAt((targetId) => suspects.has(targetId));
  const targets = second.targets.map((target) => ({
    ...target,
    held: Math.min(target.held, suspects.get(target.targetId) ?? 0),
  }));
  targets.sort((one, other) => other.held - one.held);
  return { targets, unseen: [...first.unseen, ...second.unseen] };
}

/** @param known the number in the ledgers; `undefined` if the target has gone. */
function moreThan(
  known: number | undefined,
  { type, url, targetId, held, heldByConsole }: TargetLook,
): HeldByOthers[] {
  const more = held - heldByConsole - (known ?? held);
  return more > 0 ? [{ type, url, targetId, held: more }] : [];
}

/** Makes sessions on the connection itself: Puppeteer, and this library, take these for the program's own. */
function lookConnection(connection: ConnectionLike | undefined): LookConnection {
  const { send, createSession } = connection ?? {};
  if (send === undefined || createSession === undefined) {
    throw new Error('its browser is not driven over the Chrome DevTools Protocol');
  }
  return {
    send: (method) => send.call(connection, method),
    attach: async (targetId) => ownSession(await createSession.call(connection, { targetId })),
  };
}

function ownSession(session: CdpSessionLike): AttachedSession {
  return {
    send: (method, params) => session.send(method, { ...params }),
    on: (event, listener) => session.on?.(event, listener),
    off: (event, listener) => session.off?.(event, listener),
    detach: async () => {
      await session.detach?.().catch(() => {}); // It is gone already.
    },
  };
}
