/**
 * One handle of the script's, whether or not the script still refers to it; and the interface of the keepers of such handles, which
 * decide what is done with them.
 *
 * Invariant: once a handle has been handed to the script, its `WeakHandle` refers to the client's objects only weakly. A registry
 * holds the `WeakHandle`, so a strong reference would keep the handle from being collected.
 */
import type { Call, ChannelOwner, ServerMessage } from './structure.ts';

/** Decides what is done with the handles of a browser, or of a part of it. */
export interface HandleKeeper {
  /** The handle was collected. @returns false to be asked again when a call that may repeat handles has been answered. */
  collected(handle: WeakHandle): boolean;
  /** The script calls a method of the handle. @returns why it cannot be called any more; `undefined` if it can. */
  refusal?(handle: WeakHandle): Error | undefined;
  /** The script disposes of the handle. @returns the answer; `undefined` if the call is to go the usual way. */
  dispose(handle: WeakHandle): Promise<unknown> | undefined;
  /** A handle has come from the server half. */
  created?(handle: WeakHandle, owner: ChannelOwner): void;
  /** A handle is handed to the script, for the first time, or because it was made again. */
  delivered?(handle: WeakHandle, owner: ChannelOwner): void;
  /** The handle has ended: with its page, frame or worker, or because it was disposed of. */
  ended?(handle: WeakHandle): void;
  /** A call leaves for the server half. @returns an object that runs the rest of the call, and is told of its answer. */
  follow?(call: Call): FollowedCall | undefined;
  /** The browser, context or page is over: it was closed, or its connection is lost. */
  over(): void;
}

export interface FollowedCall {
  run<T>(send: () => T): T;
  /** @param guids those that the answer names; `undefined` if the call failed. */
  answered(guids: readonly string[] | undefined): void;
}

/** Those who know a handle, and are told that it was collected. */
export interface HandleTable {
  noteCollected(handle: WeakHandle): void;
}

/**
 * One registry for all connections, and for good: V8 calls no finalizer of the process any more where one is itself collected at the
 * wrong moment (see `garbageCollector` in `handles/collection.ts`).
 */
const registry = new FinalizationRegistry<WeakHandle>((handle) =>
  handle.table.deref()?.noteCollected(handle),
);

/** One handle of the script's. */
export class WeakHandle {
  readonly guid: string;
  /** Weak: it leads to the client's objects. */
  readonly table: WeakRef<HandleTable>;
  /** `NOBODY` once the handle has ended. */
  keeper: HandleKeeper;
  readonly #reference: WeakRef<ChannelOwner>;
  /** The message that made the handle. It is kept up to date, so that the handle can be made again from it. */
  creation: ServerMessage;
  /** The handle itself, until it is handed to the script. */
  undelivered: ChannelOwner | undefined;
  /** Whether it came with a console message: the server half keeps the last messages, and may hand out their arguments again. */
  isConsoleArgument = false;
  /** How many calls that name it are unanswered. */
  calls = 0;
  readonly createdAt: number;

  constructor(
    owner: ChannelOwner,
    creation: ServerMessage,
    keeper: HandleKeeper,
    table: WeakRef<HandleTable>,
    createdAt: number,
  ) {
    this.guid = owner._guid;
    this.table = table;
    this.keeper = keeper;
    this.#reference = new WeakRef(owner);
    this.creation = creation;
    this.undelivered = owner;
    this.createdAt = createdAt;
    registry.register(owner, this);
  }

  get owner(): ChannelOwner | undefined {
    return this.undelivered ?? this.#reference.deref();
  }

  get parentGuid(): string {
    return this.creation.guid;
  }
}

/** The keeper of handles that have ended. Does nothing. */
export const NOBODY: HandleKeeper = { collected: () => true, dispose: () => undefined, over: () => {} };
