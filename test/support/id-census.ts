// Counts which ids a session's browser still knows, without asking the library: every id that came over the session,
// in an answer or an event, is noted as a string, and the browser itself is asked which of them it can still resolve.
import type { CdpSessionLike } from '../../src/clients/puppeteer/structure.ts';

type Send = CdpSessionLike['send'];

export class IdCensus {
  readonly #session: CdpSessionLike;
  readonly #send: Send;
  readonly #alive = new Set<string>();

  /** Starts listening. To see what an attachment sends by itself, open the census before attaching. */
  constructor(session: CdpSessionLike) {
    this.#session = session;
    const { send, emit } = session;
    this.#send = send;
    const note = (payload: unknown): void => forEachId(payload, (id) => this.#alive.add(id));
    session.send = (...args) => {
      const answer = send.apply(session, args);
      answer.then(note, () => {});
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
        const isKnown = await this.#send
          .call(this.#session, 'Runtime.callFunctionOn', { objectId, functionDeclaration: 'function () {}' })
          .then(
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
