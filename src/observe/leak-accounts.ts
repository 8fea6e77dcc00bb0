/**
 * The accounts of a report, by source, kind and line, and the number of their handles that live.
 *
 * Invariant: handles that the program's own lines mint are always counted by their line. A page can name any number of
 * lines: a limited number of these have an account, and an account without a living handle makes room for another.
 */
import { MOST_PAGE_LINES } from '../policy.ts';
import { type LeakSource, MintAccount } from './traced-mint.ts';

/** The account for lines of pages for which there is no room. */
const ELSEWHERE = 'elsewhere';

export class LeakAccounts {
  readonly #byKey = new Map<string, MintAccount>();
  /** The accounts in `#byKey` whose lines pages have named. */
  readonly #ofPages = new Map<string, MintAccount>();
  /** Accounts of pages still to come before it is worth looking for room again. */
  #untilNextLook = 0;
  #live = 0;
  #peakLive = 0;
  /** Called for each account that changes. */
  onChange: (account: MintAccount) => void = () => {};

  /** The most handles that lived at once since the last call. */
  takePeakLive(): number {
    const peak = this.#peakLive;
    this.#peakLive = this.#live;
    return peak;
  }

  find(line: string, kind: string, source: LeakSource): MintAccount | undefined {
    return this.#byKey.get(keyOf(line, kind, source));
  }

  [Symbol.iterator](): Iterator<MintAccount> {
    return this.#byKey.values();
  }

  /** An arrow function, since mints keep it to change accounts. */
  readonly for = (line: string, kind: string, source: LeakSource): MintAccount => {
    const key = keyOf(line, kind, source);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const isPages = (source === 'console' || source === 'pageerror') && line !== ELSEWHERE;
    if (isPages && this.#ofPages.size >= MOST_PAGE_LINES && !this.#makeRoom()) {
      return this.for(ELSEWHERE, kind, source);
    }
    const account = new MintAccount(line, kind, source, this.#onChange);
    this.#byKey.set(key, account);
    if (isPages) this.#ofPages.set(key, account);
    return account;
  };

  readonly #onChange = (account: MintAccount, live: number): void => {
    this.#live += live;
    if (this.#live > this.#peakLive) this.#peakLive = this.#live;
    this.onChange(account);
  };

  /** Adds the accounts in which nothing lives to the account for other lines. @returns whether that made room. */
  #makeRoom(): boolean {
    if (this.#untilNextLook-- > 0) return false;
    for (const [key, account] of this.#ofPages) {
      if (account.live.size > 0) continue;
      const { kind, source } = account;
      this.for(ELSEWHERE, kind, source).absorb(account);
      this.#byKey.delete(key);
      this.#ofPages.delete(key);
    }
    const room = MOST_PAGE_LINES - this.#ofPages.size;
    // A look goes through all of them. So the next comes after as many new accounts as this one found room for, or a tenth.
    if (room === 0) this.#untilNextLook = MOST_PAGE_LINES / 10;
    return room > 0;
  }
}

function keyOf(line: string, kind: string, source: LeakSource): string {
  return `${source} ${kind} ${line}`;
}
