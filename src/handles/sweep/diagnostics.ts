/**
 * The ledger's diagnostics channel: one event a sweep, none a handle, and nothing computed while nobody
 * listens. docs/diagnostics.md describes it.
 */
import { type DiagnosticsChannel, diagnosticsChannel } from '../../builtins.ts';

/** Published when a sweep has judged the groups that something had happened to. */
export interface SweepDone {
  /** Groups judged. */
  readonly groups: number;
  /** Of these: wholly dead, to be released by one command each. */
  readonly released: number;
  /** Partly dead, given time for the rest to die. */
  readonly waiting: number;
  /** Partly dead and out of time: their dead go one by one, or their survivors are moved. */
  readonly resolved: number;
  /** As good as alive, or being dealt with already. */
  readonly kept: number;
  /** Milliseconds, by the attachment's clock. */
  readonly elapsedMs: number;
}

/** Messages are `SweepDone`. */
export const sweepDone: DiagnosticsChannel = /* @__PURE__ */ diagnosticsChannel(
  'cdp-release-batcher:sweep:done',
);
