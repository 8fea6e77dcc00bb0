/**
 * One handle while leaks are traced, and the account of all that one line minted of one kind. An account never
 * refers to a handle's remote object but weakly: looking at leaks must not make any.
 */

/**
 * Whose a handle is. `script`: given to the program, which should dispose of it. `client`: kept, or left
 * behind, by the client library. `thrown`: an error thrown in the page. `console`: an argument of a console
 * message. `pageerror`: an uncaught error of the page's.
 */
export type LeakSource = 'script' | 'client' | 'thrown' | 'console' | 'pageerror';

/** What became of a handle. */
export type MintFate = 'live' | 'disposed' | 'collected' | 'elided';

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
  /** Page heap for each handle, in the looks that told: bytes. */
  readonly sizes: number[] = [];

  constructor(line: string, kind: string, source: LeakSource) {
    this.line = line;
    this.kind = kind;
    this.source = source;
  }
}

export class TracedMint {
  #account: MintAccount;
  readonly #accountFor: (line: string, kind: string, source: LeakSource) => MintAccount;
  readonly remoteObject: WeakRef<object>;
  /** Milliseconds, by the clock of the report. */
  readonly mintedAt: number;
  readonly weight: number;
  /** Whether it came as the error of an evaluation. */
  readonly isException: boolean;
  fate: MintFate = 'live';

  constructor(
    account: MintAccount,
    accountFor: (line: string, kind: string, source: LeakSource) => MintAccount,
    remoteObject: object,
    mintedAt: number,
    weight: number,
    isException: boolean,
  ) {
    this.#account = account;
    this.#accountFor = accountFor;
    this.remoteObject = new WeakRef(remoteObject);
    this.mintedAt = mintedAt;
    this.weight = weight;
    this.isException = isException;
    account.minted += weight;
    account.live.add(this);
  }

  get account(): MintAccount {
    return this.#account;
  }

  /** Its life is over. Once; later calls do nothing. */
  end(fate: Exclude<MintFate, 'live'>): void {
    if (this.fate !== 'live') return;
    this.fate = fate;
    this.#account.live.delete(this);
    this.#account[fate] += this.weight;
  }

  /** It turns out to be another's than was thought as it was minted. */
  attribute(source: LeakSource): void {
    const { line, kind } = this.#account;
    if (source === this.#account.source) return;
    this.#account.minted -= this.weight;
    if (this.fate === 'live') this.#account.live.delete(this);
    else this.#account[this.fate] -= this.weight;
    this.#account = this.#accountFor(line, kind, source);
    this.#account.minted += this.weight;
    if (this.fate === 'live') this.#account.live.add(this);
    else this.#account[this.fate] += this.weight;
  }
}
