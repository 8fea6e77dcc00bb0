/**
 * Enters in the ledger what a session's events tell: objects that come with console messages, and the ends of contexts.
 *
 * Invariant: nothing is thrown at the client's listeners, which get the event next.
 */
import type { MintTrace, Tracing } from '../observe/leak-report.ts';
import type { DeferredTask } from '../runtime/event-loop.ts';
import type { ConsoleEntries } from './console-entries.ts';
import { CONSOLE_GROUP } from './groups.ts';
import {
  contextPrefixOf,
  executionContextIdOf,
  forEachRemoteObject,
  MINTING_EVENTS,
  mintsOf,
  type RemoteObject,
} from './protocol.ts';
import type { Group, SessionLedger } from './session-ledger.ts';
import { MADE_BY_EVENT as MAKES_STREAM, type Streams } from './streams.ts';
import { untrackedReport } from './untracked-mints.ts';

/** The parts that events are entered in. One that is `undefined` was not asked for. */
export interface EventParts {
  readonly ledger: SessionLedger;
  /** Whether mints are entered; if not, only the client's own releases are taken over. */
  tracks: boolean;
  readonly tracing: Tracing;
  /** Whether calls of the client's are traced, each with all its commands; if not, each command by itself. */
  readonly isTracedByCall: boolean;
  readonly consoleEntries: ConsoleEntries | undefined;
  readonly streams: Streams | undefined;
}

/** Enters one remote object that the client has got. */
type Mint = (
  remoteObject: RemoteObject & { objectId: string },
  group: Group | undefined,
  ordinal: number,
  trace: MintTrace | undefined,
  isException: boolean,
) => void;

export class SessionEvents implements DeferredTask {
  readonly #parts: EventParts;
  readonly #mint: Mint;
  /**
   * Console messages that came at once: a page writes many, and one read of the socket delivers them. Their arguments are entered
   * together, when the client has had all these messages.
   */
  readonly #messages: unknown[] = [];

  constructor(parts: EventParts, mint: Mint) {
    this.#parts = parts;
    this.#mint = mint;
  }

  /** Takes note of one event, before the client's listeners get it. Never throws. */
  note(name: string, params: unknown): void {
    if (!NOTICED.has(name)) return;
    const { ledger, tracks, consoleEntries, streams, tracing } = this.#parts;
    streams?.event(name, params);
    const mints = tracks ? mintsOf(name) : undefined;
    if (mints !== undefined && name === CONSOLE_EVENT && tracing.report === undefined && !consoleEntries) {
      if (this.#messages.push(params) === 1) ledger.services.answers.add(this);
      return;
    }
    ledger.services.answers.run();
    if (mints !== undefined) {
      // The sweep never releases the console group whole, because the next event may be adding to it already: its members go one
      // by one.
      const group = name.startsWith('Runtime.') ? ledger.foreignGroup(CONSOLE_GROUP) : undefined;
      const trace = tracing.report?.beginEvent(name, params);
      forEachRemoteObject(params, mints, (remoteObject, ordinal) => {
        this.#mint(remoteObject, group, ordinal, trace, false);
      });
      consoleEntries?.onEntry(params);
      return;
    }
    const told = LIFE_EVENTS.get(name);
    if (told === 'goes on' && !ledger.hasEnded) ledger.queue.isLost = false;
    if (told === undefined || told === 'goes on') return;
    const ended = told === 'context ended' ? contextIdIn(params) : 'all';
    consoleEntries?.onContextsEnded(ended);
    if (told === 'crashed') ledger.crash();
    else if (ended === 'all') ledger.onContextsCleared();
    else if (typeof ended === 'number') ledger.onContextDestroyed(ended);
    untrackedReport(this.#parts)?.endWhere(
      ledger,
      (objectId) => ended === 'all' || executionContextIdOf(contextPrefixOf(objectId)) === ended,
    );
  }

  /** Enters the arguments of the console messages that wait. */
  run(): void {
    const group = this.#parts.ledger.foreignGroup(CONSOLE_GROUP);
    const mints = mintsOf(CONSOLE_EVENT) ?? [];
    const enter = (remoteObject: RemoteObject & { objectId: string }, ordinal: number): void => {
      this.#mint(remoteObject, group, ordinal, undefined, false);
    };
    for (const message of this.#messages.splice(0)) {
      try {
        forEachRemoteObject(message, mints, enter);
      } catch {
        // A peer that is no browser may send a message that throws when it is read. Its arguments stay untracked.
      }
    }
  }
}

function contextIdIn(params: unknown): unknown {
  return (params as { executionContextId?: unknown } | undefined | null)?.executionContextId;
}

const CONSOLE_EVENT = 'Runtime.consoleAPICalled';

/**
 * What an event tells of a page that navigates or crashes, or of a frame that is removed: handles end with their execution context
 * (no release is sent for a single one; a group that holds others, too, may still be released). `goes on`: a target that had crashed
 * answers again.
 */
const LIFE_EVENTS: ReadonlyMap<string, 'context ended' | 'all contexts ended' | 'crashed' | 'goes on'> =
  new Map([
    ['Runtime.executionContextDestroyed', 'context ended'],
    ['Runtime.executionContextsCleared', 'all contexts ended'],
    ['Inspector.targetCrashed', 'crashed'],
    ['Inspector.targetReloadedAfterCrash', 'goes on'],
    ['Runtime.executionContextCreated', 'goes on'], // For a session that is not told of the reload.
  ]);

/** The events that every tap needs, for clients at which one listens to each event by name. */
export const NOTICED_EVENTS: readonly string[] = [...MINTING_EVENTS, ...LIFE_EVENTS.keys()];
/** These, and the event that makes a stream. Most events of a page are none of them. */
const NOTICED: ReadonlySet<string> = new Set([...NOTICED_EVENTS, MAKES_STREAM]);
