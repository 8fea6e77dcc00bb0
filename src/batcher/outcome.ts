/**
 * What became of a release, by what the browser's answer means rather than by how it reads.
 * Every release ends in exactly one `Outcome`; an answer of unknown meaning is a failure.
 */

/**
 * - `released`: the browser let go.
 * - `gone`: there was nothing left to let go of.
 * - `failed`: the browser refused.
 * - `timedOut`: no answer within `releaseTimeoutMs`; the browser may still do it.
 * - `dropped`: it was never sent.
 */
export type Outcome = 'released' | 'gone' | 'failed' | 'timedOut' | 'dropped';

/** How far a refusal reaches: to the object named, or to all that shares its context or its session. */
export type Reach = 'object' | 'context' | 'session';

export interface Refusal {
  readonly outcome: Outcome;
  readonly reach: Reach;
}

const FAILED: Refusal = { outcome: 'failed', reach: 'object' };
const OBJECT_GONE: Refusal = { outcome: 'gone', reach: 'object' };
const CONTEXT_GONE: Refusal = { outcome: 'gone', reach: 'context' };
const SESSION_GONE: Refusal = { outcome: 'gone', reach: 'session' };
const UNANSWERED: Refusal = { outcome: 'timedOut', reach: 'object' };

/** With this a client's own file rejects the commands of ours whose answers it no longer listens for, being detached. */
export const NOT_AWAITED = 'The answer is not waited for any more';

/** What Chromium answers, once a crashed page is loaded anew or closed, to all that it was sent meanwhile. */
export const CRASHED = 'Target crashed';

/**
 * Chromium's words (`v8/src/inspector`, `content/browser/devtools`), and those by which clients
 * report a session or a connection of theirs that ended.
 */
const MEANINGS: readonly (readonly [phrase: string, refusal: Refusal])[] = [
  ['Could not find object with given id', OBJECT_GONE],
  ['Invalid stream handle', OBJECT_GONE],
  ['Cannot find context with specified id', CONTEXT_GONE],
  ['Execution context was destroyed', CONTEXT_GONE],
  ['Inspected target navigated or closed', CONTEXT_GONE],
  [CRASHED, CONTEXT_GONE],
  ['Session with given id not found', SESSION_GONE],
  ['Target closed', SESSION_GONE],
  ['Session closed', SESSION_GONE],
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
  // Firefox's, where a page goes away over a command.
  ['destroyed before query', SESSION_GONE],
  [NOT_AWAITED, UNANSWERED],
];

/** Tells what a rejected release means. Never throws, whatever was rejected with. */
export function refusalOf(reason: unknown): Refusal {
  const message = messageOf(reason);
  for (const [phrase, refusal] of MEANINGS) {
    if (message.includes(phrase)) return refusal;
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
