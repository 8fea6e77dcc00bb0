// What passes a fault proxy: the text of one message, with as much of its sense as a fault needs to be aimed; and the
// refusals that a browser, or a client in its stead, is known to answer a release with.

/** One message of the protocol, either way. */
export interface WireMessage {
  readonly text: string;
  /** Empty for the connection's own. */
  readonly sessionId: string;
  /** Of a command, and of its answer. */
  readonly id: number | undefined;
  /** Of a command, of the command that this answers, or of an event. */
  readonly method: string;
  readonly kind: 'command' | 'answer' | 'event';
}

export type Matcher = (message: WireMessage) => boolean;

/** Reads messages of one connection: answers do not say what they answer, so the commands are remembered. */
export class WireReader {
  readonly #methods = new Map<number, string>();

  read(text: string): WireMessage {
    const { id, method, sessionId = '' } = JSON.parse(text) as Partial<WireMessage>;
    if (method === undefined) {
      return { text, sessionId, id, method: this.#methodOf(id), kind: 'answer' };
    }
    if (id !== undefined) this.#methods.set(id, method);
    return { text, sessionId, id, method, kind: id === undefined ? 'event' : 'command' };
  }

  #methodOf(id: number | undefined): string {
    const method = id === undefined ? undefined : this.#methods.get(id);
    if (id !== undefined) this.#methods.delete(id);
    return method ?? '';
  }
}

export interface Refusal {
  readonly message: string;
  readonly code: number;
  /** How it is to be counted. */
  readonly outcome: 'gone' | 'failed';
}

/** What `Runtime.releaseObject` is refused with, and what that means. */
export const REFUSALS: readonly Refusal[] = [
  { message: 'Could not find object with given id', code: -32000, outcome: 'gone' },
  { message: 'Cannot find context with specified id', code: -32000, outcome: 'gone' },
  { message: 'Inspected target navigated or closed', code: -32000, outcome: 'gone' },
  { message: 'Target crashed', code: -32000, outcome: 'gone' },
  { message: 'Invalid remote object id', code: -32000, outcome: 'failed' },
  { message: 'Session with given id not found.', code: -32001, outcome: 'gone' },
  { message: 'Target closed', code: -32000, outcome: 'gone' },
  { message: 'Session closed', code: -32000, outcome: 'gone' },
  { message: 'Internal error', code: -32603, outcome: 'failed' },
];

export function refusalTo({ id, sessionId }: WireMessage, { message, code }: Refusal): string {
  return JSON.stringify({ id, sessionId, error: { code, message } });
}
