/**
 * The leak report of a session that is not tracked. Its handles are in no ledger, so they are reported from here, with the
 * ends of their contexts. Disposals are reported where the client's methods are wrapped.
 */
import type { LeakReport, Tracing } from '../observe/leak-report.ts';
import {
  type CommandShape,
  contextPrefixOf,
  executionContextIdOf,
  type Forward,
  forEachRemoteObject,
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
    forEachRemoteObject(result, shape.mints, (remoteObject, ordinal) => {
      if (!(isException && ordinal > 0)) report.noteMint(session, remoteObject, trace, isException);
    });
  });
}

/** Reports the contexts that an event says have ended. */
export function noteUntrackedEnd(report: LeakReport, session: object, name: string, params: unknown): void {
  if (name === 'Runtime.executionContextsCleared' || name === 'Inspector.targetCrashed') {
    report.endWhere(session, () => true);
  } else if (name === 'Runtime.executionContextDestroyed') {
    const { executionContextId } = (params ?? {}) as { executionContextId?: unknown };
    report.endWhere(session, (id) => executionContextIdOf(contextPrefixOf(id)) === executionContextId);
  }
}
