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
}

/** One command that frees one handle or many. A lane also takes a bare string: the id of one object. */
export interface Release {
  readonly method: 'Runtime.releaseObject' | 'Runtime.releaseObjectGroup';
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
