/**
 * The commands that release, the sessions that they go through, and the meaning of the browser's answers. Every release has exactly
 * one `Outcome`; an answer of unknown meaning is a failure.
 */

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

/** The name of the one member of `PostingSession`: no session that is not ours can have it. */
export const POST: unique symbol = Symbol('post');

/** A session of this library's own, which needs no promise for each command. */
export interface PostingSession extends ReleaseSession {
  /**
   * Sends one command. `onAnswer` is called once with `slot`, maybe before this returns; with a reason if the command was refused
   * or could not be sent. Never throws.
   */
  [POST](method: string, params: Record<string, unknown> | undefined, slot: number, onAnswer: OnAnswer): void;
}

/** Called with an answer. Must not throw. `reason` is neither `undefined` nor `null` if the command was refused. */
export type OnAnswer = (slot: number, reason?: unknown, result?: unknown) => void;

/** How a session takes the releases of a batch: by `POST`, by `releaseObjects`, or by one `send` each. */
export type SendingWay = 'posted' | 'together' | 'singly';

/**
 * Finds out how a session takes releases. It asks with `in`: a strict Proxy throws for a member that it does not have, and a stub
 * for remote calls has every member that one reads.
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

/** One command that frees one handle or many. A queue also takes a bare string: the id of one object. */
export interface Release {
  readonly method: 'Runtime.releaseObject' | 'Runtime.releaseObjectGroup' | 'IO.close';
  readonly params: Record<string, unknown>;
  /** Handles that this command frees. */
  readonly handles: number;
  /** Counts the release's handles; `undefined` if nobody withdraws the release or waits for it. */
  readonly owner: ReleaseOwner | undefined;
}

/** Counts the handles that its releases free. */
export interface ReleaseOwner {
  /**
   * Asked once, as a release leaves the queue: `false` withdraws it. An owner that withdraws a release counts its handles itself,
   * and the batcher forgets the release.
   */
  claim(release: Release): boolean;
  /** Called once, after a claim: how the release has ended, and how far a refusal reaches. Must not throw. */
  settled(release: Release, outcome: Outcome, reach: Reach): void;
}

/** A release without an owner: of a group of unknown members, of an object left over from a move, or of a stream. */
export class PlainRelease implements Release {
  readonly method: Release['method'];
  readonly params: Record<string, unknown>;
  readonly handles: number;
  readonly owner: undefined;

  constructor(method: Release['method'], params: Record<string, unknown>, handles: number = 0) {
    this.method = method;
    this.params = params;
    this.handles = handles;
  }
}

/** How many handles a release frees; a bare id frees one. */
export const handlesOf = (release: Release | string): number =>
  typeof release === 'string' ? 1 : release.handles;

/** The object that a release frees by itself; `undefined` for the release of a group or of a stream. */
export function singleObjectOf(release: Release | string): string | undefined {
  if (typeof release === 'string') return release;
  return release.method === 'Runtime.releaseObject' ? (release.params.objectId as string) : undefined;
}

/**
 * - `released`: the browser let go.
 * - `gone`: there was nothing left to let go of.
 * - `failed`: the browser refused.
 * - `timedOut`: no answer within `releaseTimeoutMs`; the browser may still do it.
 * - `dropped`: it was never sent.
 */
export type Outcome = 'released' | 'gone' | 'failed' | 'timedOut' | 'dropped';

/** How far a refusal reaches: to the object named, or to all objects of its context or its session. */
export type Reach = 'object' | 'context' | 'session';

/** What an answer means for the release, and how far a refusal reaches. */
export interface Meaning {
  readonly outcome: Outcome;
  readonly reach: Reach;
}

export const RELEASED: Meaning = { outcome: 'released', reach: 'object' };
const FAILED: Meaning = { outcome: 'failed', reach: 'object' };
const OBJECT_GONE: Meaning = { outcome: 'gone', reach: 'object' };
const CONTEXT_GONE: Meaning = { outcome: 'gone', reach: 'context' };
export const SESSION_GONE: Meaning = { outcome: 'gone', reach: 'session' };
const UNANSWERED: Meaning = { outcome: 'timedOut', reach: 'object' };

/** The message by which a client's own file rejects commands of ours, once it is detached and listens for no more answers. */
export const NOT_AWAITED = 'The answer is not waited for any more';

/** Chromium's answer to the commands that a crashed page was sent, given when the page is reloaded or closed. */
export const CRASHED = 'Target crashed';

export const SESSION_CLOSED = 'Session closed';

/**
 * Chromium's words (`v8/src/inspector`, `content/browser/devtools`), and those by which clients report that a session
 * or a connection of theirs has ended.
 */
const MEANINGS: readonly (readonly [phrase: string, meaning: Meaning])[] = [
  ['Could not find object with given id', OBJECT_GONE],
  ['Invalid stream handle', OBJECT_GONE],
  ['Cannot find context with specified id', CONTEXT_GONE],
  ['Execution context was destroyed', CONTEXT_GONE],
  ['Inspected target navigated or closed', CONTEXT_GONE],
  [CRASHED, CONTEXT_GONE],
  ['Session with given id not found', SESSION_GONE],
  ['Target closed', SESSION_GONE],
  [SESSION_CLOSED, SESSION_GONE],
  ['Connection closed', SESSION_GONE],
  ['WebSocket connection closed', SESSION_GONE],
  ['WebSocket is not open', SESSION_GONE],
  ['Target page, context or browser has been closed', SESSION_GONE],
  ['Session is not connected', SESSION_GONE],
  ['Session was closed', SESSION_GONE],
  ['Internal server error, session closed', SESSION_GONE],
  // WebDriver BiDi's words: a realm is a session of its own here.
  ['no such frame', SESSION_GONE],
  ['no such handle', OBJECT_GONE],
  ['invalid session id', SESSION_GONE],
  // Firefox's, where a page goes away during a command.
  ['destroyed before query', SESSION_GONE],
  [NOT_AWAITED, UNANSWERED],
];

/** What a rejected release means. Never throws, whatever the reason is. */
export function refusalOf(reason: unknown): Meaning {
  const message = messageOf(reason);
  for (const [phrase, meaning] of MEANINGS) {
    if (message.includes(phrase)) return meaning;
  }
  return FAILED;
}

function messageOf(reason: unknown): string {
  try {
    if (typeof reason === 'object' && reason !== null && 'message' in reason) return String(reason.message);
    return String(reason);
  } catch {
    return ''; // A getter that throws, or an object without a string form.
  }
}
