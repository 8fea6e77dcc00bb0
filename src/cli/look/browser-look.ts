/**
 * A look into all that a running browser has open: each page, frame of another site and worker, one after the other.
 * Nothing is left behind: every session is detached when its target was looked at, however that ended.
 */
import { type HeapLook, type LookLimits, lookAtHeap, Patience } from '../../observe/heap-look.ts';
import type { HeldByClients } from '../../observe/held-by-clients.ts';
import type { AttachedSession, BrowserConnection } from './connection.ts';

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
  /** Only targets whose address has this in it. */
  readonly urlPart: string | undefined;
}

interface TargetInfo {
  readonly type: string;
  readonly url: string;
  readonly targetId: string;
}

interface OpenTarget {
  readonly info: TargetInfo;
  readonly session: AttachedSession;
}

/** What holds no heap of its own. */
const WITHOUT_HEAP: ReadonlySet<string> = new Set(['browser', 'tab']);

/** @throws Error where the browser itself does not answer. */
export async function lookIntoBrowser(
  connection: BrowserConnection,
  options: BrowserLookOptions,
): Promise<BrowserLook> {
  const targets: TargetLook[] = [];
  const unseen: UnseenTarget[] = [];
  const groups = new Map<string, OpenTarget[]>();
  const open = async (info: TargetInfo): Promise<void> => {
    try {
      const target = { info, session: await connection.attach(info.targetId) };
      const heap = await heapOf(target, options.timeoutMs);
      const others = groups.get(heap);
      if (others === undefined) groups.set(heap, [target]);
      else others.push(target);
    } catch (error) {
      unseen.push({ ...info, why: (error as Error).message });
    }
  };
  await Promise.all((await targetsOf(connection, options.urlPart)).map(open));
  for (const group of groups.values()) {
    try {
      targets.push(...seen(group, await lookAtHeap(sessionsOf(group), options)));
    } catch (error) {
      unseen.push(...group.map(({ info }) => ({ ...info, why: (error as Error).message })));
    }
    await Promise.all(group.map(({ session }) => session.detach()));
  }
  targets.sort((one, other) => other.held - one.held || other.retainedBytes - one.retainedBytes);
  return { targets, unseen };
}

async function targetsOf(connection: BrowserConnection, urlPart: string | undefined): Promise<TargetInfo[]> {
  const { targetInfos } = (await connection.send('Target.getTargets')) as { targetInfos: TargetInfo[] };
  return targetInfos
    .filter(({ type, url }) => !WITHOUT_HEAP.has(type) && (urlPart === undefined || url.includes(urlPart)))
    .map(({ type, url, targetId }) => ({ type, url, targetId }));
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
