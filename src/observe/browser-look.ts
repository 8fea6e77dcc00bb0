/**
 * A look into all targets of a running browser: each page, frame of another site and worker, one after the other. It leaves
 * nothing behind: every session is detached when its target was looked at, even after an error.
 */
import { UNWANTED_TARGET_MS } from '../policy.ts';
import { type HeapLook, type LookLimits, type LookSession, lookAtHeap, Patience } from './heap-look.ts';
import type { HeldByClients } from './held-by-clients.ts';

/** A session that belongs to the look. */
export interface AttachedSession extends LookSession {
  /** Ends it, with everything that it held. Never rejects. */
  detach(): Promise<void>;
}

/** The way to a browser: commands to the browser itself, and a session with each of its targets. */
export interface LookConnection {
  send(method: string): Promise<unknown>;
  attach(targetId: string): Promise<AttachedSession>;
}

/** What clients hold in one page, frame or worker. */
export interface TargetLook extends HeldByClients {
  /** As CDP's TargetInfo has it: `page`, `iframe`, `worker`, `shared_worker`, `service_worker`, … */
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
  /** How long it stood still for the look. Targets that share a heap stand still together. */
  readonly pauseMs: number;
  /** How many other targets have the same heap; `heapBytes` and `pauseMs` are those of all of them. */
  readonly sharesHeapWith: number;
}

/** A target that could not be looked into. */
export interface UnseenTarget {
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
  readonly why: string;
}

export interface BrowserLook {
  /** The largest first. */
  readonly targets: readonly TargetLook[];
  readonly unseen: readonly UnseenTarget[];
}

export interface BrowserLookOptions extends LookLimits {
  /**
   * The targets to report. Targets that share a heap with one of them are attached to as well: only then can it be told
   * which of them a handle belongs to.
   */
  readonly isWanted: (target: LookTarget) => boolean;
  /**
   * Called before each heap: the reason not to look into any more, or `undefined` to go on. By default all are looked into.
   */
  readonly whyStop?: () => string | undefined;
}

/** The targets that can be looked into. */
export interface LookTarget {
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
}

interface OpenTarget {
  readonly info: LookTarget;
  readonly session: AttachedSession;
}

/** Targets that have no heap of their own. */
const WITHOUT_HEAP: ReadonlySet<string> = new Set(['browser', 'tab']);

/** @throws Error where the browser itself does not answer. */
export async function lookIntoBrowser(
  connection: LookConnection,
  options: BrowserLookOptions,
): Promise<BrowserLook> {
  const { isWanted, whyStop } = options;
  const targets: TargetLook[] = [];
  const unseen: UnseenTarget[] = [];
  const groups = new Map<string, OpenTarget[]>();
  const open = async (info: LookTarget, timeoutMs: number): Promise<void> => {
    try {
      const target = { info, session: await attachTo(connection, info, timeoutMs) };
      const heap = await heapOf(target, timeoutMs);
      const others = groups.get(heap);
      if (others === undefined) groups.set(heap, [target]);
      else others.push(target);
    } catch (error) {
      if (isWanted(info)) unseen.push({ ...info, why: (error as Error).message });
    }
  };
  const all = await new Patience(options.timeoutMs).wait(targetsOf(connection));
  await Promise.all(all.filter(isWanted).map((info) => open(info, options.timeoutMs)));
  // Other targets matter only if they share a heap with these, and so a thread, which has just answered.
  if (groups.size > 0) {
    const timeoutMs = Math.min(options.timeoutMs, UNWANTED_TARGET_MS);
    await Promise.all(all.filter((info) => !isWanted(info)).map((info) => open(info, timeoutMs)));
  }
  for (const group of groups.values()) {
    const wanted = group.filter(({ info }) => isWanted(info));
    try {
      if (wanted.length > 0) {
        const why = whyStop?.();
        if (why !== undefined) throw new Error(why);
        const looks = seen(group, await lookAtHeap(sessionsOf(group), options));
        targets.push(...looks.filter(isWanted));
      }
    } catch (error) {
      unseen.push(...wanted.map(({ info }) => ({ ...info, why: (error as Error).message })));
    }
    await Promise.all(group.map(({ session }) => session.detach()));
  }
  targets.sort((one, other) => other.held - one.held || other.retainedBytes - one.retainedBytes);
  return { targets, unseen };
}

async function targetsOf(connection: LookConnection): Promise<LookTarget[]> {
  const { targetInfos } = (await connection.send('Target.getTargets')) as { targetInfos: LookTarget[] };
  return targetInfos
    .filter(({ type }) => !WITHOUT_HEAP.has(type))
    .map(({ type, url, targetId }) => ({ type, url, targetId }));
}

async function attachTo(
  connection: LookConnection,
  { targetId }: LookTarget,
  timeoutMs: number,
): Promise<AttachedSession> {
  const attaching = connection.attach(targetId);
  try {
    return await new Patience(timeoutMs).wait(attaching);
  } catch (error) {
    void attaching.then(
      (session) => session.detach(), // It came too late.
      () => {},
    );
    throw error;
  }
}

/** Targets with the same value share a heap, as a page often does with the pages that it opens. */
async function heapOf({ info, session }: OpenTarget, timeoutMs: number): Promise<string> {
  try {
    const answer = await new Patience(timeoutMs).wait(session.send('Runtime.getIsolateId'));
    return (answer as { id: string }).id;
  } catch (error) {
    if (/wasn't found|not found|not supported/i.test((error as Error).message)) return info.targetId;
    await session.detach();
    throw error;
  }
}

function seen(group: readonly OpenTarget[], { targets, pauseMs }: HeapLook): TargetLook[] {
  return group.flatMap(({ info }, index) => {
    const held = targets[index];
    return held === undefined ? [] : [{ ...info, ...held, pauseMs, sharesHeapWith: group.length - 1 }];
  });
}

function sessionsOf([first, ...others]: readonly OpenTarget[]): [AttachedSession, ...AttachedSession[]] {
  if (first === undefined) throw new Error('A group of targets has no member.');
  return [first.session, ...others.map(({ session }) => session)];
}
