/**
 * The handles that Playwright's client half has, held weakly, so that the garbage collector can tell which of them the
 * script has forgotten. Playwright itself holds each in two maps until it is disposed of.
 *
 * Invariant: a handle is held until the first message that names it has handed it to the script, and while a call that
 * names it is unanswered. One that was collected and is named again is made again, from the message that made it first.
 */
import { LONGEST_DELIVERY_MS, PLAYWRIGHT_HANDLES_PER_LOOK } from '../../policy.ts';
import { SlicedJob } from '../../runtime/event-loop.ts';
import { monotonicNow } from '../../timers.ts';
import { below, shadow } from '../session-hook.ts';
import { forEachGuid, PendingCalls } from './pending-calls.ts';
import {
  type Call,
  type ChannelOwner,
  type ClientConnection,
  isHandleType,
  rootsOf,
  type ServerMessage,
} from './structure.ts';
import { type FollowedCall, type HandleKeeper, NOBODY, WeakHandle } from './weak-handle.ts';

/** Stands in for the connection's own map: who asks for a handle is given it, and holds it from then on. */
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

  /** The object itself, no handle. */
  strong(guid: string): ChannelOwner | undefined {
    return super.get(guid);
  }

  /** The handle is held here no more. */
  release(guid: string): void {
    super.delete(guid);
  }
}

export class ClientHandles {
  readonly #connection: ClientConnection;
  readonly #original: Map<string, ChannelOwner>;
  readonly #table: ObjectTable;
  readonly #dispatch: ClientConnection['dispatch'];
  readonly #keepers = new Map<ChannelOwner, HandleKeeper>();
  readonly #handles = new Map<string, WeakHandle>();
  /** By the guid of the frame, page or worker that they end with. */
  readonly #children = new Map<string, Set<WeakHandle>>();
  /** The oldest first. */
  readonly #undelivered = new Set<WeakHandle>();
  readonly #pending = new PendingCalls();
  #collected: WeakHandle[] = [];
  #postponed: WeakHandle[] = [];
  readonly #registry = new FinalizationRegistry<WeakHandle>((handle) => this.#noteCollected(handle));
  readonly #job = new SlicedJob((deadline) => this.#endCollected(deadline));
  readonly #undo: (() => void)[];
  /** Whose own event is being dispatched: Playwright looks the handle up, and hands it to nobody. */
  #emitting: WeakHandle | undefined;
  /** Why what is being disposed of right now is. */
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
   * Has the handles of a browser, context or page kept from now on.
   *
   * @returns what ends it. After the last, the connection is as it was found, with all that is in it.
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

  /** Gives a handle to whoever names it. @internal */
  deliver(guid: string): ChannelOwner | undefined {
    const handle = this.#handles.get(guid);
    if (handle === undefined) return undefined;
    const { owner } = handle;
    if (owner === undefined) return this.#makeAgain(handle);
    if (handle.undelivered !== undefined && handle !== this.#emitting) this.#markDelivered(handle, owner);
    return owner;
  }

  /** Strikes out what is disposed of, and all that ends with it. @internal */
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

  /** Held again as Playwright holds it; made again if need be, since the server half may name it still. */
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
      const mayNameAgain = this.#pending.mayNameAgain(id);
      if (mayNameAgain) this.#noteConsoleArguments(message.result);
      try {
        this.#dispatch.call(this.#connection, message);
      } finally {
        this.#pending.answered(message);
      }
      if (mayNameAgain) for (const handle of this.#postponed.splice(0)) this.#noteCollected(handle);
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

  /** An event of a handle's own. It hands nothing to the script; and of one that is dead nobody hears it. */
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
    const handle = new WeakHandle(owner, message, keeper, now);
    this.#table.release(guid);
    owner._parent?._objects.delete(guid);
    this.#handles.set(guid, handle);
    const siblings = this.#children.get(handle.parentGuid);
    if (siblings === undefined) this.#children.set(handle.parentGuid, new Set([handle]));
    else siblings.add(handle);
    this.#undelivered.add(handle);
    this.#registry.register(owner, handle);
    keeper.created?.(handle, owner);
    this.#giveUpUndelivered(now);
    return handle;
  }

  /** The server half made it and then failed to say what for. */
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
    handle.undelivered = undefined;
    const siblings = this.#children.get(handle.parentGuid);
    siblings?.delete(handle);
    if (siblings?.size === 0) this.#children.delete(handle.parentGuid);
    const { keeper } = handle;
    // The registry holds the handle until its object is collected: by way of the keeper it would hold the object itself.
    handle.keeper = NOBODY;
    keeper.ended?.(handle);
  }

  #send(call: Call, send: () => unknown): unknown {
    if (call.id === undefined || call.method.startsWith('__')) return send();
    const followed = this.#follow(call);
    this.#pending.begin(call, this.#handles, followed);
    return followed === undefined ? send() : followed.run(send);
  }

  /** A call of a handle's that the server half need not hear of: its disposal, or one that comes too late. */
  #answerHere(handle: WeakHandle, method: string): Promise<unknown> | undefined {
    if (method !== 'dispose') {
      const refusal = handle.keeper.refusal?.(handle);
      return refusal && Promise.reject(refusal);
    }
    // A call that is on its way would find it gone; and a trace is to show what was called.
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

  /** Whether an answer is on its way that may name handles anew which were handed out before. */
  get mayNameAgain(): boolean {
    return this.#pending.mayNameHandlesAgain;
  }

  #noteCollected(handle: WeakHandle): void {
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
      // The server half refuses: it stays as it is, and ends with its page.
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
