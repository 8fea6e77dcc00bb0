/**
 * Holds the handles of Playwright's client half weakly, so that the garbage collector can tell which of them the script has
 * forgotten. Playwright itself holds each handle in two maps until it is disposed of.
 *
 * Invariant: a handle is held strongly until the first message that names it has handed it to the script, and while a call that
 * names it is unanswered. If a message names a collected handle, the handle is made again, from the message that made it first.
 */
import { LONGEST_DELIVERY_MS, PLAYWRIGHT_HANDLES_PER_LOOK } from '../../policy.ts';
import { SlicedJob } from '../../runtime/event-loop.ts';
import { monotonicNow } from '../../timers.ts';
import { below, shadow } from '../session-hook.ts';
import { DirectDispose } from './direct-dispose.ts';
import { forEachGuid, PendingCalls } from './pending-calls.ts';
import {
  type Call,
  type ChannelOwner,
  type ClientConnection,
  isHandleType,
  rootsOf,
  type ServerMessage,
} from './structure.ts';
import { type FollowedCall, type HandleKeeper, type HandleTable, NOBODY, WeakHandle } from './weak-handle.ts';

/** Stands in for the connection's own map. A look-up of a handle delivers it: from then on only the script holds it. */
class ObjectTable extends Map<string, ChannelOwner> {
  handles: ClientHandles | undefined;

  override get(guid: string): ChannelOwner | undefined {
    return super.get(guid) ?? this.handles?.deliver(guid);
  }

  override has(guid: string): boolean {
    return super.has(guid) || this.handles?.find(guid) !== undefined;
  }

  override delete(guid: string): boolean {
    const isObject = super.delete(guid);
    return this.handles?.forget(guid) || isObject;
  }

  /** An object that is held strongly: no handle that is kept here. */
  strong(guid: string): ChannelOwner | undefined {
    return super.get(guid);
  }

  /** Removes the strong reference to a handle. */
  stopHolding(guid: string): void {
    super.delete(guid);
  }
}

export class ClientHandles implements HandleTable {
  readonly #connection: ClientConnection;
  readonly #original: Map<string, ChannelOwner>;
  readonly #table: ObjectTable;
  readonly #dispatch: ClientConnection['dispatch'];
  readonly #keepers = new Map<ChannelOwner, HandleKeeper>();
  readonly #handles = new Map<string, WeakHandle>();
  /** Handles by the guid of the frame, page or worker that they end with. */
  readonly #children = new Map<string, Set<WeakHandle>>();
  /** Handles that no message has handed to the script yet, the oldest first. */
  readonly #undelivered = new Set<WeakHandle>();
  readonly #pending = new PendingCalls();
  /** Collected handles that are still to be ended. */
  #collected: WeakHandle[] = [];
  /** Collected handles whose keeper is to be asked again. */
  #postponed: WeakHandle[] = [];
  readonly #weak: WeakRef<HandleTable> = new WeakRef(this);
  readonly #job = new SlicedJob((deadline) => this.#endCollected(deadline));
  readonly #directDispose = new DirectDispose(({ _guid: guid }) => {
    const handle = this.#handles.get(guid);
    return handle && this.#answerHere(handle, 'dispose');
  });
  readonly #undo: (() => void)[];
  /** The handle whose own event is being dispatched. Playwright looks it up for that, which delivers nothing. */
  #emitting: WeakHandle | undefined;
  /** The reason given in the `__dispose__` message that is being dispatched. */
  #disposeReason: string | undefined;

  private constructor(connection: ClientConnection) {
    this.#connection = connection;
    this.#original = connection._objects;
    this.#table = new ObjectTable(this.#original);
    this.#table.handles = this;
    connection._objects = this.#table;
    this.#dispatch = connection.dispatch;
    const { onmessage } = connection; // Playwright gives each connection these of its own.
    const sendBelow = below(connection, 'sendMessageToServer');
    const closeBelow = below(connection, 'close');
    this.#undo = [
      shadow(connection, 'dispatch', (message: ServerMessage) => this.#receive(message)),
      shadow(connection, 'onmessage', (call: Call) =>
        this.#send(call, () => onmessage.call(connection, call)),
      ),
      shadow(
        connection,
        'sendMessageToServer',
        (object: ChannelOwner, method: string, ...rest: unknown[]) => {
          const handle = this.#handles.get(object._guid);
          if (handle !== undefined && method === 'dispose') this.#directDispose.note(object, rest[1]);
          const answer = handle && this.#answerHere(handle, method);
          return answer ?? sendBelow().call(connection, object, method, ...rest);
        },
      ),
      shadow(connection, 'close', (...args: unknown[]) => {
        const result = closeBelow().apply(connection, args);
        this.#onClosed();
        return result;
      }),
    ];
  }

  /**
   * Keeps the handles of a browser, context or page from now on.
   *
   * @returns a function that ends this. After the last one was called, the connection is as it was found, with all its objects.
   */
  static keep(root: ChannelOwner, keeper: HandleKeeper): () => void {
    const connection = root._connection;
    let handles = all.get(connection);
    if (handles === undefined) {
      handles = new ClientHandles(connection);
      all.set(connection, handles);
    }
    return handles.#keep(root, keeper);
  }

  /** @internal */
  find(guid: string): WeakHandle | undefined {
    return this.#handles.get(guid);
  }

  /** Gives the handle of a guid, and counts it as delivered. @internal */
  deliver(guid: string): ChannelOwner | undefined {
    const handle = this.#handles.get(guid);
    if (handle === undefined) return undefined;
    const { owner } = handle;
    if (owner === undefined) return this.#makeAgain(handle);
    if (handle.undelivered !== undefined && handle !== this.#emitting) this.#markDelivered(handle, owner);
    return owner;
  }

  /** Strikes out an object that is disposed of, and the handles that end with it. @returns whether it was a handle. @internal */
  forget(guid: string): boolean {
    for (const child of this.#children.get(guid) ?? []) {
      child.owner?._dispose(this.#disposeReason);
      this.#drop(child);
    }
    this.#children.delete(guid);
    for (const [root, keeper] of this.#keepers) if (root._guid === guid) keeper.over();
    const handle = this.#handles.get(guid);
    if (handle === undefined) return false;
    this.#drop(handle);
    return true;
  }

  #keep(root: ChannelOwner, keeper: HandleKeeper): () => void {
    this.#keepers.set(root, keeper);
    return () => {
      if (this.#keepers.get(root) === keeper) this.#keepers.delete(root);
      for (const handle of this.#collected.splice(0)) this.#end(handle);
      for (const handle of this.#handles.values()) if (handle.keeper === keeper) this.#restore(handle);
      if (this.#keepers.size > 0) return;
      for (const undo of this.#undo) undo();
      this.#original.clear();
      for (const [guid, owner] of this.#table) this.#original.set(guid, owner);
      this.#connection._objects = this.#original;
      all.delete(this.#connection);
    };
  }

  /** Has a handle held as Playwright holds it. A collected one is made again, since the server half may still name it. */
  #restore(handle: WeakHandle): void {
    const owner = handle.owner ?? this.#recreate(handle);
    this.#drop(handle);
    if (owner === undefined) return;
    this.#table.set(handle.guid, owner);
    owner._parent?._objects.set(handle.guid, owner);
  }

  #keeperOf(owner: ChannelOwner): HandleKeeper | undefined {
    for (const root of rootsOf(owner)) {
      const keeper = this.#keepers.get(root);
      if (keeper !== undefined) return keeper;
    }
    return undefined;
  }

  #receive(message: ServerMessage): void {
    const { id, guid, method } = message;
    if (id !== undefined) {
      const mayRepeatHandles = this.#pending.mayRepeatHandles(id);
      if (mayRepeatHandles) this.#noteConsoleArguments(message.result);
      try {
        this.#dispatch.call(this.#connection, message);
      } finally {
        this.#pending.answered(message);
      }
      if (mayRepeatHandles) for (const handle of this.#postponed.splice(0)) this.noteCollected(handle);
      return;
    }
    if (method === 'console') this.#noteConsoleArguments(message.params);
    const handle = this.#handles.get(guid);
    if (handle !== undefined) {
      this.#receiveFor(handle, message);
      return;
    }
    this.#disposeReason = method === '__dispose__' ? textOf(message.params?.reason) : undefined;
    this.#dispatch.call(this.#connection, message);
    if (method === '__create__' && isHandleType(message.params?.type)) this.#noteCreated(message);
  }

  #noteConsoleArguments(message: unknown): void {
    forEachGuid(message, undefined, (guid) => {
      const handle = this.#handles.get(guid);
      if (handle !== undefined) handle.isConsoleArgument = true;
    });
  }

  /** Dispatches an event of a handle's own. It delivers nothing; for a collected handle it is not dispatched at all. */
  #receiveFor(handle: WeakHandle, message: ServerMessage): void {
    if (message.method === 'previewUpdated')
      handle.creation = withPreview(handle.creation, message.params?.preview);
    if (handle.owner === undefined) {
      if (message.method === '__dispose__') this.#drop(handle);
      return;
    }
    this.#emitting = handle;
    try {
      this.#dispatch.call(this.#connection, message);
    } finally {
      this.#emitting = undefined;
    }
  }

  #noteCreated(message: ServerMessage): WeakHandle | undefined {
    const guid = textOf(message.params?.guid) ?? '';
    const owner = this.#table.strong(guid);
    const keeper = owner && this.#keeperOf(owner);
    if (owner === undefined || keeper === undefined) return undefined;
    const now = monotonicNow();
    const handle = new WeakHandle(owner, message, keeper, this.#weak, now);
    this.#table.stopHolding(guid);
    owner._parent?._objects.delete(guid);
    this.#handles.set(guid, handle);
    const siblings = this.#children.get(handle.parentGuid);
    if (siblings === undefined) this.#children.set(handle.parentGuid, new Set([handle]));
    else siblings.add(handle);
    this.#undelivered.add(handle);
    keeper.created?.(handle, owner);
    this.#directDispose.give(owner);
    this.#giveUpUndelivered(now);
    return handle;
  }

  /**
   * Counts the oldest handle as delivered, so that it can be collected, if no message has delivered it for `LONGEST_DELIVERY_MS`:
   * the call that it was made for has failed.
   */
  #giveUpUndelivered(now: number): void {
    const [oldest] = this.#undelivered;
    if (oldest !== undefined && now - oldest.createdAt > LONGEST_DELIVERY_MS) this.#markDelivered(oldest);
  }

  #markDelivered(handle: WeakHandle, owner: ChannelOwner | undefined = handle.undelivered): void {
    handle.undelivered = undefined;
    this.#undelivered.delete(handle);
    if (owner !== undefined) handle.keeper.delivered?.(handle, owner);
  }

  #makeAgain(dead: WeakHandle): ChannelOwner | undefined {
    const owner = this.#recreate(dead);
    this.#drop(dead);
    if (owner === undefined) return undefined;
    this.#table.set(dead.guid, owner);
    const handle = this.#noteCreated(dead.creation);
    if (handle !== undefined) {
      handle.isConsoleArgument = dead.isConsoleArgument;
      this.#markDelivered(handle);
    }
    return owner;
  }

  #recreate(dead: WeakHandle): ChannelOwner | undefined {
    this.#dispatch.call(this.#connection, dead.creation);
    return this.#table.strong(dead.guid);
  }

  #drop(handle: WeakHandle): void {
    if (this.#handles.get(handle.guid) !== handle) return;
    this.#handles.delete(handle.guid);
    this.#undelivered.delete(handle);
    if (handle.owner !== undefined) this.#directDispose.take(handle.owner);
    handle.undelivered = undefined;
    const siblings = this.#children.get(handle.parentGuid);
    siblings?.delete(handle);
    if (siblings?.size === 0) this.#children.delete(handle.parentGuid);
    const { keeper } = handle;
    // The registry holds this `WeakHandle` until its object is collected. The keeper leads to the object: with it, it never would be.
    handle.keeper = NOBODY;
    keeper.ended?.(handle);
  }

  #send(call: Call, send: () => unknown): unknown {
    if (call.id === undefined || call.method.startsWith('__')) return send();
    const followed = this.#follow(call);
    this.#pending.begin(call, this.#handles, followed);
    return followed === undefined ? send() : followed.run(send);
  }

  /** Answers a handle's call here: its `dispose()`, or a call after the end of its scope. `undefined`: it goes the usual way. */
  #answerHere(handle: WeakHandle, method: string): Promise<unknown> | undefined {
    if (method !== 'dispose') {
      const refusal = handle.keeper.refusal?.(handle);
      return refusal && Promise.reject(refusal);
    }
    // Not while another call names the handle, which would find it gone; nor while Playwright records a trace, which has to show
    // the call.
    const { _closedError: closedError, _tracingCount: traces } = this.#connection;
    return handle.calls === 0 && closedError === undefined && !traces
      ? handle.keeper.dispose(handle)
      : undefined;
  }

  #follow(call: Call): FollowedCall | undefined {
    for (const keeper of this.#keepers.values()) {
      const followed = keeper.follow?.(call);
      if (followed !== undefined) return followed;
    }
    return undefined;
  }

  /** Whether a call is unanswered whose answer may name handles that were handed out before. */
  get hasRepeatingCall(): boolean {
    return this.#pending.hasRepeatingCall;
  }

  noteCollected(handle: WeakHandle): void {
    this.#collected.push(handle);
    this.#job.schedule();
  }

  #endCollected(deadline: number): boolean {
    const handles = this.#collected;
    let next = 0;
    while (next < handles.length) {
      const handle = handles[next++];
      if (handle !== undefined) this.#end(handle);
      if (next % PLAYWRIGHT_HANDLES_PER_LOOK === 0 && monotonicNow() > deadline) break;
    }
    this.#collected = handles.slice(next);
    return this.#collected.length === 0;
  }

  #end(handle: WeakHandle): void {
    if (this.#handles.get(handle.guid) !== handle || this.#connection._closedError !== undefined) return;
    try {
      if (!handle.keeper.collected(handle)) this.#postponed.push(handle);
    } catch {
      // The server half refuses: the handle stays as it is, and ends with its page.
    }
  }

  #onClosed(): void {
    this.#pending.clear();
    for (const handle of [...this.#handles.values()]) this.#drop(handle);
    for (const keeper of this.#keepers.values()) keeper.over();
  }
}

const all = new WeakMap<ClientConnection, ClientHandles>();

/** The handles of a connection, while any are kept. */
export function handlesOf(connection: ClientConnection): ClientHandles | undefined {
  return all.get(connection);
}

function withPreview(creation: ServerMessage, preview: unknown): ServerMessage {
  const initializer = { ...(creation.params?.initializer as object | undefined), preview };
  return { ...creation, params: { ...creation.params, initializer } };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
