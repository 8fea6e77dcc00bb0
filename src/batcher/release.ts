/** What a lane carries, and whom it is sent through. */
import type { Outcome, Reach } from './outcome.ts';

/**
 * Anything with the protocol's `send`: a Puppeteer or Playwright `CDPSession`, a chrome-remote-interface
 * client, three lines of your own over a WebSocket, or around the `post` of a `node:inspector/promises` session.
 * The batcher keeps a session only while something of it waits or is unanswered.
 */
export interface ReleaseSession {
  /** Sends one command; what it gives settles with the answer. */
  send(method: string, params?: Record<string, unknown>): PromiseLike<unknown>;
  /**
   * Frees many objects by one command, for a protocol that has one, as WebDriver BiDi has `script.disown`.
   * Where it is there, the single releases of a batch are one command, and share its answer.
   */
  releaseObjects?(objectIds: readonly string[]): PromiseLike<unknown>;
}

/** The member of `PostingSession`: under a name that no session of others can have. */
export const POST: unique symbol = Symbol('post');

/** A session of this library's own that needs no promise a command. */
export interface PostingSession extends ReleaseSession {
  /**
   * Sends one command. `onAnswer` is called once with `slot`, and with the reason where the command was refused or could
   * not be sent; maybe before this returns. Never throws.
   */
  [POST](method: string, params: Record<string, unknown> | undefined, slot: number, onAnswer: OnAnswer): void;
}

/** Must not throw. `reason` is neither `undefined` nor `null` where the command was refused. */
export type OnAnswer = (slot: number, reason?: unknown, result?: unknown) => void;

/** One command that frees one handle or many. A lane also takes a bare string: the id of one object. */
export interface Release {
  readonly method: 'Runtime.releaseObject' | 'Runtime.releaseObjectGroup' | 'IO.close';
  readonly params: Record<string, unknown>;
  /** Handles that this command frees. */
  readonly handles: number;
  /**
   * Asked once, as the release leaves the queue: `false` withdraws it. Whoever withdraws one keeps the
   * books for its handles; the batcher forgets it.
   */
  claim(): boolean;
  /** Told once, after a claim, what became of it. Must not throw. */
  settled(outcome: Outcome, reach: Reach): void;
}

/** The object that a release frees by itself; `undefined` for the release of a group. */
export function singleObjectOf(release: Release | string): string | undefined {
  if (typeof release === 'string') return release;
  return release.method === 'Runtime.releaseObject' ? (release.params.objectId as string) : undefined;
}

/** How a session takes the releases of a batch: see `PostingSession`, and `releaseObjects`. */
export type SendingWay = 'posted' | 'together' | 'singly';

/**
 * Found out once, and not by asking for members: one that a session does not have throws at a strict Proxy, and a stub
 * for remote calls, of which every member can be called, would promise `releaseObjects`.
 */
export function sendingWayOf(session: ReleaseSession): SendingWay {
  try {
    if (POST in session) return 'posted';
    return 'releaseObjects' in session && typeof session.releaseObjects === 'function'
      ? 'together'
      : 'singly';
  } catch {
    return 'singly';
  }
}

/** How many commands a batch is to its session. */
export function commandsIn(way: SendingWay, batch: readonly (Release | string)[]): number {
  if (way !== 'together') return batch.length;
  const singles = batch.filter((release) => singleObjectOf(release) !== undefined).length;
  return batch.length - singles + (singles > 0 ? 1 : 0);
}

/** A release of which the books know nothing: a group whose members are unknown, a leftover of our own. */
export class UncountedRelease implements Release {
  readonly method: Release['method'];
  readonly params: Record<string, unknown>;
  readonly handles = 0;

  constructor(method: Release['method'], params: Record<string, unknown>) {
    this.method = method;
    this.params = params;
  }

  claim(): boolean {
    return true;
  }

  settled(): void {}
}

/** Closes one stream of the browser's; in the books as one handle. */
export class StreamClose implements Release {
  readonly method = 'IO.close';
  readonly params: { readonly handle: string };
  readonly handles = 1;

  constructor(handle: string) {
    this.params = { handle };
  }

  claim(): boolean {
    return true;
  }

  settled(): void {}
}
