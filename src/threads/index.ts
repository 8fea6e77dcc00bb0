/**
 * Releases from worker threads, for a farm that parses in workers while one thread owns the connection. Ids reach the
 * workers as strings. Their releases come back through a ring in shared memory, without a message for each. A program with
 * one thread needs none of this: call `ReleaseBatcher.release`.
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
