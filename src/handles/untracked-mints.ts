/**
 * The leak report of a session that is not tracked. Its handles are in no ledger, so they are reported from here, with the
 * ends of their contexts. Disposals are reported where the client's methods are wrapped.
 */
import type { LeakReport } from '../observe/leak-report.ts';
import {
  type CommandShape,
  contextPrefixOf,
  executionContextIdOf,
  type Forward,
  forEachRemoteObject,
  isAwaitable,
  type Params,
} from './protocol.ts';

/** Sends a command that may mint, and reports its mints. */
export function tracedOnly(
  report: LeakReport,
  session: object,
  shape: CommandShape,
  params: Params | undefined,
  forward: Forward,
): PromiseLike<unknown> {
  const trace = report.beginCommand(true);
  const answer = forward(params);
  if (!isAwaitable(answer)) return answer;
  return answer.then((result) => {
    const isException =
      (result as { exceptionDetails?: unknown } | undefined)?.exceptionDetails !== undefined;
    forEachRemoteObject(result, shape.mints, (remoteObject, ordinal) => {
      if (!(isException && ordinal > 0)) report.noteMint(session, remoteObject, trace, isException);
    });
    return result;
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
