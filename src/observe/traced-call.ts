/**
 * One call of the program's into its client, from the line that made it until its promise is settled. Handles minted
 * meanwhile are the client's own, except those that the call returns: the program has to dispose of these.
 *
 * Calls are followed through their awaits by `AsyncLocalStorage`, since a stack often ends inside the client: at a `.then`,
 * a timer, an observable.
 */
import { type AsyncContext, asyncContext } from '../builtins.ts';
import { mintOf, type TracedMint } from './traced-mint.ts';

/**
 * Gathers the handles that calls inside one body minted for the program. Handles of an inner body count for the outer one
 * too.
 */
export class TraceWindow {
  readonly mints: Set<TracedMint> = new Set();
  readonly #outer: TraceWindow | undefined = currentWindow();
  readonly #includes: (session: object) => boolean;
  readonly #undo: (() => void)[] = [];

  /** @param includes whether handles minted in a session count. */
  constructor(includes: (session: object) => boolean = () => true) {
    this.#includes = includes;
  }

  /** @param session in which the handle was minted. */
  add(mint: TracedMint, session: object): void {
    if (this.#includes(session)) this.mints.add(mint);
    this.#outer?.add(mint, session);
  }

  /** Undone when the outermost window is over. */
  onEnd(undo: () => void): void {
    if (this.#outer === undefined) this.#undo.push(undo);
    else this.#outer.onEnd(undo);
  }

  end(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}

export class TracedCall {
  readonly line: string;
  /** Not where the client calls itself, in reaction to an event. */
  readonly isByProgram: boolean;
  readonly window: TraceWindow | undefined;
  /** Errors of evaluations, while the call lasts. */
  #exceptions: TracedMint[] | undefined = [];

  constructor(line: string, isByProgram: boolean, window: TraceWindow | undefined) {
    this.line = line;
    this.isByProgram = isByProgram;
    this.window = window;
  }

  get isOver(): boolean {
    return this.#exceptions === undefined;
  }

  add(mint: TracedMint): void {
    if (mint.isException) this.#exceptions?.push(mint);
  }

  /** The call has succeeded, and returned these handles, wherever they were minted. */
  resolve(handedOver: Iterable<object>): void {
    const wasOver = this.isOver;
    this.#exceptions = undefined;
    if (wasOver || !this.isByProgram) return;
    for (const remoteObject of handedOver) {
      const mint = mintOf(remoteObject);
      if (mint?.account.source !== 'client') continue;
      mint.attribute('script', this.line);
      this.window?.add(mint, mint.session);
    }
  }

  /**
   * The call has failed, because of an evaluation's error if there was one. Errors that come later are the client's own,
   * and so are those of the client's calls to itself.
   */
  reject(): void {
    if (this.isByProgram) for (const mint of this.#exceptions ?? []) mint.attribute('thrown');
    this.#exceptions = undefined;
  }
}

const calls: AsyncContext<TracedCall | undefined> = /* @__PURE__ */ asyncContext();
const windows: AsyncContext<TraceWindow | undefined> = /* @__PURE__ */ asyncContext();

/** The unfinished call on whose behalf this code runs. */
export function currentCall(): TracedCall | undefined {
  const call = calls.getStore();
  return call?.isOver === false ? call : undefined;
}

export function runCall<T>(call: TracedCall, body: () => T): T {
  return calls.run(call, body);
}

/** Runs code of the program that the client calls: it belongs to no call. */
export function runOutsideCalls<T>(body: () => T): T {
  return currentCall() === undefined ? body() : calls.run(undefined, body);
}

export function currentWindow(): TraceWindow | undefined {
  return windows.getStore();
}

/** Gathers the handles minted by calls inside `body` in a window. Parallel windows do not mix. */
export function runWindow<T>(window: TraceWindow, body: () => T): T {
  return windows.run(window, body);
}
