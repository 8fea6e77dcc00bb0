/**
 * The leak report of a session that is not tracked. Its handles are in no ledger, so they are reported from here, and the ends of
 * their contexts by `SessionEvents`. Disposals are reported where the client's methods are wrapped.
 */
import type { LeakReport, Tracing } from '../observe/leak-report.ts';
import {
  type CommandShape,
  type Forward,
  forEachObjectOf,
  hasException,
  type Params,
  settledAfter,
} from './protocol.ts';

/** The leak report, if calls are traced but handles are not tracked; otherwise `undefined`. */
export function untrackedReport(parts: {
  readonly tracks: boolean;
  readonly isTracedByCall: boolean;
  readonly tracing: Tracing;
}): LeakReport | undefined {
  return parts.tracks || !parts.isTracedByCall ? undefined : parts.tracing.report;
}

/** Sends a command that may mint, and reports its mints. */
export function tracedOnly(
  report: LeakReport,
  session: object,
  shape: CommandShape,
  params: Params | undefined,
  forward: Forward,
): PromiseLike<unknown> {
  const trace = report.beginCommand(true);
  return settledAfter(forward(params), (result) => {
    const isException = hasException(result);
    forEachObjectOf(result, shape, (remoteObject, ordinal) => {
      if (!(isException && ordinal > 0)) report.noteMint(session, remoteObject, trace, isException);
    });
  });
}
