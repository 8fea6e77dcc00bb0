/**
 * The batcher's diagnostics channel: one event for each batch, none for a handle. Nothing is computed while nobody listens.
 * docs/diagnostics.md describes it.
 */
import { type DiagnosticsChannel, diagnosticsChannel } from '../builtins.ts';
import { monotonicNow } from '../timers.ts';
import { handlesOf, type Outcome, type Release, type ReleaseSession } from './release.ts';

/** Published when each release of a batch has been answered, or has timed out. */
export interface BatchSettled {
  /** The session of the batch: the client's unhooked way to the browser; `undefined` if it is gone. */
  readonly session: ReleaseSession | undefined;
  /** Commands in the batch. */
  readonly commands: number;
  /** Of these, releases of whole object groups. */
  readonly groupCommands: number;
  /** Handles that the batch was to free; the counts below tell what became of them. */
  readonly handles: number;
  /** Handles let go by the browser. */
  readonly released: number;
  /** Handles that the browser no longer knew. */
  readonly gone: number;
  /** Handles whose release the browser refused. */
  readonly failed: number;
  /** Handles whose release had no answer within `releaseTimeoutMs`. */
  readonly timedOut: number;
  /** Given up: the batcher was closed meanwhile. */
  readonly dropped: number;
  /** From the sending to the last answer: milliseconds. */
  readonly elapsedMs: number;
}

/** Messages are `BatchSettled`. */
export const batchSettled: DiagnosticsChannel = /* @__PURE__ */ diagnosticsChannel(
  'cdp-release-batcher:batch:settled',
);

type BatchCounts = Pick<BatchSettled, 'commands' | 'groupCommands' | 'handles'>;

/** Follows one batch, for those who listen. */
export class BatchTally {
  readonly #session: ReleaseSession | undefined;
  readonly #startedAt: number = monotonicNow();
  readonly #batch: BatchCounts;
  readonly #counts: Record<Outcome, number> = { released: 0, gone: 0, failed: 0, timedOut: 0, dropped: 0 };

  constructor(session: ReleaseSession | undefined, batch: BatchCounts) {
    this.#session = session;
    this.#batch = batch;
  }

  note(release: Release | string, outcome: Outcome): void {
    this.#counts[outcome] += handlesOf(release);
  }

  readonly publish = (): void => {
    const { commands, groupCommands, handles } = this.#batch;
    batchSettled.publish({
      session: this.#session,
      commands,
      groupCommands,
      handles,
      ...this.#counts,
      elapsedMs: monotonicNow() - this.#startedAt,
    } satisfies BatchSettled);
  };
}
