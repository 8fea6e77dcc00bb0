/**
 * A realm as the batcher's session: it has a queue of its own, so that a hung realm delays no other. Its batches are sent
 * by `script.disown`, which takes an array: one command and one answer for each batch.
 */
import type { ReleaseSession } from '../../../batcher/release.ts';
import type { BidiConnectionLike, ScriptTarget } from './structure.ts';

export class RealmSender implements ReleaseSession {
  readonly #connection: BidiConnectionLike;
  readonly #send: BidiConnectionLike['send'];
  readonly #target: ScriptTarget;

  /** @param send the connection's own `send`, not our hook. */
  constructor(connection: BidiConnectionLike, send: BidiConnectionLike['send'], target: ScriptTarget) {
    this.#connection = connection;
    this.#send = send;
    this.#target = target;
  }

  send(method: string, params?: Record<string, unknown>): Promise<unknown> {
    return this.#send.call(this.#connection, method, { target: this.#target, ...params }, NO_TIMER);
  }

  releaseObjects(handles: readonly string[]): Promise<unknown> {
    return this.send('script.disown', { handles });
  }
}

/** No timer: Puppeteer's timer for an answer would keep the process alive. */
const NO_TIMER = 0;
