/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A scope owns the handles minted in it: they are bound to groups of its own, and die with it by one
 * command a session, whether the program still refers to them or not.
 */
import { type AsyncContext, asyncContext } from '../builtins.ts';
import type { AnsweredCommands } from './answered-commands.ts';
import type { HandleRecord, Ledger, ObjectGroup } from './ledger/handle-record.ts';

/** A scope as a block, made by `openScope`: what was minted while it was open is released at its end. */
export class HandleScope implements Disposable {
  /** By session, the group that takes the scope's mints now. */
  readonly #openGroups = new Map<Ledger, ObjectGroup>();
  /** Those of its groups in which something lives: the sweep closes one of which much was dropped inside, and another follows. */
  readonly #groups = new Alive<ObjectGroup>(
    ({ stage, live, ledger }) => !ledger.hasEnded && (stage === 'open' || live > 0),
  );
  /** Handles of the scope's in groups that are not: children of objects from outside, mostly. */
  readonly #strays = new Alive<HandleRecord>(({ state }) => state === 'live');
  #onEnd: () => void;
  #outer: HandleScope | undefined;
  #hasEnded = false;

  /**
   * @param outer the scope that it runs in.
   * @internal Made by the attachment.
   */
  constructor(onEnd: () => void, outer?: HandleScope) {
    this.#onEnd = onEnd;
    this.#outer = outer;
  }

  /** Whether it has ended, by `end` or with its block. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The scope's group in a session, into which what is minted now shall go. @internal */
  groupFor(ledger: Ledger): ObjectGroup {
    let group = this.#openGroups.get(ledger);
    if (group?.stage !== 'open') {
      group = ledger.generations.create();
      group.scope = this;
      this.#openGroups.set(ledger, group);
      if (this.#groups.add(group)) this.#forgetEndedSessions();
    }
    return group;
  }

  /** Takes charge of a handle minted by a command that was sent in the scope. @internal */
  own(record: HandleRecord): void {
    // Its answer came when all was over: it was minted inside, so it ends here.
    const { context, group } = record;
    if (context === undefined) return;
    if (this.#hasEnded) context.ledger.releases.dropWithScope(record);
    else if (group === undefined || group !== this.#openGroups.get(context.ledger)) this.#strays.add(record);
  }

  /** Goes on to own a handle that was moved from its group to another. @internal */
  follow(record: HandleRecord): void {
    if (!this.#hasEnded) this.#strays.add(record);
  }

  /** This scope while it runs, and then the innermost of those around it that does. @internal */
  get running(): HandleScope | undefined {
    if (!this.#hasEnded) return this;
    this.#outer = this.#outer?.running; // Those between the two have ended, and are held no longer.
    return this.#outer;
  }

  /** Drops all that was minted inside and did not escape. Once; safe while commands are unanswered. */
  end(): void {
    if (this.#hasEnded) return;
    this.#onEnd();
    this.#onEnd = () => {}; // Whoever holds a scope that has ended holds nothing by it.
    this.#hasEnded = true;
    this.#outer = this.#outer?.running;
    for (const group of this.#groups.take()) {
      if (group.ledger.isForsaken) continue; // Detached meanwhile: what lives is the program's own affair.
      group.ledger.generations.close(group);
      group.ledger.releases.dropMembers(group);
      group.scope = undefined;
    }
    for (const record of this.#strays.take()) {
      const ledger = record.context?.ledger;
      if (!record.hasEscaped && ledger?.isForsaken === false) ledger.releases.dropWithScope(record);
    }
    this.#openGroups.clear();
  }

  /** A scope around a whole crawl sees many sessions end. */
  #forgetEndedSessions(): void {
    for (const ledger of this.#openGroups.keys()) if (ledger.hasEnded) this.#openGroups.delete(ledger);
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** So few are not worth looking through. */
const FEWEST_LOOKED_THROUGH = 64;

/** What a scope has to see to at its end. Never holds more of what is over than of what is not, but for a few. */
class Alive<Item> {
  readonly #isAlive: (item: Item) => boolean;
  #items: Item[] = [];
  #most = FEWEST_LOOKED_THROUGH;

  constructor(isAlive: (item: Item) => boolean) {
    this.#isAlive = isAlive;
  }

  /** @returns whether it was time to forget what is over. */
  add(item: Item): boolean {
    const isTime = this.#items.length >= this.#most;
    if (isTime) {
      this.#items = this.#items.filter(this.#isAlive);
      this.#most = Math.max(FEWEST_LOOKED_THROUGH, 2 * this.#items.length);
    }
    this.#items.push(item);
    return isTime;
  }

  /** Gives them all, and has none any more. */
  take(): readonly Item[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }
}

/** The scopes of one attachment: those that follow an async context, and those that cover sessions. */
export class ScopeStack {
  readonly #storage: AsyncContext<HandleScope> = asyncContext();
  #covers: readonly Cover[] = [];
  /** Bodies that are running in a scope. While there are none, a command need not look for one. */
  #running = 0;
  readonly #answers: AnsweredCommands;

  /** @param answers what was minted by these is entered before a scope ends. */
  constructor(answers: AnsweredCommands) {
    this.#answers = answers;
  }

  /** The innermost scope that a command sent now on this session belongs to. */
  current(ledger: Ledger): HandleScope | undefined {
    const inContext = this.inContext();
    if (inContext !== undefined) return inContext;
    if (this.#covers.length === 0) return undefined;
    return this.#covers.findLast((cover) => isCovered(ledger, cover))?.scope;
  }

  /** The innermost scope that the async context at hand runs in: of those around it, when that has ended before. */
  inContext(): HandleScope | undefined {
    return this.#running > 0 ? this.#storage.getStore()?.running : undefined;
  }

  /** Runs `body` in a scope of its own, which ends however the body does. */
  async run<T>(body: () => T | PromiseLike<T>): Promise<T> {
    const scope = new HandleScope(this.#answers.enter, this.inContext());
    this.#running++;
    try {
      return await this.#storage.run(scope, body);
    } finally {
      scope.end();
      // On Node before 24 a storage in use slows down every promise of the process.
      if (--this.#running === 0) this.#storage.disable();
    }
  }

  /**
   * A scope over all that is minted while it is open in the sessions that belong to it, whoever mints it, and whether they
   * are there by now or come later.
   *
   * @param includes asked of each session once: at the first of its commands that is sent while the scope is open.
   */
  cover(includes: (ledger: Ledger) => boolean): HandleScope {
    const scope = new HandleScope(() => {
      this.#answers.enter();
      this.#covers = this.#covers.filter((cover) => cover.scope !== scope);
    });
    this.#covers = [...this.#covers, { scope, includes, known: new WeakMap() }];
    return scope;
  }
}

/** A scope over sessions, the outer ones of those that are open first. */
interface Cover {
  readonly scope: HandleScope;
  readonly includes: (ledger: Ledger) => boolean;
  /** What `includes` said. */
  readonly known: WeakMap<Ledger, boolean>;
}

function isCovered(ledger: Ledger, { includes, known }: Cover): boolean {
  let isIncluded = known.get(ledger);
  if (isIncluded === undefined) {
    isIncluded = includes(ledger);
    known.set(ledger, isIncluded);
  }
  return isIncluded;
}
