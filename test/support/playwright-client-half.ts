/**
 * The client half of Playwright as far as handles are concerned: a connection, its objects by guid, and messages from a
 * server half that a test plays. Nothing here holds a handle but these maps, so that a test sees what else does.
 */
import type {
  Call,
  ChannelOwner,
  ClientConnection,
  ServerMessage,
} from '../../src/clients/playwright/structure.ts';

export class FakeOwner implements ChannelOwner {
  readonly _guid: string;
  readonly _type: string;
  readonly _parent: ChannelOwner | undefined;
  readonly _connection: ClientConnection;
  readonly _opener: ChannelOwner | undefined;
  readonly _objects: Map<string, ChannelOwner> = new Map();
  /** Why it was disposed of; `undefined` while it was not. */
  disposedFor: string | undefined;
  preview: unknown;

  constructor(connection: ClientConnection, parent: ChannelOwner | undefined, type: string, guid: string) {
    this._connection = connection;
    this._parent = parent;
    this._type = type;
    this._guid = guid;
    connection._objects.set(guid, this);
    parent?._objects.set(guid, this);
  }

  _dispose(reason: string = ''): void {
    this.disposedFor = reason;
    this._parent?._objects.delete(this._guid);
    this._connection._objects.delete(this._guid);
    for (const child of this._objects.values()) child._dispose(reason);
    this._objects.clear();
  }
}

export class FakeClientHalf implements ClientConnection {
  _objects: Map<string, ChannelOwner> = new Map();
  _closedError: unknown;
  _tracingCount = 0;
  /** Messages that have left for the server half. */
  readonly sent: Call[] = [];
  /** How often an object was made, by guid. */
  readonly made: Map<string, number> = new Map();

  onmessage: (call: Call) => unknown = (call) => {
    this.sent.push(call);
  };

  dispatch({ id, guid, method, params, result }: ServerMessage): void {
    if (id !== undefined) {
      // What is done with it is the caller's affair, who has it from the table as Playwright has.
      for (const named of guidsIn(result)) this.given.push(new WeakRef(this.#find(named)));
      return;
    }
    const object = this.#find(guid);
    if (method === '__create__') {
      const { type, guid: own, initializer } = params as unknown as Creation;
      const owner = new FakeOwner(this, object, type, own);
      owner.preview = initializer?.preview;
      this.made.set(own, (this.made.get(own) ?? 0) + 1);
    } else if (method === '__dispose__') object._dispose(params?.reason as string | undefined);
    else if (object instanceof FakeOwner) object.preview = params?.preview;
  }

  /** What answers have handed to the script. */
  readonly given: WeakRef<ChannelOwner>[] = [];

  /** Is answered in the next job. */
  async sendMessageToServer(object: ChannelOwner, method: string): Promise<unknown> {
    const id = this.sent.length + 1_000;
    this.onmessage({ id, guid: object._guid, method });
    await Promise.resolve();
    this.dispatch({ id, guid: '', method: '', result: {} });
    return 'sent';
  }

  close(): void {
    this._closedError = new Error('closed');
  }

  #find(guid: string): ChannelOwner {
    const object = this._objects.get(guid);
    if (object === undefined) throw new Error(`Cannot find ${guid}`);
    return object;
  }
}

interface Creation {
  readonly type: string;
  readonly guid: string;
  readonly initializer?: { readonly preview?: unknown };
}

function guidsIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === 'guid' && typeof member === 'string' ? [member] : guidsIn(member),
  );
}
