/**
 * A fence stands in the way of messages, so that a race becomes a plain, deterministic test: a message is
 * held until the test lets it go, alone or in any order; or it is dropped, or changed. Nothing here knows of
 * time.
 */
/** Tells whether a rule is for this message. */
export type Matcher<Message> = (message: Message) => boolean;

type Deliver<Message> = (message: Message) => void;

interface Rule<Message> {
  readonly matches: Matcher<Message>;
  apply(message: Message, deliver: Deliver<Message>): void;
}

export class Fence<Message> {
  readonly #rules = new Set<Rule<Message>>();

  /** Holds the messages that match, until they are let go. Disposing of the hold lets all go and holds no more. */
  hold(matches: Matcher<Message> = () => true): Hold<Message> {
    const hold = new Hold<Message>(matches, () => this.#rules.delete(hold));
    this.#rules.add(hold);
    return hold;
  }

  /** Loses the messages that match. */
  drop(matches: Matcher<Message> = () => true): Disposable {
    return this.#add({ matches, apply: () => {} });
  }

  /** Delivers what `change` makes of a message in its stead: corrupts it, say. */
  rewrite(matches: Matcher<Message>, change: (message: Message) => Message): Disposable {
    return this.#add({ matches, apply: (message, deliver) => deliver(change(message)) });
  }

  /** The way through: the oldest rule that matches has the message, and where none does it is delivered. */
  pass(message: Message, deliver: Deliver<Message>): void {
    for (const rule of this.#rules) {
      if (!rule.matches(message)) continue;
      rule.apply(message, deliver);
      return;
    }
    deliver(message);
  }

  #add(rule: Rule<Message>): Disposable {
    this.#rules.add(rule);
    return { [Symbol.dispose]: () => void this.#rules.delete(rule) };
  }
}

export class Hold<Message> implements Disposable, Rule<Message> {
  readonly matches: Matcher<Message>;
  readonly #end: () => void;
  readonly #held = new Map<Message, Deliver<Message>>();
  readonly #waiting = new Set<{ readonly count: number; readonly resolve: (held: Message[]) => void }>();

  constructor(matches: Matcher<Message>, end: () => void) {
    this.matches = matches;
    this.#end = end;
  }

  /** What is held now, in order of arrival. */
  get messages(): Message[] {
    return [...this.#held.keys()];
  }

  apply(message: Message, deliver: Deliver<Message>): void {
    this.#held.set(message, deliver);
    for (const waiter of this.#waiting) {
      if (this.#held.size < waiter.count) continue;
      this.#waiting.delete(waiter);
      waiter.resolve(this.messages);
    }
  }

  /** Resolves with what is held as soon as that is at least `count` messages. */
  reached(count: number): Promise<Message[]> {
    if (this.#held.size >= count) return Promise.resolve(this.messages);
    return new Promise((resolve) => this.#waiting.add({ count, resolve }));
  }

  /** Delivers the given messages, in the order given; all that are held where none is given. */
  letGo(...messages: Message[]): void {
    for (const message of messages.length > 0 ? messages : this.messages) {
      const deliver = this.#held.get(message);
      if (!deliver) throw new Error('letGo: the fence does not hold this message');
      this.#held.delete(message);
      deliver(message);
    }
  }

  [Symbol.dispose](): void {
    this.#end();
    this.letGo();
  }
}
