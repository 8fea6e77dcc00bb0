/**
 * Streams of one session (`IO.StreamHandle`): a PDF, a trace. The browser keeps what has not been read yet until the stream is
 * closed. The client's stream holds the handle while it may read on, so the handle is watched: the client gets it as a String
 * object, which the garbage collector can find, and which is sent as a plain string.
 *
 * Invariant: a stream is closed once: when it has been read to its end, when the client closes it, when nobody can read on,
 * or with its session.
 */
import type { Outcome, Reach, Release, ReleaseOwner } from '../batcher/release.ts';
import { countMove, type DropCause } from '../batcher/stats.ts';
import { type Forward, type Params, settledAfter } from './protocol.ts';
import type { SessionLedger } from './session-ledger.ts';

/** The command whose answer, and the event whose parameters, carry a stream that the client reads by itself. */
const MADE_BY_COMMAND = 'Page.printToPDF';
export const MADE_BY_EVENT = 'Tracing.tracingComplete';

/** Whether a command makes, reads or closes a stream. */
export function concernsStreams(method: string): boolean {
  return method === MADE_BY_COMMAND || method === 'IO.read' || method === 'IO.close';
}

/** One stream, and its own `Release`. The registry holds the record, so it refers to the handle by its text only. */
class StreamRecord implements Release {
  readonly method = 'IO.close';
  readonly params: { readonly handle: string };
  readonly handles = 1;
  readonly owner: Streams;
  state: 'live' | 'closing' | 'ended' = 'live';

  constructor(owner: Streams, handle: string) {
    this.owner = owner;
    this.params = { handle };
  }
}

const registry = new FinalizationRegistry<StreamRecord>((record) => record.owner.drop(record, 'collected'));

export class Streams implements ReleaseOwner {
  readonly #ledger: SessionLedger;
  readonly #records = new Map<string, StreamRecord>();

  constructor(ledger: SessionLedger) {
    this.#ledger = ledger;
    ledger.onSessionEnd = () => this.#endAll();
  }

  /** An event of the session's, before the client's listeners get it. Never throws. */
  event(name: string, params: unknown): void {
    if (name === MADE_BY_EVENT) this.#hold(params);
  }

  /** Sends one of the commands that concern streams, in place of the client's `send`. */
  command(method: string, params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    if (method === MADE_BY_COMMAND) {
      // Puppeteer's own call sends these parameters. Anybody else may keep the string.
      const isClientsOwn = params?.transferMode === 'ReturnAsStream' && 'generateDocumentOutline' in params;
      const answer = forward(params);
      return isClientsOwn ? settledAfter(answer, (result) => this.#hold(result)) : answer;
    }
    const { handle } = params ?? {};
    const record = this.#records.get(String(handle));
    if (record === undefined || record.state === 'ended') return forward(params);
    const outgoing = { ...params, handle: record.params.handle };
    if (method === 'IO.close') {
      this.drop(record, 'disposed');
      return Promise.resolve({});
    }
    const onRead = (result: unknown): unknown => {
      if ((result as { eof?: unknown } | undefined)?.eof === true) this.drop(record, 'disposed');
      return handle; // So that the handle is reachable until here: a stream that is being read is not collected.
    };
    return settledAfter(forward(outgoing), onRead);
  }

  /** Closes a stream that has been read to its end, or that nobody will read any further. */
  drop(record: StreamRecord, cause: DropCause): void {
    if (record.state !== 'live' || this.#ledger.isAbandoned) return;
    record.state = 'closing';
    const { stats, dispatcher } = this.#ledger.services;
    countMove(stats, 'live', 'queued', 1, cause);
    dispatcher.enqueue(this.#ledger.queue, record);
  }

  /** Part of `ReleaseOwner`. */
  claim(record: Release): boolean {
    return record instanceof StreamRecord && record.state === 'closing';
  }

  /** Part of `ReleaseOwner`. */
  settled(record: Release, outcome: Outcome, reach: Reach): void {
    if (!(record instanceof StreamRecord)) return;
    record.state = 'ended';
    this.#records.delete(record.params.handle);
    if (outcome === 'gone') this.#ledger.onRefused(undefined, reach);
  }

  /** Replaces the handle in an answer or event by one that the garbage collector can find. */
  #hold(carrier: unknown): void {
    const { stream } = (carrier ?? {}) as { stream?: unknown };
    if (typeof stream !== 'string' || stream === '' || this.#ledger.hasEnded || this.#ledger.isAbandoned)
      return;
    const handle = Object(stream) as object;
    try {
      (carrier as { stream: unknown }).stream = handle;
    } catch {
      return; // Frozen: it stays as it is, and untracked.
    }
    const record = new StreamRecord(this, stream);
    this.#records.set(stream, record);
    registry.register(handle, record);
    countMove(this.#ledger.services.stats, 'new', 'live', 1);
  }

  #endAll(): void {
    const { stats } = this.#ledger.services;
    for (const record of this.#records.values()) {
      if (record.state !== 'live') continue; // The batcher counts its release.
      record.state = 'ended';
      countMove(stats, 'live', 'elided', 1);
    }
    this.#records.clear();
  }
}
