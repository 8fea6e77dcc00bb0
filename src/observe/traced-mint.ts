/**
 * One handle while leaks are traced, and the account of all handles of one kind that one line minted. An account refers to
 * a handle's remote object weakly at most: looking for leaks must not cause any.
 */

/**
 * Who a handle belongs to. `script`: returned to the program, which should dispose of it. `client`: kept, or left behind,
 * by the client library. `thrown`: an error thrown in the page. `console`: an argument of a console message. `pageerror`:
 * an uncaught error of the page's.
 */
export type LeakSource = 'script' | 'client' | 'thrown' | 'console' | 'pageerror';

/** How a handle ended. */
export type MintFate = 'live' | 'disposed' | 'collected' | 'elided';

/** Finds, or opens, a line's account in the report. */
export type AccountFor = (line: string, kind: string, source: LeakSource) => MintAccount;

/** The handles of one source and kind that one line minted. */
export class MintAccount {
  readonly line: string;
  readonly kind: string;
  readonly source: LeakSource;
  minted = 0;
  disposed = 0;
  collected = 0;
  elided = 0;
  /** Those that live, the oldest first. */
  readonly live: Set<TracedMint> = new Set();
  /** The account that has taken over this one's figures. */
  successor: MintAccount | undefined;
  readonly #onChange: (account: MintAccount, live: number) => void;

  /** @param onChange called at each change, with the change in the number of living handles. */
  constructor(
    line: string,
    kind: string,
    source: LeakSource,
    onChange: (account: MintAccount, live: number) => void,
  ) {
    this.line = line;
    this.kind = kind;
    this.source = source;
    this.#onChange = onChange;
  }

  enter(mint: TracedMint): void {
    this.minted++;
    if (mint.fate === 'live') this.live.add(mint);
    else this[mint.fate]++;
    this.#onChange(this, mint.fate === 'live' ? 1 : 0);
  }

  leave(mint: TracedMint): void {
    this.minted--;
    if (mint.fate === 'live') this.live.delete(mint);
    else this[mint.fate]--;
    this.#onChange(this, mint.fate === 'live' ? -1 : 0);
  }

  /** Takes over the figures of another account, in which nothing lives. That one is empty then. */
  absorb(other: MintAccount): void {
    for (const count of ['minted', 'disposed', 'collected', 'elided'] as const) {
      this[count] += other[count];
      other[count] = 0;
    }
    other.successor = this;
    this.#onChange(other, 0);
    this.#onChange(this, 0);
  }
}

/** By the remote object that the client's handle holds. */
const mints = new WeakMap<object, TracedMint>();

/** The traced handle that a remote object stands for. */
export function mintOf(remoteObject: object): TracedMint | undefined {
  return mints.get(remoteObject);
}

export class TracedMint {
  #account: MintAccount;
  readonly #accountFor: AccountFor;
  readonly remoteObject: WeakRef<object>;
  /** The owner: that of the session that it came by. */
  readonly session: object;
  /** Milliseconds, by the report's clock. */
  readonly mintedAt: number;
  /** Whether it came as the error of an evaluation. */
  readonly isException: boolean;
  #fate: MintFate = 'live';

  constructor(
    account: MintAccount,
    accountFor: AccountFor,
    remoteObject: object,
    session: object,
    mintedAt: number,
    isException: boolean,
  ) {
    this.#account = account;
    this.#accountFor = accountFor;
    this.remoteObject = new WeakRef(remoteObject);
    this.session = session;
    this.mintedAt = mintedAt;
    this.isException = isException;
    mints.set(remoteObject, this);
    account.enter(this);
  }

  get account(): MintAccount {
    return this.#account.successor ?? this.#account;
  }

  get fate(): MintFate {
    return this.#fate;
  }

  /**
   * It has ended: once. But a handle that the program disposes of counts as disposed of, even if its page had gone before.
   */
  end(fate: Exclude<MintFate, 'live'>): void {
    if (this.#fate !== 'live' && !(this.#fate === 'elided' && fate === 'disposed')) return;
    this.#move(this.#account, fate);
    // What the client made may still be given out. Of all else the entry goes: V8 makes the table of a weak map smaller as entries
    // are deleted, and not as their keys are collected.
    if (fate !== 'disposed' || this.account.source === 'client') return;
    const remoteObject = this.remoteObject.deref();
    if (remoteObject !== undefined) mints.delete(remoteObject);
  }

  /**
   * It belongs to another than was thought when it was minted.
   *
   * @param line who asked for it; if left out, the line that is known already.
   */
  attribute(source: LeakSource, line: string = this.#account.line): void {
    const { kind } = this.#account;
    if (source === this.#account.source && line === this.#account.line) return;
    this.#move(this.#accountFor(line, kind, source), this.#fate);
  }

  #move(account: MintAccount, fate: MintFate): void {
    this.account.leave(this);
    this.#account = account.successor ?? account;
    this.#fate = fate;
    this.#account.enter(this);
  }
}
