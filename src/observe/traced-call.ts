/**
 * One call of the program's into its client, from the line that made it until its promise is settled. What is
 * minted on the way is the client's own, but for what the call gives back: that is the program's to dispose of.
 *
 * Calls are followed through their awaits by `AsyncLocalStorage`, since a stack often ends inside the client:
 * at a `.then`, a timer, an observable.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { UNKNOWN_LINE } from './calling-line.ts';
import type { TracedMint } from './traced-mint.ts';

/** Gathers what the calls made inside one body minted for the program. */
export class TraceWindow {
  readonly mints: Set<TracedMint> = new Set();
}

export class TracedCall {
  readonly line: string;
  /** How many calls it stands for; 0: nothing is noted of it. */
  readonly weight: number;
  readonly window: TraceWindow | undefined;
  /** By the remote object that the client's handle holds. Only while the call lasts. */
  #mints: Map<object, TracedMint> | undefined = new Map();

  constructor(line: string, weight: number, window: TraceWindow | undefined) {
    this.line = line;
    this.weight = weight;
    this.window = window;
  }

  get isOver(): boolean {
    return this.#mints === undefined;
  }

  /** Not where nothing of the program is on the stack: then it is the client that calls, answering an event. */
  get isByProgram(): boolean {
    return this.line !== UNKNOWN_LINE;
  }

  add(remoteObject: object, mint: TracedMint): void {
    this.#mints?.set(remoteObject, mint);
  }

  /** The call has ended well, and handed these over. */
  resolve(handedOver: Iterable<object>): void {
    for (const remoteObject of this.isByProgram ? handedOver : []) {
      const mint = this.#mints?.get(remoteObject);
      if (mint === undefined) continue;
      mint.attribute('script');
      this.window?.mints.add(mint);
    }
    this.#mints = undefined;
  }

  /** The call has failed: what came as an error of an evaluation is why. What comes later is the client's own. */
  reject(): void {
    for (const mint of this.#mints?.values() ?? []) if (mint.isException) mint.attribute('thrown');
    this.#mints = undefined;
  }
}

const calls = new AsyncLocalStorage<TracedCall>();
const windows = new AsyncLocalStorage<TraceWindow>();

/** The unfinished call on whose behalf this runs. */
export function currentCall(): TracedCall | undefined {
  const call = calls.getStore();
  return call?.isOver === false ? call : undefined;
}

export function runCall<T>(call: TracedCall, body: () => T): T {
  return calls.run(call, body);
}

export function currentWindow(): TraceWindow | undefined {
  return windows.getStore();
}

/** Has what is minted by the calls made inside `body` gathered in a window; parallel ones do not mix. */
export function runWindow<T>(window: TraceWindow, body: () => T): T {
  return windows.run(window, body);
}
