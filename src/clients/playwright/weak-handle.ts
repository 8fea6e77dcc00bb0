/**
 * One handle of the script's as it is known while the script itself may have let go of it, and who sees to such handles.
 *
 * Invariant: what is known of a handle leads to none of the client's objects but weakly, until it was handed to the script
 * only: a registry holds it.
 */
import type { Call, ChannelOwner, ServerMessage } from './structure.ts';

/** What is done with the handles of a browser, or of a part of it. */
export interface HandleKeeper {
  /** The program has let go of it. @returns false where it is to be asked again when a call has been answered. */
  collected(handle: WeakHandle): boolean;
  /** The program calls it. @returns why it cannot be called any more; `undefined` where it can. */
  refusal?(handle: WeakHandle): Error | undefined;
  /** The program disposes of it. @returns its answer; `undefined` where the call is to go the usual way. */
  dispose(handle: WeakHandle): Promise<unknown> | undefined;
  /** A handle has come from the server half. */
  created?(handle: WeakHandle, owner: ChannelOwner): void;
  /** A handle is handed to the script, be it for the first time or made again. */
  delivered?(handle: WeakHandle, owner: ChannelOwner): void;
  /** Its page, frame or worker is gone, or it was disposed of. */
  ended?(handle: WeakHandle): void;
  /** A call leaves for the server half. @returns what runs the rest of it, and hears of its answer. */
  follow?(call: Call): FollowedCall | undefined;
  /** What it keeps the handles of is over: closed, or its connection lost. */
  over(): void;
}

export interface FollowedCall {
  run<T>(send: () => T): T;
  /** @param guids what the answer names; `undefined` where the call failed. */
  answered(guids: readonly string[] | undefined): void;
}

/** A handle of the script's, and all that is known of it. */
export class WeakHandle {
  readonly guid: string;
  /** Whose it is; nobody's once it has ended. */
  keeper: HandleKeeper;
  readonly #reference: WeakRef<ChannelOwner>;
  /** The message that made it; kept up to date, for it to be made again. */
  creation: ServerMessage;
  /** Until it is handed to the script. */
  undelivered: ChannelOwner | undefined;
  /** Whether it came with a console message: the server half keeps the last of those, and may hand it out again. */
  isConsoleArgument = false;
  /** Calls that name it and are unanswered. */
  calls = 0;
  readonly createdAt: number;

  constructor(owner: ChannelOwner, creation: ServerMessage, keeper: HandleKeeper, createdAt: number) {
    this.guid = owner._guid;
    this.keeper = keeper;
    this.#reference = new WeakRef(owner);
    this.creation = creation;
    this.undelivered = owner;
    this.createdAt = createdAt;
  }

  get owner(): ChannelOwner | undefined {
    return this.undelivered ?? this.#reference.deref();
  }

  get parentGuid(): string {
    return this.creation.guid;
  }
}

/** Whose handles are that have ended. */
export const NOBODY: HandleKeeper = { collected: () => true, dispose: () => undefined, over: () => {} };
