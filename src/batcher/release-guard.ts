/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Owns one remote object for a block: releases it at the block's end, whatever happens in it.
 *
 * ```ts
 * using guard = batcher.guard(session, result.objectId);
 * ```
 */
export class ReleaseGuard implements Disposable {
  #release: (() => void) | undefined;

  /** @param release enqueues the release; absent where there was no id to guard. */
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
