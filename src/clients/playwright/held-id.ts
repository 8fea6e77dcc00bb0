/**
 * What Playwright's server half gets in the place of an object id. A string has no life that a garbage collector could
 * end; a String object has one, and the server passes it on as it is: into its handle, out of it into commands. So the
 * life of the id is the life of whoever can still name the object.
 *
 * It reads as the id that the browser knows the object by now: survivors are moved, which gives them another.
 */
import type { RemoteObject } from '../../handles/protocol.ts';

export class HeldId extends String {
  readonly #remoteObject: RemoteObject | WeakRef<RemoteObject>;
  /** Which hook of a session made it: its own ledger knows the id. */
  readonly hook: number;
  /** Whether it came with a console message: the server keeps the last of those, and may hand their arguments out again. */
  readonly isConsoleArgument: boolean;
  /** Whether the script has a handle of it. If not, the server made it for itself, to click or to fill, say. */
  isGivenOut = false;

  constructor(
    remoteObject: RemoteObject & { objectId: string },
    hook: number,
    isConsoleArgument: boolean,
    isWeak: boolean,
  ) {
    super(remoteObject.objectId);
    this.#remoteObject = isWeak ? new WeakRef(remoteObject) : remoteObject;
    this.hook = hook;
    this.isConsoleArgument = isConsoleArgument;
  }

  /** The RemoteObject that the ledger watches; `undefined` for one that was collected. */
  get remoteObject(): RemoteObject | undefined {
    const remoteObject = this.#remoteObject;
    return remoteObject instanceof WeakRef ? remoteObject.deref() : remoteObject;
  }

  /** Also what `JSON.stringify` writes. */
  override toString(): string {
    return this.remoteObject?.objectId ?? super.toString();
  }

  override valueOf(): string {
    return this.toString();
  }
}

/** The id of a server's handle as a `HeldId`; `undefined` for handles from before the attachment, and for primitives. */
export function heldIdOf(serverHandle: unknown): HeldId | undefined {
  if (typeof serverHandle !== 'object' || serverHandle === null) return undefined;
  const id: unknown = Reflect.get(serverHandle, '_objectId');
  return id instanceof HeldId ? id : undefined;
}
