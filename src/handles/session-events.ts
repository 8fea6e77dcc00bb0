/** The events by which a session tells, unasked, of remote objects that come and of those that are gone. */
import type { SessionLedger } from './ledger/session-ledger.ts';
import { MINTING_EVENTS } from './protocol.ts';

type OnLifeEvent = (ledger: SessionLedger, params: unknown) => void;

/** A target that had crashed answers again. */
const onSignOfLife: OnLifeEvent = ({ queue, hasEnded }) => {
  if (!hasEnded) queue.recover();
};

/** What becomes of a ledger when its contexts or its target end, or come back. */
const LIFE_EVENTS: ReadonlyMap<string, OnLifeEvent> = new Map<string, OnLifeEvent>([
  [
    'Runtime.executionContextDestroyed',
    ({ endings }, params) => {
      const { executionContextId } = (params ?? {}) as { executionContextId?: unknown };
      if (typeof executionContextId === 'number') endings.endContext(executionContextId);
    },
  ],
  ['Runtime.executionContextsCleared', ({ endings }) => endings.endAllContexts()],
  ['Inspector.targetCrashed', ({ endings }) => endings.crash()],
  ['Inspector.targetReloadedAfterCrash', onSignOfLife],
  ['Runtime.executionContextCreated', onSignOfLife], // Where the reload itself is not told.
]);

/** All events that are taken note of, for clients that have to be asked for each. */
export const NOTICED_EVENTS: readonly string[] = [...MINTING_EVENTS, ...LIFE_EVENTS.keys()];

/** Does what follows from an event that carries no remote object; from most, nothing. */
export function noteLifeEvent(ledger: SessionLedger, name: string, params: unknown): void {
  LIFE_EVENTS.get(name)?.(ledger, params);
}
