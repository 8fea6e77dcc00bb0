/**
 * The batcher's diagnostics channel: one event a batch, none a handle, and nothing computed while nobody
 * listens. docs/diagnostics.md describes it.
 */
import { type DiagnosticsChannel, diagnosticsChannel } from '../builtins.ts';
import { monotonicNow } from '../timers.ts';
import type { Lane } from './lane.ts';
import type { Outcome } from './outcome.ts';
import { commandsIn, type Release, type ReleaseSession } from './release.ts';
import { handlesOf } from './stats.ts';

/** Published when each release of a batch has been answered, or has timed out. */
export interface BatchSettled {
  /** Whose batch it was; the client's unhooked way to the browser. */
  readonly session: ReleaseSession;
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

/** Follows one batch, for those who listen. */
export class BatchTally {
  readonly #session: ReleaseSession;
  readonly #startedAt: number = monotonicNow();
  readonly #counts: Record<Outcome, number> = { released: 0, gone: 0, failed: 0, timedOut: 0, dropped: 0 };
  readonly #commands: number;
  #groupCommands = 0;
  #handles = 0;

  constructor({ session, way }: Pick<Lane, 'session' | 'way'>, batch: readonly (Release | string)[]) {
    this.#session = session;
    this.#commands = commandsIn(way, batch);
    for (const release of batch) {
      this.#handles += handlesOf(release);
      if (typeof release !== 'string' && release.method === 'Runtime.releaseObjectGroup')
        this.#groupCommands++;
    }
  }

  note(release: Release | string, outcome: Outcome): void {
    this.#counts[outcome] += handlesOf(release);
  }

  readonly publish = (): void => {
    batchSettled.publish({
      session: this.#session,
      commands: this.#commands,
      groupCommands: this.#groupCommands,
      handles: this.#handles,
      ...this.#counts,
      elapsedMs: monotonicNow() - this.#startedAt,
    } satisfies BatchSettled);
  };
}
