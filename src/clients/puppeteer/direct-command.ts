/**
 * An unanswered command, in place of the promise that Puppeteer would make for it. A promise is made only if code asks for one:
 * code that wraps `_rawSend`, to log or to delay, and waits for the result.
 */
import type { OnAnswer } from '../../batcher/release.ts';

/** The ids of a connection's commands, and the register of the commands that wait for an answer. */
export interface DirectRoute {
  readonly waiting: Map<number, DirectCommand>;
  readonly nextId: () => number;
}

export class DirectCommand implements PromiseLike<unknown> {
  readonly #route: DirectRoute;
  readonly #slot: number;
  /** `undefined` once the answer has come. */
  #onAnswer: OnAnswer | undefined;
  #result: unknown;
  #reason: unknown;
  #asked: PromiseWithResolvers | undefined;

  constructor(route: DirectRoute, slot: number, onAnswer: OnAnswer) {
    this.#route = route;
    this.#slot = slot;
    this.#onAnswer = onAnswer;
  }

  /** Called by `_rawSend` in place of Puppeteer's register: at once, or when a wrapper of `_rawSend` lets the command through. */
  create(_method: string, _timeoutMs: number, send: (id: number) => void): this {
    const { waiting, nextId } = this.#route;
    const id = nextId();
    waiting.set(id, this);
    try {
      send(id);
    } catch (error) {
      waiting.delete(id);
      throw error;
    }
    return this;
  }

  /** Settles as `given` does: a promise of others, if the connection is closed or `_rawSend` is wrapped. */
  follow(given: unknown): void {
    Promise.resolve(given).then(
      (result) => this.answer(result),
      (reason: unknown) => this.refuse(reason),
    );
  }

  refuse(reason: unknown): void {
    this.answer(undefined, reason ?? new Error('Refused without a reason'));
  }

  /** Settles the command. Only the first answer counts. */
  answer(result: unknown, reason?: unknown): void {
    const onAnswer = this.#onAnswer;
    if (onAnswer === undefined) return;
    this.#onAnswer = undefined;
    this.#result = result;
    this.#reason = reason;
    if (this.#asked !== undefined) this.#tell(this.#asked);
    onAnswer(this.#slot, reason, result);
  }

  // biome-ignore lint/suspicious/noThenProperty: it is a thenable, and is meant to be taken for one.
  then<Result = unknown, Fallback = never>(
    onResult?: ((result: unknown) => Result | PromiseLike<Result>) | null,
    onReason?: ((reason: unknown) => Fallback | PromiseLike<Fallback>) | null,
  ): Promise<Result | Fallback> {
    return this.#promise().then(onResult, onReason);
  }

  catch<Fallback>(onReason: (reason: unknown) => Fallback | PromiseLike<Fallback>): Promise<unknown> {
    return this.#promise().catch(onReason);
  }

  finally(onEnd: () => void): Promise<unknown> {
    return this.#promise().finally(onEnd);
  }

  #promise(): Promise<unknown> {
    if (this.#asked === undefined) {
      this.#asked = withResolvers();
      if (this.#onAnswer === undefined) this.#tell(this.#asked);
    }
    return this.#asked.promise;
  }

  #tell({ resolve, reject }: PromiseWithResolvers): void {
    if (this.#reason === undefined) resolve(this.#result);
    else reject(this.#reason);
  }
}

interface PromiseWithResolvers {
  readonly promise: Promise<unknown>;
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

/** As `Promise.withResolvers`, which Node 20 does not have. */
function withResolvers(): PromiseWithResolvers {
  let resolve!: PromiseWithResolvers['resolve'];
  let reject!: PromiseWithResolvers['reject'];
  const promise = new Promise((onResult, onReason) => {
    resolve = onResult;
    reject = onReason;
  });
  return { promise, resolve, reject };
}
