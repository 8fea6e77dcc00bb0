/**
 * Which lines of the program mint handles, and what becomes of them: dropped by `dispose()`, or left to the
 * garbage collector, which is what a leak was before. Costs a stack trace a command, and so is asked for.
 */

import { withStackTraceLimit } from '../batcher/stack-trace-limit.ts';

/** The handles of one kind that one line minted. Counts are handles. */
export interface Leak {
  /** `file:line:column` of the innermost frame that is the program's own; `'unknown'` where there is none. */
  readonly line: string;
  /** What the browser says it is: `'object'`, `'function'`, `'node'`, `'array'`, `'error'`, … */
  readonly kind: string;
  readonly minted: number;
  readonly disposed: number;
  /** Forgotten without `dispose()`, and released for you. */
  readonly collected: number;
  /** Ended with their context or session. */
  readonly elided: number;
  /** Held by the program as of now. */
  readonly live: number;
}

/** The running account behind one `Leak`; a handle's record refers to it. */
export class MintOrigin {
  readonly line: string;
  readonly kind: string;
  minted = 0;
  disposed = 0;
  collected = 0;
  elided = 0;

  constructor(line: string, kind: string) {
    this.line = line;
    this.kind = kind;
  }

  get live(): number {
    return this.minted - this.disposed - this.collected - this.elided;
  }
}

export class LeakReport {
  readonly #origins = new Map<string, MintOrigin>();

  /** The account of a line and a kind, with one more minted. */
  noteMint(line: string, kind: string): MintOrigin {
    const key = `${line} ${kind}`;
    let origin = this.#origins.get(key);
    if (origin === undefined) {
      origin = new MintOrigin(line, kind);
      this.#origins.set(key, origin);
    }
    origin.minted++;
    return origin;
  }

  /** Lines that forgot handles or still hold some, the worst first. */
  list(): Leak[] {
    return [...this.#origins.values()]
      .filter(({ collected, live }) => collected + live > 0)
      .sort((a, b) => b.collected + b.live - (a.collected + a.live))
      .map(({ line, kind, minted, disposed, collected, elided, live }) => ({
        line,
        kind,
        minted,
        disposed,
        collected,
        elided,
        live,
      }));
  }
}

/** The line of the program that is calling now, through however many awaits of its libraries. */
export function callingLine(): string {
  const { stack = '' } = withStackTraceLimit(DEEPEST_FRAME, () => new Error());
  for (const frame of stack.split('\n').slice(1)) {
    const location = FRAME_OF_A_FILE.exec(frame)?.[1];
    if (location !== undefined && !isForeign(location)) return location;
  }
  return 'unknown';
}

/** `at name (file:///scrape.mjs:3:5)`, `at async /scrape.cjs:3:5`; not `at node:internal/…`. */
const FRAME_OF_A_FILE = /(?:\(|at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:\\).*:\d+:\d+)\)?$/;
const DEEPEST_FRAME = 50;
/** Where this package's own code lies: `src` in a checkout, `dist` as published. */
const OWN_ROOT = new URL('..', import.meta.url);

function isForeign(location: string): boolean {
  return (
    location.includes('/node_modules/') ||
    location.includes('\\node_modules\\') ||
    location.startsWith(OWN_ROOT.href) ||
    location.startsWith(OWN_ROOT.pathname)
  );
}
