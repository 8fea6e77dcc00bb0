// Counts which ids a session's browser still knows, without asking the library: every id that came over the session,
// in an answer or an event, is noted as a string, and the browser itself is asked which of them it can still resolve.
import type { CdpSessionLike } from '../../src/clients/puppeteer/structure.ts';

/** Not public: all commands of all sessions go through it, whoever sends them, and by whichever way. */
interface RawConnection {
  _rawSend(
    callbacks: unknown,
    method: string,
    params: unknown,
    sessionId?: string,
    ...rest: unknown[]
  ): Promise<unknown>;
}

export class IdCensus {
  readonly #send: CdpSessionLike['send'];
  readonly #alive = new Set<string>();

  /** Starts listening. To see what an attachment sends by itself, open the census before attaching. */
  constructor(session: CdpSessionLike) {
    const { send, emit } = session;
    this.#send = send.bind(session);
    const note = (payload: unknown): void => forEachId(payload, (id) => this.#alive.add(id));
    const connection = session.connection() as unknown as RawConnection;
    const { _rawSend: rawSend } = connection;
    connection._rawSend = (callbacks, method, params, sessionId, ...rest) => {
      const answer = rawSend.call(connection, callbacks, method, params, sessionId, ...rest);
      if (sessionId === session.id()) answer.then(note, () => {});
      return answer;
    };
    session.emit = (event, payload) => {
      if (typeof event === 'string') note(payload);
      return emit.call(session, event, payload);
    };
  }

  /** How many ids the browser still knows. */
  async alive(): Promise<number> {
    await Promise.all(
      [...this.#alive].map(async (objectId) => {
        const command = { objectId, functionDeclaration: 'function () {}' };
        const isKnown = await this.#send('Runtime.callFunctionOn', command).then(
          () => true,
          () => false,
        );
        if (!isKnown) this.#alive.delete(objectId);
      }),
    );
    return this.#alive.size;
  }
}

function forEachId(value: unknown, visit: (id: string) => void): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    if (name === 'objectId' && typeof member === 'string') visit(member);
    else forEachId(member, visit);
  }
}
