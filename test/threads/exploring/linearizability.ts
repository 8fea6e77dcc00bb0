/**
 * Decides whether what the threads were told can be explained by a plain queue whose calls take effect one
 * at a time, each at some moment between its call and its return (linearizability, Herlihy & Wing 1990).
 *
 * It carries along every explanation that is still possible, each a state of the plain queue; an answer that
 * none of them allows is a violation. This is exact, and knows nothing of tickets and slots. The plain queue:
 *
 * - `push` is `full` only if as many items are inside as slots are in service, `closed` only once closed;
 * - `pop` takes the oldest item whole, is `empty` only if nothing is inside, and is a `gap` only if the
 *   oldest item's push has not returned;
 * - `stepOver` puts an item out, and its slot out of service, only if that item's push has not returned;
 *   that push then starts again, and may bring the slot back at any time.
 *
 * Lost, doubled, torn and reordered items all come out as an answer that cannot be explained.
 */

/** One state of the plain queue. */
interface Explanation {
  readonly queue: readonly number[];
  readonly outOfService: number;
  readonly isClosed: boolean;
  /** For each agent: the call that it is in, and the answer if that has taken effect already. */
  readonly calls: readonly (PendingCall | undefined)[];
}

interface PendingCall {
  readonly call: Call;
  readonly answer: Answer | undefined;
}

/** What a call returned; a pop that took an item, the item. */
export type Answer = string | number;

/** `item` is a number that tells every item from every other; only a push has one. */
export interface Call {
  readonly name: 'push' | 'pop' | 'stepOver' | 'close';
  readonly item: number;
}

export class LinearizabilityMonitor {
  readonly #capacity: number;
  /** Sets of explanations that were met, by number; and where each event leads, so that it is worked out once. */
  readonly #sets: Explanation[][] = [];
  readonly #numberOf = new Map<string, number>();
  readonly #transitions = new Map<string | number, number>();

  /** The number of the set that everything begins with: an empty queue, and nobody calling. */
  readonly initial: number;

  constructor(capacity: number, agents: number) {
    this.#capacity = capacity;
    const calls = new Array<undefined>(agents).fill(undefined);
    this.initial = this.#intern([{ queue: [], outOfService: 0, isClosed: false, calls }]);
  }

  call(set: number, agent: number, call: Call): number {
    return this.#follow(`${set} ${agent} calls ${call.name} ${call.item}`, () =>
      (this.#sets[set] ?? []).map((from) => withCall(from, agent, { call, answer: undefined })),
    );
  }

  /** `undefined` if no explanation is left. */
  answer(set: number, agent: number, answer: Answer): number | undefined {
    const next = this.#follow(`${set} ${agent} hears ${answer}`, () =>
      this.#closure(set)
        .filter((from) => from.calls[agent]?.answer === answer)
        .map((from) => withCall(from, agent, undefined)),
    );
    return (this.#sets[next] ?? []).length === 0 ? undefined : next;
  }

  /** The same explanations after agent `i` was given the name `names[i]`; its items change theirs too. */
  renamed(set: number, names: readonly number[]): number {
    let order = 0;
    let isSame = true;
    for (let agent = 0; agent < names.length; agent++) {
      order = order * names.length + (names[agent] ?? 0);
      isSame &&= names[agent] === agent;
    }
    if (isSame) return set;
    const newItem = (item: number): number => item + (names[Math.trunc(item)] ?? 0) - Math.trunc(item);
    return this.#follow(set * MOST_ORDERS + order, () =>
      (this.#sets[set] ?? []).map((from) => {
        const calls = from.calls.slice();
        for (const [agent, pending] of from.calls.entries()) {
          calls[names[agent] ?? agent] = pending && {
            call: { ...pending.call, item: newItem(pending.call.item) },
            answer: typeof pending.answer === 'number' ? newItem(pending.answer) : pending.answer,
          };
        }
        return { ...from, queue: from.queue.map(newItem), calls };
      }),
    );
  }

  /** Whether nothing may be inside. */
  canBeEmpty(set: number): boolean {
    return (this.#sets[set] ?? []).some((from) => from.queue.length === 0);
  }

  #follow(event: string | number, work: () => Explanation[]): number {
    let next = this.#transitions.get(event);
    if (next === undefined) {
      next = this.#intern(work());
      this.#transitions.set(event, next);
    }
    return next;
  }

  #intern(explanations: Explanation[]): number {
    const unique = new Map(explanations.map((each) => [JSON.stringify(each), each]));
    const key = [...unique.keys()].sort().join();
    let number = this.#numberOf.get(key);
    if (number === undefined) {
      number = this.#sets.push([...unique.values()]) - 1;
      this.#numberOf.set(key, number);
    }
    return number;
  }

  /** Every explanation that follows if any of the pending calls take effect, in any order. */
  #closure(set: number): Explanation[] {
    const found = new Map<string, Explanation>();
    const open = [...(this.#sets[set] ?? [])];
    for (let from = open.pop(); from !== undefined; from = open.pop()) {
      const key = JSON.stringify(from);
      if (found.has(key)) continue;
      found.set(key, from);
      open.push(...this.#effects(from));
    }
    return [...found.values()];
  }

  *#effects(from: Explanation): Iterable<Explanation> {
    if (from.outOfService > 0) yield { ...from, outOfService: from.outOfService - 1 };
    for (const [agent, pending] of from.calls.entries()) {
      if (pending === undefined || pending.answer !== undefined) continue;
      for (const [answer, to] of this.#takeEffect(from, pending.call)) {
        yield withCall(to, agent, { call: pending.call, answer });
      }
    }
  }

  *#takeEffect(from: Explanation, call: Call): Iterable<[answer: Answer, to: Explanation]> {
    const [oldest, ...younger] = from.queue;
    const pusher = from.calls.findIndex(
      (pending) => pending?.call.name === 'push' && pending.call.item === oldest,
    );
    switch (call.name) {
      case 'push':
        if (from.isClosed) yield ['closed', from];
        else if (from.queue.length >= this.#capacity - from.outOfService) yield ['full', from];
        else yield ['queued', { ...from, queue: [...from.queue, call.item] }];
        return;
      case 'pop':
        if (oldest === undefined) yield ['empty', from];
        else yield [oldest, { ...from, queue: younger }];
        if (oldest !== undefined && pusher !== -1) yield ['gap', from];
        return;
      case 'stepOver':
        yield ['false', from];
        if (oldest === undefined || pusher === -1) return;
        yield [
          'true',
          withCall({ ...from, queue: younger, outOfService: from.outOfService + 1 }, pusher, {
            call: { name: 'push', item: oldest },
            answer: undefined,
          }),
        ];
        return;
      case 'close':
        yield ['done', { ...from, isClosed: true }];
    }
  }
}

/** Above 4 ** 4: what four agents' names are as the digits of a number. */
const MOST_ORDERS = 1024;

function withCall(from: Explanation, agent: number, pending: PendingCall | undefined): Explanation {
  return { ...from, calls: from.calls.with(agent, pending) };
}
