/**
 * What a browser holds for others in the pages that are attached to: more than the attachment has in its books. That is held
 * for a session that the program made itself, or for another client.
 *
 * Invariant: nothing is told that a second look does not bear out. What is on its way (an answer, a release) may look like
 * somebody else's in the first.
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

/** What others hold in one page, frame or worker. */
export interface HeldByOthers {
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
  /** Handles on objects; those of the console's own are left out. */
  readonly held: number;
}

export interface OthersLook {
  /** The most held first; those where others hold nothing are left out. */
  readonly targets: readonly HeldByOthers[];
  /** What could not be looked into. */
  readonly unseen: readonly UnseenTarget[];
}

export interface OthersLimits extends LookLimits {
  /** How long all of it may take: what has not been looked into by then is not: milliseconds. */
  readonly budgetMs: number;
}

/**
 * Looks for what others hold.
 *
 * @param subject in which pages, with their frames and workers.
 * @throws Error where nothing can be told: nothing is tracked, or the browser is not driven over CDP.
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

/** @param known how many the books have; `undefined` where the target has gone. */
function moreThan(
  known: number | undefined,
  { type, url, targetId, held, heldByConsole }: TargetLook,
): HeldByOthers[] {
  const more = held - heldByConsole - (known ?? held);
  return more > 0 ? [{ type, url, targetId, held: more }] : [];
}

/** Sessions that are asked for by the connection are the program's own to Puppeteer, and to us. */
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
