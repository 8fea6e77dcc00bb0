/**
 * Which lines of the program mint handles, and what becomes of them: dropped by `dispose()`, or left to the
 * garbage collector, which without this library is a leak. Costs a stack trace a call, and so is asked for.
 *
 * Invariant: nothing here keeps a handle's remote object alive, and what a page can name (lines of its own,
 * kinds) takes a bounded number of accounts.
 */
import { callingLine, UNKNOWN_LINE } from './calling-line.ts';
import { HeapLooks } from './heap-looks.ts';
import { placeInPage } from './place-in-page.ts';
import { TraceBudget, type TraceCost } from './trace-budget.ts';
import { currentCall, currentWindow, TracedCall, type TraceWindow } from './traced-call.ts';
import { type LeakSource, MintAccount, TracedMint } from './traced-mint.ts';

export type { LeakSource } from './traced-mint.ts';

/** The handles of one kind that one line minted. Counts are handles; estimates where calls came too fast to trace each. */
export interface Leak {
  /**
   * `file:line:column` of the innermost frame that is the program's own; `'unknown'` where there is none. Of
   * console arguments and page errors: the place in the page.
   */
  readonly line: string;
  /** What the browser says it is: `'object'`, `'function'`, `'node'`, `'array'`, `'error'`, … */
  readonly kind: string;
  /** By whose doing it was minted. */
  readonly source: LeakSource;
  /** Handles given out. */
  readonly minted: number;
  /** Disposed of by the program. */
  readonly disposed: number;
  /** Forgotten without `dispose()`, and released for you. */
  readonly collected: number;
  /** Ended with their context or session, without `dispose()`. */
  readonly elided: number;
  /** Held by the program as of now. */
  readonly live: number;
  /** How long the oldest of these has been held: milliseconds. */
  readonly oldestMs?: number;
  /** Page heap that hung on each, about: bytes. Only where the page's heap was seen to grow by this line's doing. */
  readonly bytesPerHandle?: number;
}

/** By whom, and from where, the answer to one command was asked for. */
export interface MintTrace {
  readonly line: string;
  readonly weight: number;
  readonly source: LeakSource;
  readonly call?: TracedCall | undefined;
  readonly window?: TraceWindow | undefined;
}

/** Where tracing can be turned on while sessions are attached already. */
export interface Tracing {
  report: LeakReport | undefined;
}

export class LeakReport {
  readonly #accounts = new Map<string, MintAccount>();
  readonly #budget = new TraceBudget();
  readonly #heaps = new HeapLooks();
  readonly #now: () => number;

  /** @param now milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get cost(): TraceCost {
    return this.#budget.cost;
  }

  /** A call of the program's into its client begins: outermost ones only. */
  beginCall(): TracedCall {
    const window = currentWindow();
    const { weight, value } = this.#trace(window);
    return new TracedCall(value ?? UNKNOWN_LINE, weight, window);
  }

  /**
   * A command is about to be sent.
   *
   * @param isByCall whether the client is followed call by call; if not, each command is the program's own.
   */
  beginCommand(isByCall: boolean): MintTrace | undefined {
    const call = currentCall();
    if (call !== undefined) {
      return call.weight === 0
        ? undefined
        : { line: call.line, weight: call.weight, source: 'client', call, window: undefined };
    }
    const window = isByCall ? undefined : currentWindow();
    const { weight, value: line } = this.#trace(window);
    if (line === undefined) return undefined;
    return { line, weight, source: isByCall ? 'client' : 'script', window };
  }

  /** Where each handle counts, none is let pass. */
  #trace(window: TraceWindow | undefined): { readonly weight: number; readonly value: string | undefined } {
    return window === undefined ? this.#budget.spend(callingLine) : { weight: 1, value: callingLine() };
  }

  /** An event has come that carries remote objects. */
  beginEvent(name: string, params: unknown): MintTrace {
    const source =
      name === 'Runtime.consoleAPICalled'
        ? 'console'
        : name === 'Runtime.exceptionThrown'
          ? 'pageerror'
          : 'client';
    return { line: placeInPage(params) ?? name, weight: 1, source };
  }

  /** @param session whose heap the object is in. */
  noteMint(
    session: object,
    remoteObject: { readonly type?: string | undefined; readonly subtype?: string | undefined },
    trace: MintTrace,
    isException: boolean,
  ): TracedMint {
    const { line, weight, call, window } = trace;
    const source = isException && trace.source === 'script' ? 'thrown' : trace.source;
    const account = this.#accountFor(line, kindOf(remoteObject), source);
    const now = this.#now();
    const mint = new TracedMint(account, this.#accountFor, remoteObject, now, weight, isException);
    call?.add(remoteObject, mint);
    if (source === 'script') window?.mints.add(mint);
    this.#heaps.noteMint(session, mint);
    return mint;
  }

  /** A look at the heap of a session's page: bytes in use. */
  noteHeap(session: object, usedBytes: number): void {
    this.#heaps.note(session, usedBytes);
  }

  /** Bytes in the heaps of all pages, as they were when last looked at. */
  get pageHeapBytes(): number {
    return this.#heaps.totalBytes;
  }

  /** The session is over, and its page's heap with it. */
  forget(session: object): void {
    this.#heaps.forget(session);
  }

  /** Counts as collected what nobody can reach any more. After a collection: sooner than its finalizers tell. */
  noteUnreachable(): void {
    for (const { live } of this.#accounts.values()) {
      for (const mint of live) if (mint.remoteObject.deref() === undefined) mint.end('collected');
    }
  }

  /** Lines that left handles undisposed, or hold some still: the worst first. */
  list(): Leak[] {
    return this.all()
      .filter((leak) => undisposed(leak) > 0)
      .sort((a, b) => b.collected + b.live - (a.collected + a.live) || undisposed(b) - undisposed(a));
  }

  /** Every line that minted. */
  all(): Leak[] {
    const now = this.#now();
    return [...this.#accounts.values()]
      .filter(({ minted }) => minted > 0)
      .map((account) => leakOf(account, now));
  }

  /** An arrow, since mints keep it to change accounts. */
  readonly #accountFor = (line: string, kind: string, source: LeakSource): MintAccount => {
    const key = `${source} ${kind} ${line}`;
    const known = this.#accounts.get(key);
    if (known !== undefined) return known;
    if (this.#accounts.size >= MOST_ACCOUNTS && line !== ELSEWHERE) {
      return this.#accountFor(ELSEWHERE, kind, source);
    }
    const account = new MintAccount(line, kind, source);
    this.#accounts.set(key, account);
    return account;
  };
}

/** A page can have any number of lines. */
const MOST_ACCOUNTS = 2_000;
const ELSEWHERE = 'elsewhere';

/** Handles that nobody disposed of. */
export function undisposed({ collected, elided, live }: Pick<Leak, 'collected' | 'elided' | 'live'>): number {
  return collected + elided + live;
}

function leakOf(account: MintAccount, now: number): Leak {
  const { line, kind, source, minted, disposed, collected, elided, sizes } = account;
  const [oldest] = account.live;
  const bytesPerHandle = sizes.toSorted((a, b) => a - b)[sizes.length >> 1];
  return {
    line,
    kind,
    source,
    minted,
    disposed,
    collected,
    elided,
    live: minted - disposed - collected - elided,
    ...(oldest === undefined ? {} : { oldestMs: now - oldest.mintedAt }),
    ...(bytesPerHandle === undefined ? {} : { bytesPerHandle }),
  };
}

/** A word of the protocol's; a peer that says something else is not quoted. */
function kindOf({ type, subtype }: { readonly type?: unknown; readonly subtype?: unknown }): string {
  const kind = subtype ?? type;
  return typeof kind === 'string' && /^[a-z]{1,20}$/.test(kind) ? kind : 'object';
}
