/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A scope owns the handles minted in it. They are bound to groups of its own, and when it ends they are released by one command for
 * each session, even if the program still refers to them.
 */
import { type AsyncContext, asyncContext } from '../builtins.ts';
import { FEWEST_CLEARED } from '../policy.ts';
import type { DeferredTasks } from '../runtime/event-loop.ts';
import { endGroup, releaseIfLarge } from './groups.ts';
import type { ScopeKind } from './handle-table.ts';
import type { Group, Handle, SessionLedger } from './session-ledger.ts';

/** The error for a program that uses a handle after its scope has ended. The same for both protocols. */
export function scopeEndedError(kind: ScopeKind): Error {
  const message = `This handle was created inside a scope that has ended, one of ${kind}, and was released with it: use it inside the scope, or carry it out with escape(handle).`;
  return Object.assign(new Error(message), { code: 'ERR_HANDLE_SCOPE_ENDED' });
}

/** A scope as a block, made by `openScope`: all handles minted while it is open are released at its end. */
export class HandleScope implements Disposable {
  /** By session, the group that takes the scope's mints now. */
  readonly #openGroups = new Map<SessionLedger, Group>();
  /** The scope's groups that are open or have live members. If much of one is dropped inside the scope, the sweep closes it. */
  readonly #groups = new Alive<Group>(
    ({ stage, live, ledger }) => !ledger.hasEnded && (stage === 'open' || live > 0),
  );
  /** The scope's handles in groups that are not its own: mostly children of objects from outside. */
  readonly #strays = new Alive<Handle>(({ state }) => state === 'live');
  #onEnd: () => void;
  #outer: HandleScope | undefined;
  #hasEnded = false;
  readonly #kind: ScopeKind;

  /**
   * @param outer the scope around it.
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
    // The answer may come after the scope's end. The handle was minted inside, so it ends now.
    if (this.#hasEnded) context.ledger.dropWithScope(record, this.#kind);
    else if (group === undefined || group !== this.#openGroups.get(context.ledger)) this.#strays.add(record);
  }

  /** This scope while it runs; after that the innermost running scope around it. @internal */
  get running(): HandleScope | undefined {
    if (!this.#hasEnded) return this;
    this.#outer = this.#outer?.running; // Scopes between the two have ended, and are no longer held.
    return this.#outer;
  }

  /** Drops the handles that were minted inside and did not escape. Once; safe while commands are unanswered. */
  end(): void {
    if (this.#hasEnded) return;
    this.#onEnd();
    this.#onEnd = () => {}; // A scope that has ended and is still held holds nothing itself.
    this.#hasEnded = true;
    this.#outer = this.#outer?.running;
    for (const group of this.#groups.take()) {
      const { ledger } = group;
      if (ledger.isAbandoned) continue; // Detached meanwhile: live handles are left to the program.
      endGroup(group);
      ledger.dropMembers(group, this.#kind);
      releaseIfLarge(group);
      group.scope = undefined;
      group.onMovedOut = undefined;
    }
    for (const record of this.#strays.take()) {
      const ledger = record.context?.ledger;
      if (!record.hasEscaped && ledger?.isAbandoned === false) ledger.dropWithScope(record, this.#kind);
    }
    this.#openGroups.clear();
  }

  /** Forgets sessions that have ended: a scope around a whole crawl sees many. */
  #forgetEndedSessions(): void {
    for (const ledger of this.#openGroups.keys()) if (ledger.hasEnded) this.#openGroups.delete(ledger);
  }

  [Symbol.dispose](): void {
    this.end();
  }
}

/** A list of groups or handles that a scope drops at its end. Never more of them are dead than alive, but for a few. */
class Alive<Item> {
  readonly #isAlive: (item: Item) => boolean;
  #items: Item[] = [];
  #most = FEWEST_CLEARED;

  constructor(isAlive: (item: Item) => boolean) {
    this.#isAlive = isAlive;
  }

  /** Adds an item. @returns whether the dead ones were forgotten before. */
  add(item: Item): boolean {
    const isTime = this.#items.length >= this.#most;
    if (isTime) {
      this.#items = this.#items.filter(this.#isAlive);
      this.#most = Math.max(FEWEST_CLEARED, 2 * this.#items.length);
    }
    this.#items.push(item);
    return isTime;
  }

  /** Gives all, and is empty then. */
  take(): readonly Item[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }
}

/** A scope over sessions, and the test by which a session belongs to it. */
interface Cover {
  readonly scope: HandleScope;
  readonly includes: (ledger: SessionLedger) => boolean;
  /** The answers of `includes`. */
  readonly known: WeakMap<SessionLedger, boolean>;
}

/** The scope as its body gets it. */
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
  /** How many scopes are open. While there is none, a command need not look for one. */
  open = 0;
  readonly #storage: AsyncContext<HandleScope> = asyncContext();
  /** The scopes over sessions, outer ones first. */
  #covers: readonly Cover[] = [];
  #running = 0;
  readonly #answers: DeferredTasks;

  /** @param answers entered before a scope ends, because their mints belong to it. */
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
   * Opens a scope over sessions, present and future: all handles that are minted in them while it is open belong to it, whoever
   * mints them.
   *
   * @param includes whether a session belongs to it. Called once for each: at its first command while the scope is open.
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
