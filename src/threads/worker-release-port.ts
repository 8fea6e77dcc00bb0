/**
 * A worker's end: puts releases into the ring, and wakes the connection's thread for the first one.
 *
 * Invariant: `release` returns `true` only for releases that the connection's thread will get, unless this thread is
 * terminated at that very moment. It neither blocks nor throws, whatever its arguments are.
 */
import { show } from '../runtime/option-checks.ts';
import type { ReleasePortHandle } from './release-port.ts';
import { REFUSED, SharedRingMemory, SPILLED } from './ring-memory.ts';
import { SharedRingQueue } from './shared-ring-queue.ts';
import { SpillOutbox } from './spill-channel.ts';

/**
 * Connects to the port of the thread that owns the connection, by the handle that it gave.
 *
 * @example
 * ```ts
 * const port = connectReleasePort(workerData);
 * export default ({ sessionKey, objectId }) => {
 *   …
 *   port.release(sessionKey, objectId);
 * };
 * ```
 * @throws TypeError for anything but such a handle.
 */
export function connectReleasePort(handle: ReleasePortHandle): WorkerReleasePort {
  return new WorkerReleasePort(handle);
}

/** A worker's end of the ring: made by `connectReleasePort`. It need not be closed. */
export class WorkerReleasePort {
  readonly #memory: SharedRingMemory;
  readonly #ring: SharedRingQueue;
  readonly #outbox: SpillOutbox;
  readonly #spillsWhenFull: boolean;

  /** @internal Use `connectReleasePort`. */
  constructor(handle: ReleasePortHandle) {
    if (typeof handle?.channel !== 'string') {
      throw new TypeError(`connectReleasePort: expected the handle of a ReleasePort, got ${show(handle)}`);
    }
    this.#memory = SharedRingMemory.over(handle.ring);
    this.#ring = new SharedRingQueue(this.#memory);
    this.#outbox = new SpillOutbox(handle.channel);
    this.#spillsWhenFull = handle.whenFull === 'spill';
  }

  /** Whether the other end was closed. */
  get closed(): boolean {
    return this.#ring.isClosed;
  }

  /**
   * Has an object of the session with this key released. By the ring it neither waits nor, once warm,
   * allocates; an id that is longer than 52 characters, or not Latin-1, goes by message.
   *
   * @returns `false` once the port is closed, for an id that is not a non-empty string or a key that is not
   * a session's number, and if the ring is full and the port was opened to `refuse` then.
   */
  release(sessionKey: number, objectId: string): boolean {
    if (!isSessionKey(sessionKey) || typeof objectId !== 'string' || objectId === '') return false;
    const outcome = this.#ring.push(sessionKey, objectId);
    if (outcome === 'queued') return true;
    if (outcome === 'unfit' || this.#spillsWhenFull) return this.#spill(sessionKey, objectId);
    if (outcome === 'full') this.#memory.count(REFUSED, 1);
    return false;
  }

  /** As `release`, for callers that cannot try again: a release that finds the ring full goes by message. @internal */
  releaseSurely(sessionKey: number, objectId: string): boolean {
    if (!isSessionKey(sessionKey) || typeof objectId !== 'string' || objectId === '') return false;
    return this.#ring.push(sessionKey, objectId) === 'queued' || this.#spill(sessionKey, objectId);
  }

  #spill(sessionKey: number, objectId: string): boolean {
    if (this.#ring.isClosed) return false;
    this.#memory.count(SPILLED, 1);
    this.#outbox.add({ sessionKey, objectId });
    return true;
  }
}

function isSessionKey(value: unknown): boolean {
  return typeof value === 'number' && value > 0 && (value | 0) === value;
}
