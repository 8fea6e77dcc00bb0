/**
 * The lines of the program that mint handles, and how the handles end: by `dispose()`, or by the garbage collector, which
 * without this library is a leak. It costs a stack trace for each call, so it is off by default.
 *
 * Invariant: each handle is counted, none is estimated, and nothing here keeps a handle's remote object alive.
 */
import { monotonicNow } from '../timers.ts';
import { callerOf, callingLine } from './calling-line.ts';
import { LeakAccounts } from './leak-accounts.ts';
import { PageHeaps } from './page-heaps.ts';
import { placeInPage } from './place-in-page.ts';
import { currentCall, currentWindow, TracedCall, type TraceWindow } from './traced-call.ts';
import { type LeakSource, type MintAccount, mintOf, TracedMint } from './traced-mint.ts';

export type { LeakSource } from './traced-mint.ts';

/** The handles of one kind that one line minted. Counts are handles. */
export interface Leak {
  /**
   * `file:line:column` of the program's own innermost frame; `'unknown'` where there is none. For console arguments and
   * page errors: the place in the page.
   */
  readonly line: string;
  /** The kind that the browser gives: `'object'`, `'function'`, `'node'`, `'array'`, `'error'`, … */
  readonly kind: string;
  /** Who minted it. */
  readonly source: LeakSource;
  /** Handles given out. */
  readonly minted: number;
  /** Disposed of by the program, even if their page had gone before. */
  readonly disposed: number;
  /** Forgotten without `dispose()`, and released by this library. */
  readonly collected: number;
  /** Ended with their context or session, without `dispose()`. */
  readonly elided: number;
  /** Held by the program now. */
  readonly live: number;
  /** How long the oldest of these has been held: milliseconds. */
  readonly oldestMs?: number;
}

/** The cost of tracing so far. */
export interface TraceCost {
  /** Stacks read. */
  readonly stacks: number;
  /** Milliseconds spent on reading them. */
  readonly elapsedMs: number;
}

/** Who asked for the answer to one command, and from where. */
export interface MintTrace {
  readonly line: string;
  readonly source: LeakSource;
  readonly call?: TracedCall | undefined;
  readonly window?: TraceWindow | undefined;
}

/** Lets tracing begin while sessions are attached already. */
export interface Tracing {
  report: LeakReport | undefined;
}

export class LeakReport {
  readonly #accounts = new LeakAccounts();
  readonly #heaps = new PageHeaps();
  readonly #now: () => number;
  #stacks = 0;
  #stacksMs = 0;

  /** @param now milliseconds, monotonic. */
  constructor(now: () => number) {
    this.#now = now;
  }

  get cost(): TraceCost {
    return { stacks: this.#stacks, elapsedMs: this.#stacksMs };
  }

  /** The most handles of all sources that lived at once since the last call. */
  takePeakLive(): number {
    return this.#accounts.takePeakLive();
  }

  /**
   * Calls `listener` for each change of a line's figures. It must not throw. There is one listener; a later one replaces
   * it.
   */
  onChange(listener: (account: MintAccount) => void): void {
    this.#accounts.onChange = listener;
  }

  /**
   * A call of the program's into its client begins: outermost calls only.
   *
   * @param subject the remote object of the handle that is called, if it is a handle. The client may continue such a call
   * in ways that no stack shows; then the work counts as that of whoever asked for the handle.
   */
  beginCall(subject?: object): TracedCall {
    const { line, isProgram } = this.#timed(callerOf);
    if (isProgram) return new TracedCall(line, true, currentWindow());
    const account = subject === undefined ? undefined : mintOf(subject)?.account;
    if (account?.source === 'script') return new TracedCall(account.line, true, currentWindow());
    return new TracedCall(line, false, currentWindow());
  }

  /**
   * A command is about to be sent.
   *
   * @param isByCall whether the client is followed call by call; if not, each command counts as the program's own.
   */
  beginCommand(isByCall: boolean): MintTrace {
    const call = currentCall();
    if (call !== undefined) return { line: call.line, source: 'client', call, window: undefined };
    if (!isByCall) return { line: this.#timed(callingLine), source: 'script', window: currentWindow() };
    const { line, isDirect } = this.#timed(callerOf);
    return isDirect
      ? { line, source: 'script', window: currentWindow() }
      : { line, source: 'client', window: undefined };
  }

  #timed<T>(readStack: () => T): T {
    const start = monotonicNow();
    const found = readStack();
    this.#stacks++;
    this.#stacksMs += monotonicNow() - start;
    return found;
  }

  /** An event that carries remote objects has come. */
  beginEvent(name: string, params: unknown): MintTrace {
    const source =
      name === 'Runtime.consoleAPICalled'
        ? 'console'
        : name === 'Runtime.exceptionThrown'
          ? 'pageerror'
          : 'client';
    return { line: placeInPage(params) ?? name, source };
  }

  /** @param session whose heap has the object. */
  noteMint(
    session: object,
    remoteObject: { readonly type?: string | undefined; readonly subtype?: string | undefined },
    { line, source: given, call, window }: MintTrace,
    isException: boolean,
  ): TracedMint {
    const source = isException && given === 'script' ? 'thrown' : given;
    const account = this.#accounts.for(line, kindOf(remoteObject), source);
    const now = this.#now();
    const mint = new TracedMint(account, this.#accounts.for, remoteObject, session, now, isException);
    call?.add(mint);
    if (source === 'script') window?.add(mint, session);
    return mint;
  }

  /** The heap of a session's page was looked at: bytes in use. */
  noteHeap(session: object, usedBytes: number): void {
    this.#heaps.note(session, usedBytes);
  }

  /** Bytes in the heaps of all pages, garbage included, at their last looks. */
  get pageHeapBytes(): number {
    return this.#heaps.totalBytes;
  }

  /** The session is over, and its page's heap with it. */
  forget(session: object): void {
    this.#heaps.forget(session);
  }

  /** Handles of a session without a ledger have ended: those whose object ids say so. */
  endWhere(session: object, isMeant: (objectId: string) => boolean): void {
    for (const { live } of this.#accounts) {
      for (const mint of live) {
        if (mint.session !== session) continue;
        const { objectId } = (mint.remoteObject.deref() ?? {}) as { objectId?: unknown };
        if (typeof objectId === 'string' && isMeant(objectId)) mint.end('elided');
      }
    }
  }

  /** Counts unreachable handles as collected. Call it after a collection: it is earlier than the finalizers. */
  noteUnreachable(): void {
    for (const { live } of this.#accounts) {
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
    return [...this.#accounts].filter(({ minted }) => minted > 0).map((account) => this.#leakOf(account));
  }

  /** What one line has minted of one kind. */
  find({ line, kind, source }: Pick<Leak, 'line' | 'kind' | 'source'>): Leak | undefined {
    const account = this.#accounts.find(line, kind, source);
    return account && this.#leakOf(account);
  }

  #leakOf({ line, kind, source, minted, disposed, collected, elided, live }: MintAccount): Leak {
    const [oldest] = live;
    return {
      line,
      kind,
      source,
      minted,
      disposed,
      collected,
      elided,
      live: live.size,
      ...(oldest === undefined ? {} : { oldestMs: this.#now() - oldest.mintedAt }),
    };
  }
}

/** Handles that nobody disposed of. */
export function undisposed({ collected, elided, live }: Pick<Leak, 'collected' | 'elided' | 'live'>): number {
  return collected + elided + live;
}

/** A word of the protocol's. Another word, from a peer that is no browser, is not quoted. */
function kindOf({ type, subtype }: { readonly type?: unknown; readonly subtype?: unknown }): string {
  const kind = subtype ?? type;
  return typeof kind === 'string' && /^[a-z]{1,20}$/.test(kind) ? kind : 'object';
}
