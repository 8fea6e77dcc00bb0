// A proxy between a client and a real browser that does to their messages what networks, crashes and bugs do. It is
// reached by `puppeteer.connect({ browserWSEndpoint: proxy.endpoint })`, over loopback, and closes with the test.
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { Passage } from './passage.ts';
import { type Matcher, type Refusal, refusalTo, type WireMessage, WireReader } from './wire.ts';

/** Large enough for any message of a browser's. */
const MAX_PAYLOAD = 256 * 2 ** 20;

interface Link {
  readonly client: WebSocket;
  readonly clientSocket: Socket;
  readonly browser: WebSocket;
}

export class FaultProxy implements AsyncDisposable {
  readonly toBrowser: Passage = new Passage((text) => this.#write('browser', text));
  readonly toClient: Passage = new Passage((text) => this.#write('client', text));
  /** What came from the client, in order of arrival, whatever became of it. */
  readonly commands: WireMessage[] = [];
  readonly #server: WebSocketServer;
  readonly #browserEndpoint: string;
  #link: Link | undefined;

  private constructor(server: WebSocketServer, browserEndpoint: string) {
    this.#server = server;
    this.#browserEndpoint = browserEndpoint;
    server.on('connection', (client, { socket }) => void this.#connect(client, socket));
  }

  static async open(browserEndpoint: string): Promise<FaultProxy> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: MAX_PAYLOAD });
    await once(server, 'listening');
    return new FaultProxy(server, browserEndpoint);
  }

  get endpoint(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Answers commands in the browser's stead, which never sees them. */
  refuse(matches: Matcher, refusal: Refusal): Disposable {
    return this.toBrowser.treat(matches, (command) => {
      this.#write('client', refusalTo(command, refusal));
      return [];
    });
  }

  /** Nothing of a session passes any more, either way; what was held passes when the silence ends. */
  silence(sessionId: string): Disposable {
    const isOfSession: Matcher = (message) => message.sessionId === sessionId;
    const holds = [this.toBrowser.hold(isOfSession), this.toClient.hold(isOfSession)];
    return {
      [Symbol.dispose]: () => {
        for (const hold of holds) hold[Symbol.dispose]();
      },
    };
  }

  /** Breaks the client's connection off in the middle of a frame. */
  closeInMidFrame(): void {
    const { clientSocket } = this.#linked();
    // A final text frame of 1,000 bytes (RFC 6455, 5.2), of which few come.
    clientSocket.write(Buffer.from([0x81, 126, 1_000 >> 8, 1_000 & 0xff, ...Buffer.from('{"id":1,"res')]));
    clientSocket.end();
    setImmediate(() => clientSocket.destroy());
  }

  /** Breaks both connections off, without a word. */
  sever(): void {
    const { client, browser } = this.#linked();
    client.terminate();
    browser.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#link?.client.terminate();
    this.#link?.browser.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #connect(client: WebSocket, clientSocket: Socket): Promise<void> {
    const browser = new WebSocket(this.#browserEndpoint, {
      maxPayload: MAX_PAYLOAD,
      perMessageDeflate: false,
    });
    this.#link = { client, clientSocket, browser };
    const reader = new WireReader();
    const early: WireMessage[] = [];
    client.on('message', (data) => {
      const command = reader.read(String(data));
      this.commands.push(command);
      if (browser.readyState === WebSocket.CONNECTING) early.push(command);
      else this.toBrowser.take(command);
    });
    browser.on('message', (data) => this.toClient.take(reader.read(String(data))));
    for (const [one, other] of [
      [client, browser],
      [browser, client],
    ] as const) {
      one.on('close', () => other.terminate());
      one.on('error', () => other.terminate()); // It is broken off by design.
    }
    browser.on('open', () => {
      for (const command of early) this.toBrowser.take(command);
    });
  }

  #write(side: 'client' | 'browser', text: string): void {
    const socket = this.#link?.[side];
    if (socket?.readyState === WebSocket.OPEN) socket.send(text);
  }

  #linked(): Link {
    if (this.#link === undefined) throw new Error('nobody has connected to the proxy');
    return this.#link;
  }
}

/** Releases of a session's, or of all. */
export function releases(sessionId?: string): Matcher {
  return (message) =>
    message.method.startsWith('Runtime.releaseObject') &&
    (sessionId === undefined || message.sessionId === sessionId);
}
