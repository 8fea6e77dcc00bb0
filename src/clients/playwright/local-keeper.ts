/**
 * What becomes of the client half's handles where the server half is in this process: both ends of a handle that the
 * script has forgotten go at once, without a message, and so do those of one that it disposes of.
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

/** The attachment whose handles they are. */
export interface KeptFor {
  readonly leakReport: LeakReport | undefined;
  detachForAll(): void;
}

export class LocalKeeper implements HandleKeeper {
  readonly #attachment: KeptFor;
  readonly #connection: ClientConnection;
  readonly #dispatchers: ServerHalf['dispatchers'];
  /** With `consoleEntries: 'discard'`: what lives by the script's own handles alone. */
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
    if (dispatcher === undefined) return true; // The server half has dropped it, and says so soon.
    const id = heldIdOf(dispatcher._object);
    if (id === undefined || id.isConsoleArgument) {
      // The server half may hand it out again, under the same name: its own handle stays, and ends when the server lets go.
      if (handlesOf(this.#connection)?.mayNameAgain) return false;
      end(dispatcher);
      return true;
    }
    hookOf(id)?.collect(id);
    (dispatcher._object as ServerHandle).dispose();
    end(dispatcher);
    return true;
  }

  /** Some calls of an element are tried again and again by the server, which takes any failure for one of the moment. */
  refusal(handle: WeakHandle): Error | undefined {
    const id = heldIdOf(this.#dispatchers.get(handle.guid)?._object);
    const kind = id && hookOf(id)?.endedScopeOf(id);
    return kind && scopeEndedError(kind);
  }

  dispose(handle: WeakHandle): Promise<unknown> | undefined {
    const dispatcher = this.#dispatchers.get(handle.guid);
    if (dispatcher === undefined) return undefined;
    (dispatcher._object as ServerHandle).dispose();
    end(dispatcher);
    // A loop of awaited disposals would be one long chain of microtasks: the event loop gets its turns.
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
    // Not now: it is told in the midst of what ends it.
    queueMicrotask(() => this.#attachment.detachForAll());
  }

  #remoteObjectOf(guid: string): RemoteObject | undefined {
    return heldIdOf(this.#dispatchers.get(guid)?._object)?.remoteObject;
  }
}

/** Playwright makes an error for the calls that end with it. Of a handle's there are none, and a stack costs ten times the rest. */
function end(dispatcher: Dispatcher): void {
  withStackTraceLimit(0, () => dispatcher._dispose());
}

function lineOf(location: CallLocation | undefined): string {
  if (location === undefined) return UNKNOWN_LINE;
  return `${location.file}:${location.line ?? 1}:${location.column ?? 1}`;
}
