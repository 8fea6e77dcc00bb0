/**
 * Releases from worker threads. For a farm that parses in workers while one thread owns the connection: ids
 * reach the workers as strings, and their releases come back through a ring in shared memory, without a
 * message for each. With one thread there is nothing to cross: call `ReleaseBatcher.release`.
 */
export {
  openReleasePort,
  ReleasePort,
  type ReleasePortHandle,
  type ReleasePortOptions,
  type ReleasePortStats,
  type ReleaseTarget,
} from './release-port.ts';
export type { KeyedRelease } from './ring-memory.ts';
export { type PushOutcome, SharedRingQueue } from './shared-ring-queue.ts';
export { TrackedRelease, trackInWorker } from './track-in-worker.ts';
export { connectReleasePort, WorkerReleasePort } from './worker-release-port.ts';
