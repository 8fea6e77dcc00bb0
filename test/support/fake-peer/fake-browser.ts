/**
 * The fake peer behind a real WebSocket, on loopback and a port of the system's choice: enough of the
 * `Browser` and `Target` domains for `puppeteer.connect({ browserWSEndpoint: browser.url })` to find the
 * peer's pages, and for a raw client to attach to them. Sessions are flat.
 */
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { FakePeer } from '../fake-peer.ts';
import type { FakeTarget } from './fake-target.ts';
import type { Frame, PeerSession } from './peer-session.ts';
import {
  type Command,
  isReply,
  type Message,
  methodNotFound,
  type Params,
  ProtocolFault,
  serverFault,
  sessionNotFound,
} from './protocol.ts';

export class FakeBrowser implements AsyncDisposable {
  readonly url: string;
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer, peer: FakePeer) {
    this.#server = server;
    this.url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on('connection', (socket) => new Connection(peer, socket));
  }

  static async listen(peer: FakePeer): Promise<FakeBrowser> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => server.once('listening', resolve));
    return new FakeBrowser(server, peer);
  }

  /** Cuts every connection without a goodbye, as a browser that dies does. */
  cut(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

class Connection {
  readonly #peer: FakePeer;
  readonly #socket: WebSocket;
  readonly #sessions = new Map<string, PeerSession>();
  /** Tab sessions: Puppeteer attaches to a page through the tab around it. */
  readonly #tabs = new Map<string, FakeTarget>();

  constructor(peer: FakePeer, socket: WebSocket) {
    this.#peer = peer;
    this.#socket = socket;
    socket.on('message', (data) => this.#take(String(data)));
    socket.on('close', () => {
      for (const session of this.#sessions.values()) session.end();
    });
  }

  #take(text: string): void {
    const frame: Frame & { readonly sessionId?: string } = JSON.parse(text);
    const session = this.#sessions.get(frame.sessionId ?? '');
    if (session) session.take(frame);
    else this.#takeOwn({ ...frame, sessionId: frame.sessionId, params: frame.params ?? {} });
  }

  /** A command to the browser, to a tab, or to a session that is not there. */
  #takeOwn(command: Command): void {
    this.#peer.commands.push(command);
    this.#peer.inbound.pass(command, (passed) => this.#run(passed));
  }

  #run(command: Command): void {
    const { id, sessionId } = command;
    try {
      this.#send({ id, sessionId, command, result: this.#execute(command) });
    } catch (error) {
      if (!(error instanceof ProtocolFault)) throw error;
      this.#send({ id, sessionId: undefined, command, error: error.reply });
    }
  }

  #send(message: Message): void {
    this.#peer.outbound.pass(message, (passed) => this.#write(passed));
  }

  #write(message: Message): void {
    // Which command a reply answers is for fences only; a browser says no more than its number.
    const { command: _, ...onTheWire } = isReply(message) ? message : { ...message, command: undefined };
    this.#socket.send(JSON.stringify(onTheWire));
  }

  #execute({ sessionId, method, params }: Command): object {
    if (sessionId !== undefined) return this.#executeOnTab(sessionId, method);
    switch (method) {
      case 'Browser.getVersion':
        return {
          protocolVersion: '1.3',
          product: 'FakePeer/1.0',
          userAgent: 'FakePeer',
          revision: '',
          jsVersion: '',
        };
      case 'Target.getBrowserContexts':
        return { browserContextIds: [], defaultBrowserContextId: 'default' };
      case 'Target.setDiscoverTargets':
        for (const target of this.#peer.targets) this.#announce(target);
        return {};
      case 'Target.setAutoAttach':
        for (const target of this.#peer.targets) this.#attachToTab(target);
        return {};
      case 'Target.attachToTarget':
        return { sessionId: this.#attach(this.#find(params), undefined) };
      case 'Target.detachFromTarget':
        this.#sessions.get(String(params.sessionId))?.end();
        return {};
      case 'Target.closeTarget':
        this.#close(this.#find(params));
        return { success: true };
      default:
        throw methodNotFound(method);
    }
  }

  #executeOnTab(sessionId: string, method: string): object {
    const target = this.#tabs.get(sessionId);
    if (!target) throw sessionNotFound();
    if (method === 'Target.setAutoAttach') this.#attach(target, sessionId);
    return {};
  }

  #announce(target: FakeTarget): void {
    for (const targetInfo of [tabInfo(target), targetInfoOf(target)])
      this.#emit('Target.targetCreated', { targetInfo });
  }

  #attachToTab(target: FakeTarget): void {
    const sessionId = `tab-${target.id}`;
    this.#tabs.set(sessionId, target);
    this.#emit('Target.attachedToTarget', {
      sessionId,
      targetInfo: tabInfo(target),
      waitingForDebugger: false,
    });
  }

  /** Opens a session; its attachment is reported to the session through which it came about. */
  #attach(target: FakeTarget, parentSessionId: string | undefined): string {
    const session = this.#peer.openSession(target, {
      receive: (message) => this.#write(message),
      ended: () => {
        this.#sessions.delete(session.id);
        const params = { sessionId: session.id, targetId: target.id };
        if (this.#socket.readyState === this.#socket.OPEN) {
          this.#emit('Target.detachedFromTarget', params, parentSessionId);
        }
      },
    });
    this.#sessions.set(session.id, session);
    const params = { sessionId: session.id, targetInfo: targetInfoOf(target), waitingForDebugger: false };
    this.#emit('Target.attachedToTarget', params, parentSessionId);
    return session.id;
  }

  #close(target: FakeTarget): void {
    this.#peer.targets.delete(target);
    target.close();
    this.#tabs.delete(`tab-${target.id}`);
    this.#emit('Target.detachedFromTarget', {
      sessionId: `tab-${target.id}`,
      targetId: tabInfo(target).targetId,
    });
    for (const { targetId } of [targetInfoOf(target), tabInfo(target)])
      this.#emit('Target.targetDestroyed', { targetId });
  }

  #find(params: Params): FakeTarget {
    for (const target of this.#peer.targets) if (target.id === params.targetId) return target;
    throw serverFault('No target with given id found');
  }

  #emit(method: string, params: Params, sessionId?: string): void {
    this.#send({ sessionId, method, params });
  }
}

interface TargetInfo {
  readonly targetId: string;
  readonly type: string;
  readonly title: string;
  readonly url: string;
  readonly attached: boolean;
  readonly canAccessOpener: boolean;
  readonly browserContextId: string;
}

function targetInfoOf(target: FakeTarget): TargetInfo {
  const common = {
    title: '',
    url: 'about:blank',
    attached: true,
    canAccessOpener: false,
    browserContextId: 'default',
  };
  return { ...common, targetId: target.id, type: target.kind };
}

function tabInfo(target: FakeTarget): TargetInfo {
  return { ...targetInfoOf(target), targetId: `tab-${target.id}`, type: 'tab' };
}
