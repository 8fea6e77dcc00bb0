/**
 * Calls with the same key, made while one of them is under way, share its result. Invariant: a follower always hears the
 * end of the flight that it follows, since the flight leaves the group only after its followers were told. After Go's
 * `singleflight.Group`, but a cancellation ends only the call that was cancelled: the followers of a cancelled leader do
 * not fail, and one of them becomes the leader.
 */
import { requireFunction, requireKnownOptions, requireObject } from '../runtime/option-checks.ts';
import { guardInFlight } from './in-flight-guard.ts';

/** How a flight ended. */
type Ending<T> = { readonly value: T } | { readonly error: unknown } | 'cancelled';

/**
 * Calls with the same key, made while one of them is under way, share its result.
 *
 * ```ts
 * const targets = new FlightGroup<string, TargetInfo>();
 * await targets.run(targetId, () => describeTarget(targetId));
 * ```
 */
export class FlightGroup<Key, T> {
  readonly #endings = new Map<Key, Promise<Ending<T>>>();

  /** Keys with a call under way. */
  get size(): number {
    return this.#endings.size;
  }

  /**
   * Leads with `lead`, or follows the call that leads already, and shares its value or its error. When `signal` fires this
   * call rejects with its reason; where it led, the first follower leads instead, with its own `lead`. A `lead` that asks
   * for its own key waits for itself.
   */
  async run(
    key: Key,
    lead: () => T | PromiseLike<T>,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<T> {
    requireFunction('FlightGroup.run: lead', lead);
    requireObject('options', options);
    requireKnownOptions(options, ['signal']);
    const { signal } = options;
    for (;;) {
      const followed = this.#endings.get(key);
      if (followed === undefined) return this.#lead(key, lead, signal);
      // A follower holds no slot; the guard only lets its own signal end the wait.
      const ending = await guardInFlight({ signal, release: nothing }, () => followed);
      if (ending === 'cancelled') continue;
      if ('error' in ending) throw ending.error;
      return ending.value;
    }
  }

  #lead(key: Key, lead: () => T | PromiseLike<T>, signal: AbortSignal | undefined): Promise<T> {
    let end: (ending: Ending<T>) => void = nothing;
    this.#endings.set(
      key,
      new Promise((resolve) => {
        end = resolve;
      }),
    );
    return guardInFlight(
      {
        signal,
        onOrphaned: (error) => end(signal?.aborted ? 'cancelled' : { error }),
        release: () => this.#endings.delete(key),
      },
      async () => {
        const value = await lead();
        end({ value });
        return value;
      },
    );
  }
}

function nothing(): void {}
