/**
 * The farm that outgrows this machine: thousands of sessions in one process, simulated, each of which answers
 * on the next turn. What a session costs that has nothing to do, and whether a busy one starves the others.
 */
import { setImmediate as macrotask } from 'node:timers/promises';
import { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { collectAll } from '../../src/cli/collector.ts';
import type { Sample } from '../sampling/sample.ts';
import { Stopwatch } from '../sampling/stopwatch.ts';

const SESSIONS = 5_000;

/** Handles spread evenly over `sessions`, taken in one round after another. */
async function releaseOver(sessions: number, count: number): Promise<Sample> {
  const batcher = new ReleaseBatcher({ maxQueueSize: Math.max(1_000_000, count) });
  const all = Array.from({ length: sessions }, () => ({ send: () => macrotask({}) }));
  const ids = Array.from({ length: Math.ceil(count / sessions) }, (_, index) => `1.1.${index}`);
  const watch = new Stopwatch();
  watch.start();
  for (const id of ids) {
    for (const session of all) batcher.release(session, id);
    if (sessions > 1) await macrotask(); // The script itself is not to hold the event loop.
  }
  await batcher.flush({ timeoutMs: 120_000 });
  const timing = watch.stop();
  const { commands } = batcher.stats();
  await collectAll();
  const before = process.memoryUsage().heapUsed;
  const kept = all.length; // The sessions stay referenced until here: what they cost idle is in `before`.
  await batcher.close();
  all.length = 0;
  await collectAll();
  const idleBytesPerSession = (before - process.memoryUsage().heapUsed) / kept;
  return {
    ...timing,
    handles: ids.length * sessions,
    commands,
    mustLetGo: false,
    extra: { sessions, idleBytesPerSession },
  };
}

export const releaseOnFarm = (count: number): Promise<Sample> => releaseOver(SESSIONS, count);
export const releaseOnOneSession = (count: number): Promise<Sample> => releaseOver(1, count);

/** One session has `count` handles waiting; when a handle of another is dropped, how long does that one wait? */
export async function waitBehindBusySession(count: number): Promise<Sample> {
  const batcher = new ReleaseBatcher();
  const busy = { send: () => macrotask({}) };
  let isAnswered = () => {};
  const answered = new Promise<void>((resolve) => {
    isAnswered = resolve;
  });
  const late = {
    send: async () => {
      isAnswered();
      return {};
    },
  };
  for (let index = 0; index < count; index++) batcher.release(busy, `1.1.${index}`);
  const watch = new Stopwatch();
  watch.start();
  batcher.release(late, '1.1.1');
  await answered;
  const timing = watch.stop();
  await batcher.close();
  return { ...timing, handles: 1, commands: 1, mustLetGo: false };
}
