/**
 * Keeps the client half's handles where the server half is in another process, behind `connect()`. No session of the browser's is
 * within reach, so a handle that the script has forgotten is disposed of by its own public `dispose()`. The handles that
 * Playwright's server makes for itself are out of reach.
 *
 * For the ledger the connection is a session, and each handle's guid is its object id.
 */
import type { Attachment } from '../../handles/attachment.ts';
import { plainRules } from '../../handles/command-rules.ts';
import type { SessionTap } from '../../handles/observe-session.ts';
import type { Params, RemoteObject } from '../../handles/protocol.ts';
import { queueMicrotask } from '../../timers.ts';
import { noActions } from './hooked-session.ts';

import { type ChannelOwner, type ClientConnection, type HandleOwner, isHandleType } from './structure.ts';
import type { HandleKeeper, WeakHandle } from './weak-handle.ts';

export class DistantKeeper implements HandleKeeper {
  readonly #attachment: Attachment;
  readonly #connection: ClientConnection;
  readonly #tap: SessionTap;
  /** The objects that the ledger watches in place of the handles. Each lives as long as its handle. */
  readonly #remoteObjects = new WeakMap<ChannelOwner, RemoteObject>();
  /** Guids of handles that are made again only to dispose of them: these are not entered in the ledger. */
  readonly #releasing = new Set<string>();

  constructor(attachment: Attachment, connection: ClientConnection) {
    this.#attachment = attachment;
    this.#connection = connection;
    this.#tap = attachment.open(
      { send: (method, params) => this.#send(method, params) },
      // Not ordered, so that nothing is moved.
      { isOrdered: false, actions: noActions, tracks: true, createRules: () => plainRules },
    );
  }

  /** Enters a handle, but no argument of a console message: Playwright keeps those, and may hand them out until their page ends. */
  delivered({ guid, isConsoleArgument }: WeakHandle, owner: ChannelOwner): void {
    if (isConsoleArgument || this.#releasing.has(guid)) return;
    const remoteObject = { type: 'object', objectId: guid };
    this.#remoteObjects.set(owner, remoteObject);
    this.#tap.mint(remoteObject, undefined, 0, undefined, false);
  }

  /** Nothing to do: the ledger's own registry sees the collection. */
  collected(): boolean {
    return true;
  }

  /** `undefined`: the script's own `dispose()` is sent as usual. */
  dispose(): undefined {}

  ended({ guid }: WeakHandle): void {
    if (this.#attachment.detached) return; // The handle lives on, kept by Playwright alone.
    const record = this.#tap.ledger.find(guid);
    if (record !== undefined) this.#tap.ledger.drop(record, 'disposed');
  }

  over(): void {
    // Later: `over` is called in the middle of the close itself.
    queueMicrotask(() => {
      this.#attachment.end(this.#tap);
      this.#attachment.detachForAll();
    });
  }

  async #send(method: string, params: Params | undefined): Promise<unknown> {
    if (method !== 'Runtime.releaseObject') throw new Error(`${method} is out of reach`);
    const guid = String(params?.objectId);
    this.#releasing.add(guid);
    try {
      const owner = this.#connection._objects.get(guid);
      // A handle that is gone was disposed of, or has ended with its page.
      if (owner !== undefined && isHandleType(owner._type)) await (owner as HandleOwner).dispose();
      return {};
    } finally {
      this.#releasing.delete(guid);
    }
  }
}
