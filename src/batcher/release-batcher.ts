/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The batcher by itself, for any CDP client: takes ids, and has them released in the background. After chromiumoxide's
 * `runtime_release.rs`, and with the same promise: `release` never throws and never waits; an accepted release is sent, or its
 * session is gone, or it is counted.
 */
import { onAbort } from '../runtime/abort-listeners.ts';
import { afterThisJob } from '../runtime/event-loop.ts';
import { requireKnownOptions, show } from '../runtime/option-checks.ts';
import { Dispatcher, type Room } from './dispatcher.ts';
import { type FlushOptions, type FlushReport, reportFlush, resolveFlushTimeout } from './flush.ts';
import {
  BATCHER_OPTIONS,
  type BatcherOptions,
  type ResolvedBatcherOptions,
  resolveBatcherOptions,
} from './options.ts';
import { PlainRelease, type Release, type ReleaseSession } from './release.ts';
import { countMove, emptyStats, type ReleaseStats } from './stats.ts';

/**
 * Takes ids of remote objects, and has them released in the background, in batches.
 *
 * @example
 * ```ts
 * await using batcher = new ReleaseBatcher();
 * batcher.release(session, result.objectId);
 * ```
 */
export class ReleaseBatcher implements AsyncDisposable {
  readonly #options: ResolvedBatcherOptions;
  readonly #stats: ReleaseStats = emptyStats();
  readonly #dispatcher: Dispatcher;
  /**
   * The first `#takenCount` are ids that are accepted and not queued yet, all for one session. `release` is the first work of many
   * a process, and runs before V8 has compiled it. So it notes ids here, and they are queued in one go: when the job at hand is
   * over, or before anything else is done or told.
   */
  readonly #taken: (string | undefined)[] = [];
  #takenCount = 0;
  #takenFor: ReleaseSession | undefined;
  readonly #room: Room;
  #isQueuingDue = false;
  #stopListening: () => void = () => {};

  /** @throws TypeError or RangeError for a bad option; the message names it and its value. */
  constructor(options: BatcherOptions = {}) {
    this.#options = resolveBatcherOptions(options);
    requireKnownOptions(options, BATCHER_OPTIONS);
    this.#dispatcher = new Dispatcher(this.#options, this.#stats);
    this.#room = this.#dispatcher.room;
    const { signal } = this.#options;
    if (signal?.aborted) this.#dispatcher.abort();
    else if (signal !== undefined) this.#stopListening = onAbort(signal, this.#dispatcher, abort);
  }

  /** Whether the dispatcher runs. The first release starts it. */
  get started(): boolean {
    return this.#dispatcher.isStarted;
  }

  /** Whether `close` was called, or the signal has fired: nothing more is taken. */
  get closed(): boolean {
    return this.#dispatcher.isClosed;
  }

  /** Starts the dispatcher ahead of the first release. Calling it again, or after `close`, does nothing. */
  start(): void {
    this.#dispatcher.start();
  }

  /**
   * Has one object released in the background. Never throws and never waits.
   *
   * @returns `false`, counted as `dropped`, for an id that is not a non-empty string, a session without
   * `send`, a full queue, or after `close`.
   */
  release(session: ReleaseSession, objectId: string): boolean {
    if (
      session === this.#takenFor &&
      typeof objectId === 'string' &&
      objectId !== '' &&
      this.#takenCount < this.#room.left
    ) {
      this.#taken[this.#takenCount++] = objectId;
      return true;
    }
    const isAccepted = this.#take(session, objectId, objectId);
    if (isAccepted) this.#takeMoreFor(session);
    return isAccepted;
  }

  /**
   * Has a whole object group released by one command, in the background. Never throws and never waits. How many
   * objects it holds is not known here: of what `stats()` counts, only `commands` and `groupCommands` rise.
   *
   * @returns `false` for a group that is not a non-empty string, a session without `send`, a full queue, or after `close`.
   */
  releaseGroup(session: ReleaseSession, objectGroup: string): boolean {
    this.#queueTaken();
    if (!isName(objectGroup) || !isSession(session)) return false;
    const release = new PlainRelease('Runtime.releaseObjectGroup', { objectGroup });
    return this.#dispatcher.enqueue(this.#dispatcher.queue(session), release);
  }

  /**
   * Owns an object for a block, and releases it at the block's end as `release` does. A missing id guards nothing, as
   * where an evaluation gave a primitive.
   *
   * @throws TypeError for a session without `send`, and for an id that is no string.
   */
  guard(session: ReleaseSession, objectId: string | undefined): ReleaseGuard {
    requireGuarded('guard: objectId', session, objectId);
    return new ReleaseGuard(objectId === undefined ? undefined : () => void this.release(session, objectId));
  }

  /**
   * Has a stream of the browser's closed in the background: the `IO.StreamHandle` of a PDF, a trace or a response body, which
   * holds in the browser what was not read yet. In `stats()` it is one handle. Never throws and never waits.
   *
   * @returns `false`, counted as `dropped`, for a handle that is not a non-empty string, a session without `send`, a full
   * queue, or after `close`.
   */
  closeStream(session: ReleaseSession, handle: string): boolean {
    return this.#take(session, handle, new PlainRelease('IO.close', { handle }, 1));
  }

  /**
   * Owns a stream for a block, and closes it at the block's end as `closeStream` does. A missing handle guards nothing.
   *
   * @throws TypeError for a session without `send`, and for a handle that is no string.
   */
  guardStream(session: ReleaseSession, handle: string | undefined): ReleaseGuard {
    requireGuarded('guardStream: handle', session, handle);
    return new ReleaseGuard(handle === undefined ? undefined : () => void this.closeStream(session, handle));
  }

  /**
   * Waits until everything accepted so far has been answered, or has timed out.
   *
   * @throws TypeError or RangeError for a bad `timeoutMs`; nothing else.
   */
  async flush(options: FlushOptions = {}): Promise<FlushReport> {
    const timeoutMs = resolveFlushTimeout(options, this.#options.releaseTimeoutMs);
    this.#queueTaken();
    return reportFlush(this.#stats, (wait) => this.#dispatcher.settled(wait), timeoutMs);
  }

  /** Takes nothing more, flushes for `releaseTimeoutMs` at most, and drops what is left then. Never rejects. */
  async close(): Promise<void> {
    this.#queueTaken();
    await this.#dispatcher.close();
    // A signal may outlive many batchers.
    this.#stopListening();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The counts as of now; a copy. */
  stats(): ReleaseStats {
    this.#queueTaken();
    return { ...this.#stats };
  }

  #take(session: ReleaseSession, name: string, release: Release | string): boolean {
    this.#queueTaken();
    if (!isName(name) || !isSession(session)) {
      countMove(this.#stats, 'new', 'dropped', 1);
      return false;
    }
    countMove(this.#stats, 'new', 'queued', 1, 'disposed');
    return this.#dispatcher.enqueue(this.#dispatcher.queue(session), release);
  }

  #takeMoreFor(session: ReleaseSession): void {
    this.#takenFor = session;
    this.#dispatcher.measureRoom();
    if (this.#isQueuingDue) return;
    this.#isQueuingDue = true;
    void afterThisJob(this.#afterJob);
  }

  readonly #afterJob = (): void => {
    this.#isQueuingDue = false;
    this.#queueTaken();
  };

  #queueTaken(): void {
    const session = this.#takenFor;
    if (session === undefined) return;
    this.#takenFor = undefined;
    const count = this.#takenCount;
    if (count === 0) return;
    this.#takenCount = 0;
    countMove(this.#stats, 'new', 'queued', count, 'disposed');
    this.#dispatcher.enqueueAll(this.#dispatcher.queue(session), this.#taken, count);
  }
}

/** Checks what a guard is given. Mistakes are thrown at once, where the caller sees them, not counted at the end of his block. */
function requireGuarded(name: string, session: unknown, id: unknown): void {
  const caller = name.slice(0, name.indexOf(':'));
  if (!isSession(session))
    throw new TypeError(`${caller}: expected a session with send, got ${show(session)}`);
  if (id !== undefined && typeof id !== 'string') {
    throw new TypeError(`${name} must be a string, got ${show(id)}`);
  }
}

/**
 * Owns one remote object for a block: releases it at the block's end, whatever happens in it.
 *
 * ```ts
 * using guard = batcher.guard(session, result.objectId);
 * ```
 */
export class ReleaseGuard implements Disposable {
  #release: (() => void) | undefined;

  /** @param release enqueues the release; `undefined` if there was no id to guard. */
  constructor(release: (() => void) | undefined) {
    this.#release = release;
  }

  /** Hands the object over to the caller: nothing is released any more. */
  disarm(): void {
    this.#release = undefined;
  }

  /** Releases now rather than at the block's end. Once; later calls do nothing. */
  dispose(): void {
    const release = this.#release;
    this.#release = undefined;
    release?.();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

function abort(dispatcher: Dispatcher): void {
  dispatcher.abort();
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isSession(value: unknown): value is ReleaseSession {
  try {
    return typeof (value as ReleaseSession | undefined)?.send === 'function';
  } catch {
    return false; // A proxy or a getter that throws.
  }
}
