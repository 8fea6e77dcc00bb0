/**
 * Makes `dispose()` cheaper where nobody can see the difference. For its reports and logs, Playwright notes the stack of each call,
 * which takes longer than all the rest of a `dispose()`. But it counts `dispose()` as internal, and leaves such calls out of both.
 *
 * Invariant: the script's handles look as before, and do as before. `dispose` is their own for as long as they live and are kept;
 * it is not enumerable, and whatever stands in the place of the class's method meanwhile is called.
 */
import type { ChannelOwner } from './structure.ts';

type Dispose = (this: ChannelOwner) => Promise<void>;

export class DirectDispose {
  /** The class's method, once it is known that calls of it are internal in this version. */
  #original: unknown;
  /** In this version Playwright shows these calls, or does not say. */
  #isShown = false;
  readonly #own: Dispose;

  /** @param answer disposes of a handle by the shortest way; `undefined`: it must go the usual one. */
  constructor(answer: (owner: ChannelOwner) => Promise<unknown> | undefined) {
    const directDispose = this;
    this.#own = async function dispose(this: ChannelOwner): Promise<void> {
      const method = inherited(this);
      const answered = method === directDispose.#original ? answer(this) : undefined;
      if (answered === undefined) await method.call(this);
      else await answered;
    };
  }

  /**
   * A handle was disposed of by the usual way.
   *
   * @param options what Playwright sent with the call. From 1.59 on they tell whether it counts as internal.
   */
  note(owner: ChannelOwner, options: unknown): void {
    const { internal } = (options ?? {}) as { readonly internal?: unknown };
    if (internal === true && !this.#isShown) this.#original ??= inherited(owner);
    else {
      this.#isShown = true;
      this.#original = undefined;
    }
  }

  /** Gives a new handle the shortest way, where that is known to show nowhere. */
  give(owner: ChannelOwner): void {
    if (this.#original === undefined || inherited(owner) !== this.#original) return;
    Object.defineProperty(owner, 'dispose', { value: this.#own, configurable: true, writable: true });
  }

  /** The handle is as it was. */
  take(owner: ChannelOwner): void {
    if (Object.getOwnPropertyDescriptor(owner, 'dispose')?.value === this.#own)
      Reflect.deleteProperty(owner, 'dispose');
  }
}

function inherited(owner: ChannelOwner): Dispose {
  return Reflect.get(Object.getPrototypeOf(owner), 'dispose');
}
