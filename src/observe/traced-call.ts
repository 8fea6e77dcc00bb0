/**
 * One call of the program's into its client, from the line that made it until its promise is settled. What is
 * minted on the way is the client's own, but for what the call gives back: that is the program's to dispose of.
 *
 * Calls are followed through their awaits by `AsyncLocalStorage`, since a stack often ends inside the client:
 * at a `.then`, a timer, an observable.
 */
import { type AsyncContext, asyncContext } from '../builtins.ts';
import { mintOf, type TracedMint } from './traced-mint.ts';

/** Gathers what the calls made inside one body minted for the program. What a body within it minted is the outer's, too. */
export class TraceWindow {
  readonly mints: Set<TracedMint> = new Set();
  readonly #outer: TraceWindow | undefined = currentWindow();
  readonly #includes: (session: object) => boolean;
  readonly #undo: (() => void)[] = [];

  /** @param includes whether what is minted in a session is looked at. */
  constructor(includes: (session: object) => boolean = () => true) {
    this.#includes = includes;
  }

  /** @param session whose mint it is. */
  add(mint: TracedMint, session: object): void {
    if (this.#includes(session)) this.mints.add(mint);
    this.#outer?.add(mint, session);
  }

  /** What is to be undone when the outermost window is over. */
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
  /** Not where the client calls itself, answering an event. */
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

  /** The call has ended well, and handed these over, wherever they were minted. */
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
   * The call has failed: what came as an error of an evaluation is why. What comes later is the client's own, and so is
   * what a call of the client's to itself fails with.
   */
  reject(): void {
    if (this.isByProgram) for (const mint of this.#exceptions ?? []) mint.attribute('thrown');
    this.#exceptions = undefined;
  }
}

const calls: AsyncContext<TracedCall | undefined> = /* @__PURE__ */ asyncContext();
const windows: AsyncContext<TraceWindow | undefined> = /* @__PURE__ */ asyncContext();

/** The unfinished call on whose behalf this runs. */
export function currentCall(): TracedCall | undefined {
  const call = calls.getStore();
  return call?.isOver === false ? call : undefined;
}

export function runCall<T>(call: TracedCall, body: () => T): T {
  return calls.run(call, body);
}

/** Runs what is the program's though the client calls it: in no call. */
export function runOutsideCalls<T>(body: () => T): T {
  return currentCall() === undefined ? body() : calls.run(undefined, body);
}

export function currentWindow(): TraceWindow | undefined {
  return windows.getStore();
}

/** Has what is minted by the calls made inside `body` gathered in a window; parallel ones do not mix. */
export function runWindow<T>(window: TraceWindow, body: () => T): T {
  return windows.run(window, body);
}
