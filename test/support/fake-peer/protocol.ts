/** The messages between a client and the fake peer, and how the peer refuses one. */
export type Params = Readonly<Record<string, unknown>>;

export interface Command {
  readonly id: number;
  /** `undefined` for a command to the browser itself. */
  readonly sessionId: string | undefined;
  readonly method: string;
  readonly params: Params;
}

export interface Reply {
  readonly id: number;
  readonly sessionId: string | undefined;
  /** What is answered. Not on the wire: there so that a fence can tell replies apart. */
  readonly command: Command;
  readonly result?: unknown;
  readonly error?: ReplyError;
}

export interface ReplyError {
  readonly code: number;
  readonly message: string;
  readonly data?: string;
}

export interface Event {
  readonly sessionId: string | undefined;
  readonly method: string;
  readonly params: Params;
}

/** What the peer says: the answer to a command, or an event. */
export type Message = Reply | Event;

export function isReply(message: Message): message is Reply {
  return 'command' in message;
}

/** A refusal in Chromium's own words. Thrown by the model, sent as the reply's `error`. */
export class ProtocolFault extends Error {
  readonly reply: ReplyError;

  constructor(reply: ReplyError) {
    super(reply.message);
    this.reply = reply;
  }
}

export function serverFault(message: string): ProtocolFault {
  return new ProtocolFault({ code: -32000, message });
}

export function sessionNotFound(): ProtocolFault {
  return new ProtocolFault({ code: -32001, message: 'Session with given id not found.' });
}

export function methodNotFound(method: string): ProtocolFault {
  return new ProtocolFault({ code: -32601, message: `'${method}' wasn't found` });
}

/** A parameter that has to be a string. */
export function stringParam(params: Params, name: string): string {
  const value = params[name];
  if (typeof value === 'string') return value;
  const complaint = value === undefined ? 'mandatory field missing' : 'string value expected';
  const data = `Failed to deserialize params.${name} - BINDINGS: ${complaint}`;
  throw new ProtocolFault({ code: -32602, message: 'Invalid parameters', data });
}
