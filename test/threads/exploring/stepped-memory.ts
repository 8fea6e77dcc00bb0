/**
 * A ring's memory that executes one step and then stops the code that runs on it, wherever that stands.
 *
 * JavaScript cannot suspend a function from outside, but it can run it again: a call of the ring depends on
 * nothing but what its steps returned. So a call in progress is the log of those returns; to move it on,
 * it is run from its beginning, is fed the log, executes one step more for real, and is thrown out at the
 * step after that. The text explored is the text that ships.
 */
import {
  HEAD,
  type KeyedRelease,
  type RingMemory,
  sequenceWord,
  TAIL,
} from '../../../src/threads/ring-memory.ts';

/** Everything that threads share. Plain numbers, so that a copy and a key are cheap. */
export interface SharedState {
  /** Tail, head, then each slot's sequence. */
  readonly words: number[];
  /** What each slot holds: 0, or an item. */
  readonly items: number[];
  /** For each slot, the agent that is reading or writing it. */
  readonly visitors: number[];
  /** Whether the consumer's wait is pending. */
  isWaiting: boolean;
}

/** The agent that pops; those above it push. */
export const CONSUMER = 0;
const NOBODY = -1;

export function freshState(capacity: number): SharedState {
  return {
    words: new Array<number>(2 + capacity).fill(0),
    items: new Array<number>(capacity).fill(0),
    visitors: new Array<number>(capacity).fill(NOBODY),
    isWaiting: false,
  };
}

export function copyState(state: SharedState): SharedState {
  const { words, items, visitors, isWaiting } = state;
  return { words: words.slice(), items: items.slice(), visitors: visitors.slice(), isWaiting };
}

/** Thrown by the first step that may not run yet. */
export const SUSPENDED: unique symbol = Symbol('suspended');

/** A rule that the ring broke. */
export class Violation extends Error {}

export class SteppedMemory implements RingMemory {
  readonly capacity: number;
  #agent = 0;
  #state: SharedState;
  #log: number[] = [];
  #at = 0;
  #stepsLeft = 0;
  #staged = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#state = freshState(capacity);
  }

  /** Readies the next run: `agent` goes on after `log`, to which its new steps will be added. */
  resume(state: SharedState, agent: number, log: number[], steps = 1): void {
    this.#state = state;
    this.#agent = agent;
    this.#log = log;
    this.#at = 0;
    this.#stepsLeft = steps;
  }

  /** Runs a whole call on its own. */
  runThrough<Result>(state: SharedState, call: () => Result): Result {
    this.resume(state, NOBODY, [], Number.POSITIVE_INFINITY);
    return call();
  }

  load(word: number): number {
    // Only the consumer writes the head; that it reads it makes no difference to anybody, at any time.
    const cost = word === HEAD && this.#agent === CONSUMER ? 0 : 1;
    return this.#step(() => this.#word(word), cost);
  }

  store(word: number, value: number): void {
    if (word === HEAD && this.#agent > CONSUMER) throw new Violation('a producer moves the head');
    this.#step(() => {
      this.#state.words[compact(word)] = value | 0;
      return 0;
    });
  }

  compareExchange(word: number, expected: number, replacement: number): number {
    return this.#step(() => {
      const found = this.#word(word);
      if (found === (expected | 0)) this.#state.words[compact(word)] = replacement | 0;
      return found;
    });
  }

  setBits(word: number, mask: number): void {
    this.#step(() => {
      this.#state.words[compact(word)] = this.#word(word) | mask;
      return 0;
    });
  }

  notify(_word: number): void {
    this.#step(() => {
      this.#state.isWaiting = false;
      return 0;
    });
  }

  waitAsync(word: number, value: number): Promise<unknown> | undefined {
    const waits = this.#step(() => {
      this.#state.isWaiting = this.#word(word) === value;
      return this.#state.isWaiting ? 1 : 0;
    });
    return waits === 1 ? PENDING : undefined;
  }

  stage(sessionKey: number, _objectId: string): boolean {
    this.#staged = sessionKey;
    return true;
  }

  writeSlot(slot: number): void {
    this.#step(() => {
      this.#visit(slot);
      this.#state.items[slot] = this.#staged;
      return 0;
    });
  }

  /** What was taken is not to be read again, so the slot is left blank. */
  readSlot(slot: number): KeyedRelease {
    const sessionKey = this.#step(() => {
      this.#visit(slot);
      const item = this.#state.items[slot] ?? 0;
      this.#state.items[slot] = 0;
      return item;
    });
    return { sessionKey, objectId: '' };
  }

  /** Takes longer than a moment in truth: until the agent's next step, in which it is seen to have left. */
  #visit(slot: number): void {
    const visitor = this.#state.visitors[slot] ?? NOBODY;
    if (visitor !== NOBODY) {
      throw new Violation(`data race: agents ${visitor} and ${this.#agent} are in slot ${slot} at once`);
    }
    this.#state.visitors[slot] = this.#agent;
  }

  #leave(): void {
    const slot = this.#state.visitors.indexOf(this.#agent);
    if (slot !== -1) this.#state.visitors[slot] = NOBODY;
  }

  #word(word: number): number {
    const value = this.#state.words[compact(word)];
    if (value === undefined) throw new Violation(`word ${word} is outside the ring`);
    return value;
  }

  #step(execute: () => number, cost = 1): number {
    const logged = this.#log[this.#at];
    if (logged === undefined) {
      if (this.#stepsLeft < cost) throw SUSPENDED;
      this.#stepsLeft -= cost;
      this.#leave();
      this.#log.push(execute());
    }
    return this.#log[this.#at++] ?? 0;
  }
}

/** What a wait returns; nobody awaits it, the explorer looks at `isWaiting`. */
const PENDING: Promise<void> = Promise.resolve();

function compact(word: number): number {
  if (word === TAIL) return 0;
  if (word === HEAD) return 1;
  return 2 + (word - sequenceWord(0)) / (sequenceWord(1) - sequenceWord(0));
}
