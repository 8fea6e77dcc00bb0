/**
 * Keeps the client half's handles where the server half is in this process. When the script has forgotten a handle, or disposes of
 * it, both halves let go of it at once, without a message between them.
 */

import { withStackTraceLimit } from '../../batcher/session-queue.ts';
import type { RemoteObject } from '../../handles/protocol.ts';
import { scopeEndedError } from '../../handles/scope.ts';
import { UNKNOWN_LINE } from '../../observe/calling-line.ts';
import type { LeakReport } from '../../observe/leak-report.ts';
import { currentWindow, runCall, TracedCall } from '../../observe/traced-call.ts';
import { MOST_BETWEEN_TURNS_MS } from '../../policy.ts';
import { monotonicNow, queueMicrotask, setImmediate } from '../../timers.ts';
import { handlesOf } from './client-handles.ts';
import { heldIdOf } from './held-id.ts';
import { hookOf } from './hooked-session.ts';
import type { ServerHalf } from './seams.ts';
import type {
  Call,
  CallLocation,
  ChannelOwner,
  ClientConnection,
  Dispatcher,
  ServerHandle,
} from './structure.ts';
import type { FollowedCall, HandleKeeper, WeakHandle } from './weak-handle.ts';

/** The attachment that the handles are kept for. */
export interface KeptFor {
  readonly leakReport: LeakReport | undefined;
  detachForAll(): void;
}

export class LocalKeeper implements HandleKeeper {
  readonly #attachment: KeptFor;
  readonly #connection: ClientConnection;
  readonly #dispatchers: ServerHalf['dispatchers'];
  /**
   * Keeps the RemoteObject of a console argument alive as long as the script's handle. Needed with `consoleEntries: 'discard'`,
   * where the id holds it only weakly.
   */
  readonly #consoleArguments = new WeakMap<ChannelOwner, RemoteObject>();
  #turnedAt = 0;

  constructor(attachment: KeptFor, connection: ClientConnection, { dispatchers }: ServerHalf) {
    this.#attachment = attachment;
    this.#connection = connection;
    this.#dispatchers = dispatchers;
  }

  created(handle: WeakHandle, owner: ChannelOwner): void {
    const id = heldIdOf(this.#dispatchers.get(handle.guid)?._object);
    if (id === undefined) return;
    id.isGivenOut = true;
    const remoteObject = id.isConsoleArgument ? id.remoteObject : undefined;
    if (remoteObject !== undefined) this.#consoleArguments.set(owner, remoteObject);
  }

  collected(handle: WeakHandle): boolean {
    const dispatcher = this.#dispatchers.get(handle.guid);
    if (dispatcher === undefined) return true; // The server half has dropped the handle, and will say so.
    const id = heldIdOf(dispatcher._object);
    if (id === undefined || id.isConsoleArgument) {
      // The server half may hand out the object again, under the same name. So its own handle stays until the server drops it.
      if (handlesOf(this.#connection)?.hasRepeatingCall) return false;
      disposeDispatcher(dispatcher);
      return true;
    }
    hookOf(id)?.collect(id);
    (dispatcher._object as ServerHandle).dispose();
    disposeDispatcher(dispatcher);
    return true;
  }

  /**
   * A call on a handle whose scope has ended is refused here: the server takes any failure as temporary, and would retry some
   * calls of elements again and again.
   */
  refusal(handle: WeakHandle): Error | undefined {
    const id = heldIdOf(this.#dispatchers.get(handle.guid)?._object);
    const kind = id && hookOf(id)?.endedScopeOf(id);
    return kind && scopeEndedError(kind);
  }

  dispose(handle: WeakHandle): Promise<unknown> | undefined {
    const dispatcher = this.#dispatchers.get(handle.guid);
    if (dispatcher === undefined) return undefined;
    (dispatcher._object as ServerHandle).dispose();
    disposeDispatcher(dispatcher);
    // A loop of awaited disposals would be one long chain of microtasks, so every few milliseconds the event loop gets a turn.
    const now = monotonicNow();
    if (now - this.#turnedAt < MOST_BETWEEN_TURNS_MS) return Promise.resolve({});
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#turnedAt = monotonicNow();
        resolve({});
      });
    });
  }

  follow({ metadata }: Call): FollowedCall | undefined {
    if (this.#attachment.leakReport === undefined) return undefined;
    const location = metadata?.location;
    const call = new TracedCall(lineOf(location), location !== undefined, currentWindow());
    return {
      run: (send) => runCall(call, send),
      answered: (guids) => {
        if (guids === undefined) call.reject();
        else call.resolve(guids.flatMap((guid) => this.#remoteObjectOf(guid) ?? []));
      },
    };
  }

  over(): void {
    // Later: `over` is called in the middle of the close itself.
    queueMicrotask(() => this.#attachment.detachForAll());
  }

  #remoteObjectOf(guid: string): RemoteObject | undefined {
    return heldIdOf(this.#dispatchers.get(guid)?._object)?.remoteObject;
  }
}

/**
 * Disposes of a dispatcher. `_dispose` creates an error for the calls that are open. A handle has none, so nobody needs the stack,
 * and it costs ten times the rest.
 */
function disposeDispatcher(dispatcher: Dispatcher): void {
  withStackTraceLimit(0, () => dispatcher._dispose());
}

function lineOf(location: CallLocation | undefined): string {
  if (location === undefined) return UNKNOWN_LINE;
  return `${location.file}:${location.line ?? 1}:${location.column ?? 1}`;
}
