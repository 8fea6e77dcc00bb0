/**
 * An answer that comes by callback, in the shape that the tap reads: like a promise, but its reactions run within the call
 * that settles it. So a client whose callback is called in the same turn, or within the same call, sees the same order when
 * attached.
 */
import { nextTick } from '../timers.ts';

/** The few members of `Promise` that the tap uses. */
export class CallbackAnswer<T = unknown> implements PromiseLike<T> {
  #outcome: { readonly isResult: boolean; readonly value: unknown } | undefined;
  readonly #reactions: (() => void)[] = [];

  resolve(result: T): void {
    this.#settle({ isResult: true, value: result });
  }

  reject(reason: unknown): void {
    this.#settle({ isResult: false, value: reason });
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a thenable, and is meant to be taken for one.
  then<Result = T, Fallback = never>(
    onResult?: ((result: T) => Result | PromiseLike<Result>) | null,
    onReason?: ((reason: unknown) => Fallback | PromiseLike<Fallback>) | null,
  ): CallbackAnswer<Result | Fallback> {
    const next = new CallbackAnswer<Result | Fallback>();
    this.deliver(
      (result) => next.#follow(result, onResult as Reaction | undefined, true),
      (reason) => next.#follow(reason, onReason as Reaction | undefined, false),
    );
    return next;
  }

  /** Ends a chain: an error that a callback throws reaches the caller that settles the answer, as with a plain callback. */
  deliver(onResult: (result: T) => void, onReason: (reason: unknown) => void): void {
    const react = (): void => {
      if (this.#outcome?.isResult) onResult(this.#outcome.value as T);
      else onReason(this.#outcome?.value);
    };
    if (this.#outcome === undefined) this.#reactions.push(react);
    else react();
  }

  #follow(value: unknown, reaction: Reaction | undefined, isResult: boolean): void {
    if (typeof reaction !== 'function') {
      this.#settle({ isResult, value });
      return;
    }
    let result: unknown;
    try {
      result = reaction(value);
    } catch (error) {
      this.reject(error);
      return;
    }
    this.resolve(result as T);
  }

  #settle(outcome: { readonly isResult: boolean; readonly value: unknown }): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    for (const react of this.#reactions.splice(0)) react();
  }
}

type Reaction = (value: unknown) => unknown;

/**
 * Hands an answer to the client's own callback. If the answer is a promise of this library's, the callback runs in a turn of its
 * own: so an error that it throws is an uncaught exception, not a rejection.
 */
export function deliver(
  answer: PromiseLike<unknown>,
  onResult: (result: unknown) => void,
  onReason: (reason: unknown) => void,
): void {
  if (answer instanceof CallbackAnswer) {
    answer.deliver(onResult, onReason);
    return;
  }
  answer.then(
    (result) => nextTick(onResult, result),
    (reason: unknown) => nextTick(onReason, reason),
  );
}
