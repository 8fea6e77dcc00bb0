/**
 * Ties a remote object to an object of a worker: when the garbage collector takes the local object, the remote one is
 * released. The registration has no token, which makes it ten times cheaper; the record itself knows whether there is
 * anything left to do.
 */
import { integerOption, show } from '../runtime/option-checks.ts';
import type { WorkerReleasePort } from './worker-release-port.ts';

/** One remote object that a worker looks after. It is released once, or never if it was disarmed. */
export class TrackedRelease {
  #port: WorkerReleasePort | undefined;
  readonly #sessionKey: number;
  readonly #objectId: string;

  /** @internal Use `trackInWorker`. */
  constructor(port: WorkerReleasePort, sessionKey: number, objectId: string) {
    this.#port = port;
    this.#sessionKey = sessionKey;
    this.#objectId = objectId;
  }

  /** Releases it ahead of the collection. `false` if it was released or disarmed before, or the port is closed. */
  release(): boolean {
    const port = this.#port;
    this.#port = undefined;
    return port?.releaseSurely(this.#sessionKey, this.#objectId) ?? false;
  }

  /** Leaves the release to others. */
  disarm(): void {
    this.#port = undefined;
  }
}

/** One for the whole thread: a registry that becomes unreachable calls nothing. */
const collected = new FinalizationRegistry<TrackedRelease>((tracked) => void tracked.release());

/**
 * Releases a remote object once `object` has been collected and the worker's event loop turns. If the ring is full then,
 * the release goes by message, whatever the port's `whenFull`: a finalizer has no caller to tell. Objects that are not
 * collected when the thread ends are not released.
 *
 * @throws TypeError or RangeError for an argument that is none of these.
 */
export function trackInWorker(
  object: WeakKey,
  port: WorkerReleasePort,
  sessionKey: number,
  objectId: string,
): TrackedRelease {
  if ((typeof object !== 'object' && typeof object !== 'function') || object === null) {
    throw new TypeError(`trackInWorker: object must be an object, got ${show(object)}`);
  }
  if (typeof port?.releaseSurely !== 'function') {
    throw new TypeError(`trackInWorker: port must be what connectReleasePort gave, got ${show(port)}`);
  }
  integerOption('trackInWorker: sessionKey', sessionKey ?? null, 0, 0, Number.MAX_SAFE_INTEGER);
  if (typeof objectId !== 'string' || objectId === '') {
    throw new TypeError(`trackInWorker: objectId must be a non-empty string, got ${show(objectId)}`);
  }
  const tracked = new TrackedRelease(port, sessionKey, objectId);
  collected.register(object, tracked);
  return tracked;
}
