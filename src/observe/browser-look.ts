/**
 * A look into what a running browser has open: each page, frame of another site and worker, one after the other.
 * Nothing is left behind: every session is detached when its target was looked at, however that ended.
 */
import { UNWANTED_TARGET_MS } from '../policy.ts';
import { type HeapLook, type LookLimits, type LookSession, lookAtHeap, Patience } from './heap-look.ts';
import type { HeldByClients } from './held-by-clients.ts';

/** A session of a look's own. */
export interface AttachedSession extends LookSession {
  /** Ends it, and all that it held. Never rejects. */
  detach(): Promise<void>;
}

/** The way to a browser: commands of its own, and a session with each of its targets. */
export interface LookConnection {
  send(method: string): Promise<unknown>;
  attach(targetId: string): Promise<AttachedSession>;
}

/** What is held in one page, frame or worker. */
export interface TargetLook extends HeldByClients {
  /** As CDP's TargetInfo has it: `page`, `iframe`, `worker`, `shared_worker`, `service_worker`, … */
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
  /** How long it stood still for the look. Of several that share a heap all stand still together. */
  readonly pauseMs: number;
  /** How many other targets have the same heap; `heapBytes` and `pauseMs` are of all together. */
  readonly sharesHeapWith: number;
}

/** What could not be looked into. */
export interface UnseenTarget {
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
  readonly why: string;
}

export interface BrowserLook {
  /** The most held first. */
  readonly targets: readonly TargetLook[];
  readonly unseen: readonly UnseenTarget[];
}

export interface BrowserLookOptions extends LookLimits {
  /**
   * Which targets are told of. What shares a heap with one of them is attached to as well, since only then it can be told
   * which of them a handle belongs to.
   */
  readonly isWanted: (target: LookTarget) => boolean;
  /** Asked before each heap: why no more are to be looked into, or `undefined` to go on. By default all are. */
  readonly whyStop?: () => string | undefined;
}

/** What can be looked into. */
export interface LookTarget {
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
}

interface OpenTarget {
  readonly info: LookTarget;
  readonly session: AttachedSession;
}

/** What holds no heap of its own. */
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
  // Of the others only those matter that share a heap with these, and so a thread, which has just answered.
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
      (session) => session.detach(), // It has come too late.
      () => {},
    );
    throw error;
  }
}

/** Targets with the same one share a heap: a page and those that it opened often do. */
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
