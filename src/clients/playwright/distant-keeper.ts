/**
 * What becomes of the client half's handles where the server half is in another process, behind `connect()`: there is no
 * session of the browser's to be had, so a handle that the script has forgotten is disposed of by its own public
 * `dispose()`. What Playwright's server leaves in the page by itself is out of reach.
 *
 * The connection is told to the books as a session whose object ids are the handles' guids.
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
  /** What the books watch in a handle's place: it lives as long as the handle. */
  readonly #remoteObjects = new WeakMap<ChannelOwner, RemoteObject>();
  /** Made again only to be disposed of. */
  readonly #releasing = new Set<string>();

  constructor(attachment: Attachment, connection: ClientConnection) {
    this.#attachment = attachment;
    this.#connection = connection;
    this.#tap = attachment.open(
      { send: (method, params) => this.#send(method, params) },
      // In no order, so that nothing is moved.
      { isOrdered: false, actions: noActions, tracks: true, createRules: () => plainRules },
    );
  }

  /** Playwright keeps the arguments of console messages, and may hand them out again: they end with their page. */
  delivered({ guid, isConsoleArgument }: WeakHandle, owner: ChannelOwner): void {
    if (isConsoleArgument || this.#releasing.has(guid)) return;
    const remoteObject = { type: 'object', objectId: guid };
    this.#remoteObjects.set(owner, remoteObject);
    this.#tap.mint(remoteObject, undefined, 0, undefined, false);
  }

  /** The books find out by themselves. */
  collected(): boolean {
    return true;
  }

  /** The program's own goes its usual way. */
  dispose(): undefined {}

  ended({ guid }: WeakHandle): void {
    if (this.#attachment.detached) return; // It lives on, as Playwright's own.
    const record = this.#tap.ledger.find(guid);
    if (record !== undefined) this.#tap.ledger.drop(record, 'disposed');
  }

  over(): void {
    // Not now: it is told in the midst of what ends it.
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
      // One that is gone has been disposed of, or has ended with its page.
      if (owner !== undefined && isHandleType(owner._type)) await (owner as HandleOwner).dispose();
      return {};
    } finally {
      this.#releasing.delete(guid);
    }
  }
}
