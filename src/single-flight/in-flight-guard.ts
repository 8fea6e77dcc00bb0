/**
 * Runs the body of a leader whose slot is claimed already. Invariant: the slot is released exactly once, whichever way the
 * body ends (a value, a failure, a synchronous throw, an abort), even if it never ends. The caller decides what a slot is,
 * and who waits for it.
 */

import { requireFunction, requireObject } from '../runtime/option-checks.ts';

/** A claimed slot. Its hooks are called as methods, so an object with a life of its own may be the slot. */
export interface InFlightSlot {
  /** Frees the slot. Called exactly once, synchronous. */
  release(): void;
  /**
   * Told of the failure before the slot is freed, to pass it on to those that wait for the result. Not called where the
   * body succeeds. Synchronous.
   */
  onOrphaned?(error: unknown): void;
  /**
   * When it fires the slot is released at once, before `abort()` returns. The body is abandoned, not stopped: give it the
   * signal too, if it can stop.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `run` at once and settles as it does; the slot is released by then. Call it right after the claim: nothing in
 * between can lose the slot.
 *
 * The promise rejects with the body's failure. An error that a hook throws after that is dropped, and the other hooks are
 * still called. If the body succeeds and `release` throws, the promise rejects with that error.
 *
 * @throws TypeError for a slot without `release`; where `run` is no function the promise rejects with one.
 * ```ts
 * queue.claimSlot();
 * guardInFlight({ release: () => queue.freeSlot() }, () => send(batch));
 * ```
 */
export function guardInFlight<T>(slot: InFlightSlot, run: () => T | PromiseLike<T>): Promise<T> {
  requireObject('guardInFlight: slot', slot);
  requireFunction('guardInFlight: slot.release', slot.release);
  return slot.signal === undefined ? guardToTheEnd(slot, run) : guardUntilAborted(slot, slot.signal, run);
}

async function guardToTheEnd<T>(slot: InFlightSlot, run: () => T | PromiseLike<T>): Promise<T> {
  let value: T;
  try {
    requireFunction('guardInFlight: run', run); // Here, so that the slot is released.
    value = await run();
  } catch (error) {
    orphan(slot, error);
    throw error;
  }
  slot.release();
  return value;
}

function guardUntilAborted<T>(
  slot: InFlightSlot,
  signal: AbortSignal,
  run: () => T | PromiseLike<T>,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => {
      orphan(slot, signal.reason);
      reject(signal.reason);
    };
    // Aborted between the claim and here: the body is not begun.
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });

    // An abort has released the slot already, so the body's own end must not do so again.
    const untilAborted: InFlightSlot = {
      onOrphaned: (error) => {
        if (!signal.aborted) slot.onOrphaned?.(error);
      },
      release: () => {
        signal.removeEventListener('abort', onAbort);
        if (!signal.aborted) slot.release();
      },
    };
    guardToTheEnd(untilAborted, run).then(resolve, reject);
  });
}

function orphan(slot: InFlightSlot, error: unknown): void {
  try {
    slot.onOrphaned?.(error);
  } catch {
    // The first failure is reported.
  }
  try {
    slot.release();
  } catch {
    // The same.
  }
}
