/**
 * The object id that Playwright's server half gets. The garbage collector cannot tell when a string is no longer used. So the id is
 * a String object, which the server passes on as it is: into its handle, and from there into commands. The String object lives as
 * long as anybody can still name the object.
 *
 * As a string it reads as the object's present id: survivors are moved, which gives them a new one.
 */
import type { RemoteObject } from '../../handles/protocol.ts';

export class HeldId extends String {
  readonly #remoteObject: RemoteObject | WeakRef<RemoteObject>;
  /** The number of the hook that made it: the ledger of that hook's session knows the id. */
  readonly hook: number;
  /** Whether it came with a console message: the server keeps the last messages, and may hand out their arguments again. */
  readonly isConsoleArgument: boolean;
  /** Whether the script has a handle of the object. If not, the server has it for itself, for a click, say. */
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

  /** The RemoteObject that the ledger watches; `undefined` if it was collected. */
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
