/**
 * One look into a heap, through sessions of its own, which it leaves as it found them. Takes a heap snapshot, and asks the
 * console's message storage for what it holds.
 *
 * Invariant: when it is over, even after an error, its sessions hold no object and have no domain enabled, as far as the
 * page still answers. The caller detaches the sessions, which frees what a hung page has kept.
 */

import { clearTimeout, monotonicNow, setTimeout } from '../timers.ts';
import { HeapSnapshotReader } from './heap-snapshot.ts';
import { type HeldByClients, heldByClients, stringsToRead, type TargetMarks } from './held-by-clients.ts';

/** A session that nobody else uses: one of Puppeteer's `createCDPSession()`, or one of a plain connection. */
export interface LookSession {
  send(method: string, params?: object): Promise<unknown>;
  on(event: string, listener: (params: unknown) => void): unknown;
  off(event: string, listener: (params: unknown) => void): unknown;
}

export interface LookLimits {
  /** Bytes; a larger heap is not looked at. */
  readonly maxHeapBytes: number;
  /** Milliseconds that a target may be without any sign of life. */
  readonly timeoutMs: number;
}

export interface HeapLook {
  /** One for each session. */
  readonly targets: readonly HeldByClients[];
  /** Milliseconds that the page stood still for the snapshot. */
  readonly pauseMs: number;
}

/**
 * Looks into a heap.
 *
 * @param sessions one for each target that has this heap.
 * @throws Error where the heap is larger than allowed, where a target gives no sign of life in time, or where it sends no
 * heap snapshot.
 */
export async function lookAtHeap(
  sessions: readonly [LookSession, ...LookSession[]],
  limits: LookLimits,
): Promise<HeapLook> {
  const [first] = sessions;
  const patience = new Patience(limits.timeoutMs);
  const usage = (await patience.wait(first.send('Runtime.getHeapUsage'))) as { usedSize: number };
  if (usage.usedSize > limits.maxHeapBytes) {
    throw new Error(
      `its heap of ${megabytes(usage.usedSize)} is larger than ${megabytes(limits.maxHeapBytes)}`,
    );
  }
  const reader = new HeapSnapshotReader(stringsToRead);
  let failure: unknown;
  const onChunk = (params: unknown): void => {
    patience.renew();
    if (failure !== undefined) return;
    try {
      reader.write((params as { chunk: string }).chunk);
    } catch (error) {
      failure = error;
    }
  };
  const onProgress = (): void => patience.renew();
  first.on('HeapProfiler.addHeapSnapshotChunk', onChunk);
  first.on('HeapProfiler.reportHeapSnapshotProgress', onProgress);
  const startedAt = monotonicNow();
  let pauseMs: number;
  try {
    await patience.wait(first.send('HeapProfiler.takeHeapSnapshot', { reportProgress: true }));
    pauseMs = monotonicNow() - startedAt;
  } finally {
    first.off('HeapProfiler.addHeapSnapshotChunk', onChunk);
    first.off('HeapProfiler.reportHeapSnapshotProgress', onProgress);
  }
  if (failure !== undefined) throw failure;
  const graph = reader.end();
  const marks: TargetMarks[] = [];
  for (const session of sessions) marks.push(await marksOf(session, patience, sessions.length > 1));
  return { targets: heldByClients(graph, marks), pauseMs };
}

/** What only the look itself holds, until it ends. */
const GROUP = 'look';
/** The object group of what comes with console messages. */
const CONSOLE_GROUP = 'console';

interface RemoteObject {
  readonly objectId?: string;
}

/** When enabled for a moment, `Runtime` reports all that the console's storage holds, and the execution contexts. */
async function marksOf(
  session: LookSession,
  patience: Patience,
  isHeapShared: boolean,
): Promise<TargetMarks> {
  const contextIds: number[] = [];
  const logged: string[] = [];
  const listeners: Readonly<Record<string, (params: unknown) => void>> = {
    'Runtime.executionContextCreated': (params) => {
      contextIds.push((params as { context: { id: number } }).context.id);
    },
    // Uncaught errors are stored as well, but V8 does not label those handles.
    'Runtime.consoleAPICalled': (params) => {
      for (const { objectId } of (params as { args: readonly RemoteObject[] }).args) {
        if (objectId !== undefined) logged.push(objectId);
      }
    },
  };
  for (const [event, listener] of Object.entries(listeners)) session.on(event, listener);
  try {
    await patience.wait(session.send('Runtime.enable'));
    const contexts = isHeapShared ? await globalObjects(session, contextIds, patience) : [];
    return {
      contexts: await snapshotIds(session, contexts, patience),
      logged: await snapshotIds(session, logged, patience),
    };
  } finally {
    for (const [event, listener] of Object.entries(listeners)) session.off(event, listener);
    const objectGroups = [GROUP, CONSOLE_GROUP];
    const tidyings = [
      session.send('Runtime.disable'),
      ...objectGroups.map((objectGroup) => session.send('Runtime.releaseObjectGroup', { objectGroup })),
    ];
    await patience.wait(Promise.allSettled(tidyings)).catch(() => {}); // It hangs or is gone: the session will end.
  }
}

async function globalObjects(
  session: LookSession,
  contextIds: readonly number[],
  patience: Patience,
): Promise<string[]> {
  const answers = contextIds.map((contextId) =>
    session.send('Runtime.evaluate', {
      expression: 'globalThis',
      contextId,
      objectGroup: GROUP,
      silent: true,
    }),
  );
  return (await settled(answers, patience)).flatMap((answer) => {
    const { objectId } = (answer as { result: RemoteObject }).result;
    return objectId === undefined ? [] : [objectId];
  });
}

/** The ids by which a snapshot names objects; objects that are gone are left out. */
async function snapshotIds(
  session: LookSession,
  objectIds: readonly string[],
  patience: Patience,
): Promise<number[]> {
  const answers = objectIds.map((objectId) => session.send('HeapProfiler.getHeapObjectId', { objectId }));
  return (await settled(answers, patience)).map((answer) =>
    Number((answer as { heapSnapshotObjectId: string }).heapSnapshotObjectId),
  );
}

async function settled(answers: readonly Promise<unknown>[], patience: Patience): Promise<unknown[]> {
  const outcomes = await patience.wait(Promise.allSettled(answers));
  return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

/** Waits as long as there are signs of life. */
export class Patience {
  readonly #timeoutMs: number;
  #renew: () => void = () => {};

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  renew(): void {
    this.#renew();
  }

  /** @throws Error when there was no sign of life for too long. */
  async wait<T>(answer: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`it gave no sign of life for ${this.#timeoutMs / 1_000} s`)),
        this.#timeoutMs,
      );
    });
    this.#renew = () => timer?.refresh();
    try {
      return await Promise.race([answer, tooLate]);
    } finally {
      clearTimeout(timer);
      this.#renew = () => {};
    }
  }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6).toLocaleString('en-US')} MB`;
}
