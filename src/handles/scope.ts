/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A scope owns the handles minted in it: they are bound to groups of its own, and die with it by one command a session,
 * whether the program still refers to them or not.
 */
import { type AsyncContext, asyncContext } from '../builtins.ts';
import { FEWEST_CLEARED } from '../policy.ts';
import type { DeferredTasks } from '../runtime/event-loop.ts';
import { endGroup } from './groups.ts';
import type { ScopeKind } from './handle-table.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';

/** What a program is told that uses a handle after the scope's end, whenever that is, and over whichever protocol. */
export function scopeEndedError(kind: ScopeKind): Error {
  const message = `This handle was created inside a scope that has ended, one of ${kind}, and was released with it: use it inside the scope, or carry it out with escape(handle).`;
  return Object.assign(new Error(message), { code: 'ERR_HANDLE_SCOPE_ENDED' });
}

/** A scope as a block, made by `openScope`: all handles minted while it is open are released at its end. */
export class HandleScope implements Disposable {
  /** By session, the group that takes the scope's mints now. */
  readonly #openGroups = new Map<SessionLedger, Group>();
  /** Its groups in which something lives. The sweep closes one of which much was dropped inside, and another follows. */
  readonly #groups = new Alive<Group>(
    ({ stage, live, ledger }) => !ledger.hasEnded && (stage === 'open' || live > 0),
  );
  /** Its handles in groups that are not the scope's: children of objects from outside, mostly. */
  readonly #strays = new Alive<Handle>(({ state }) => state === 'live');
  #onEnd: () => void;
  #outer: HandleScope | undefined;
  #hasEnded = false;
  readonly #kind: ScopeKind;

  /**
   * @param outer the scope that it runs in.
   * @internal Made by the attachment.
   */
  constructor(kind: ScopeKind, onEnd: () => void, outer?: HandleScope) {
    this.#kind = kind;
    this.#onEnd = onEnd;
    this.#outer = outer;
  }

  /** Whether it has ended, by `end` or with its block. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** The group of a session into which the scope's next mint goes. @internal */
  groupFor(ledger: SessionLedger): Group {
    let group = this.#openGroups.get(ledger);
    if (group?.stage !== 'open') {
      group = ledger.createGroup();
      group.scope = this;
      group.onMovedOut = (record) => {
        if (!this.#hasEnded) this.#strays.add(record);
      };
      this.#openGroups.set(ledger, group);
      if (this.#groups.add(group)) this.#forgetEndedSessions();
    }
    return group;
  }

  /** Takes charge of a handle minted by a command that was sent in the scope. @internal */
  own(record: Handle): void {
    const { context, group } = record;
    if (context === undefined) return;
    // The answer may come after the scope's end: it was minted inside, so it ends here.
    if (this.#hasEnded) context.ledger.dropWithScope(record, this.#kind);
    else if (group === undefined || group !== this.#openGroups.get(context.ledger)) this.#strays.add(record);
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
      const { ledger } = group;
      if (ledger.isAbandoned) continue; // Detached meanwhile: what lives is the program's own affair.
      endGroup(group);
      ledger.dropMembers(group, this.#kind);
      group.scope = undefined;
      group.onMovedOut = undefined;
    }
    for (const record of this.#strays.take()) {
      const ledger = record.context?.ledger;
      if (!record.hasEscaped && ledger?.isAbandoned === false) ledger.dropWithScope(record, this.#kind);
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

/** What a scope drops at its end. Never holds more that is over than is not, but for a few. */
class Alive<Item> {
  readonly #isAlive: (item: Item) => boolean;
  #items: Item[] = [];
  #most = FEWEST_CLEARED;

  constructor(isAlive: (item: Item) => boolean) {
    this.#isAlive = isAlive;
  }

  /** @returns whether it was time to forget what is over. */
  add(item: Item): boolean {
    const isTime = this.#items.length >= this.#most;
    if (isTime) {
      this.#items = this.#items.filter(this.#isAlive);
      this.#most = Math.max(FEWEST_CLEARED, 2 * this.#items.length);
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

/** A scope over sessions. */
interface Cover {
  readonly scope: HandleScope;
  readonly includes: (ledger: SessionLedger) => boolean;
  /** What `includes` said. */
  readonly known: WeakMap<SessionLedger, boolean>;
}

/** What the body of a scope is given. */
export interface RunningScope {
  /**
   * Calls `work`: what is minted by the commands that it sends before it returns belongs to the scope. Needed only where there
   * is no `AsyncLocalStorage`, as in a browser, and there after the body's first `await`; with one the scope follows the body.
   *
   * @example
   * ```ts
   * await releases.scope(async (scope) => {
   *   await opened;
   *   const { result } = await scope.run(() => session.send('Runtime.evaluate', { expression: 'document' }));
   * });
   * ```
   * @returns what `work` returns.
   */
  run<Result>(work: () => Result): Result;
}

/** The scopes of one attachment: those that follow an async context, and those that cover sessions. */
export class ScopeStack {
  /** How many are open. While there is none, a command need not look for one. */
  open = 0;
  readonly #storage: AsyncContext<HandleScope> = asyncContext();
  /** Outer ones first. */
  #covers: readonly Cover[] = [];
  #running = 0;
  readonly #answers: DeferredTasks;

  /** @param answers entered before a scope ends: what was minted by them belongs to it. */
  constructor(answers: DeferredTasks) {
    this.#answers = answers;
  }

  /** The innermost scope that a command sent now on this session belongs to. */
  current(ledger: SessionLedger): HandleScope | undefined {
    return this.inContext() ?? this.#covers.findLast((cover) => isCovered(ledger, cover))?.scope;
  }

  /** The innermost open scope that the async context at hand runs in. */
  inContext(): HandleScope | undefined {
    return this.#running > 0 ? this.#storage.getStore()?.running : undefined;
  }

  /** Runs `body` in a scope of its own, which ends however the body does. */
  async run<T>(body: (scope: RunningScope) => T | PromiseLike<T>): Promise<T> {
    const scope = new HandleScope('scope()', this.#answers.run, this.inContext());
    this.open++;
    this.#running++;
    try {
      return await this.#storage.run(scope, () => body({ run: (work) => this.#storage.run(scope, work) }));
    } finally {
      scope.end();
      this.open--;
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
  cover(includes: (ledger: SessionLedger) => boolean): HandleScope {
    const scope = new HandleScope('openScope()', () => {
      this.#answers.run();
      this.open--;
      this.#covers = this.#covers.filter((cover) => cover.scope !== scope);
    });
    this.open++;
    this.#covers = [...this.#covers, { scope, includes, known: new WeakMap() }];
    return scope;
  }
}

function isCovered(ledger: SessionLedger, { includes, known }: Cover): boolean {
  let isIncluded = known.get(ledger);
  if (isIncluded === undefined) {
    isIncluded = includes(ledger);
    known.set(ledger, isIncluded);
  }
  return isIncluded;
}
