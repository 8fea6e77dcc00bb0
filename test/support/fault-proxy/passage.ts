// One way through a fault proxy. Each session has its own order, which no fault disturbs: what is behind a message
// that is held waits behind it, while other sessions overtake. That is what a browser may do, and no more.
import { setImmediate as macrotask } from 'node:timers/promises';
import type { Matcher, WireMessage } from './wire.ts';

/** What is delivered in a message's stead. */
type Treatment = (message: WireMessage) => readonly string[] | Promise<readonly string[]>;

interface Rule {
  readonly matches: Matcher;
  readonly treat: Treatment;
}

/** Takes the fault away again; a hold lets go of what it holds. */
export type Fault = Disposable;

export class Passage {
  readonly #deliver: (text: string) => void;
  readonly #rules = new Set<Rule>();
  /** By session, what waits for its turn; there while there is some. */
  readonly #queues = new Map<string, WireMessage[]>();

  constructor(deliver: (text: string) => void) {
    this.#deliver = deliver;
  }

  take(message: WireMessage): void {
    const queue = this.#queues.get(message.sessionId);
    if (queue !== undefined) {
      queue.push(message);
      return;
    }
    const treated = this.#treat(message);
    if (!(treated instanceof Promise)) {
      for (const text of treated) this.#deliver(text);
      return;
    }
    const waiting: WireMessage[] = [];
    this.#queues.set(message.sessionId, waiting);
    void this.#passInOrder(message.sessionId, treated, waiting);
  }

  /** Holds what matches, and all that follows it in its session. */
  hold(matches: Matcher): Hold {
    const hold = new Hold(matches, () => this.#rules.delete(hold));
    this.#rules.add(hold);
    return hold;
  }

  /** Delivers what matches, and so what follows it in its session, this much later. */
  delay(matches: Matcher, ms: number): Fault {
    return this.treat(matches, async ({ text }) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return [text];
    });
  }

  /** Has sessions overtake one another, by lot: each message waits for so many turns of the event loop. */
  shuffle(matches: Matcher, turnsToWait: () => number): Fault {
    return this.treat(matches, async ({ text }) => {
      for (let turn = turnsToWait(); turn > 0; turn--) await macrotask();
      return [text];
    });
  }

  drop(matches: Matcher): Fault {
    return this.treat(matches, () => []);
  }

  duplicate(matches: Matcher): Fault {
    return this.treat(matches, ({ text }) => [text, text]);
  }

  /** Delivers the first part only, in a frame of its own. */
  truncate(matches: Matcher): Fault {
    return this.treat(matches, ({ text }) => [text.slice(0, text.length / 2)]);
  }

  /** Delivers what `change` makes of the message, which need not be JSON any more. */
  corrupt(matches: Matcher, change: (text: string) => string): Fault {
    return this.treat(matches, ({ text }) => [change(text)]);
  }

  /** The oldest rule that matches has the message. */
  treat(matches: Matcher, treat: Treatment): Fault {
    const rule: Rule = { matches, treat };
    this.#rules.add(rule);
    return { [Symbol.dispose]: () => void this.#rules.delete(rule) };
  }

  #treat(message: WireMessage): readonly string[] | Promise<readonly string[]> {
    for (const rule of this.#rules) if (rule.matches(message)) return rule.treat(message);
    return [message.text];
  }

  async #passInOrder(
    sessionId: string,
    first: Promise<readonly string[]>,
    waiting: WireMessage[],
  ): Promise<void> {
    for (const text of await first) this.#deliver(text);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      for (const text of await this.#treat(next)) this.#deliver(text);
    }
    this.#queues.delete(sessionId);
  }
}

class Hold implements Rule, Disposable {
  readonly matches: Matcher;
  readonly #end: () => void;
  #held: (() => void)[] = [];
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(matches: Matcher, end: () => void) {
    this.matches = matches;
    this.#end = end;
  }

  readonly treat: Treatment = ({ text }) => {
    const passed = new Promise<readonly string[]>((resolve) => this.#held.push(() => resolve([text])));
    for (const { resolve } of this.#waiting.filter(({ count }) => count <= this.#held.length)) resolve();
    this.#waiting = this.#waiting.filter(({ count }) => count > this.#held.length);
    return passed;
  };

  /** Resolves as soon as messages of so many sessions are held. */
  reached(count: number): Promise<void> {
    if (this.#held.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  /** Lets all go that is held, and holds no more. */
  [Symbol.dispose](): void {
    this.#end();
    for (const pass of this.#held) pass();
    this.#held = [];
  }
}
