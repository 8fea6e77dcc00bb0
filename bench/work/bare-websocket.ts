/** The ceiling of what release by release can reach: prebuilt frames on a bare WebSocket, replies counted and not read. */

import { importPackage } from '../../src/cli/load-package.ts';
import type { DrivenPage, Outcome } from '../sampling/driven-page.ts';

interface WebSocketLike {
  on(event: 'message', listener: (data: { toString(): string }) => void): unknown;
  once(event: 'open' | 'error', listener: (error?: Error) => void): unknown;
  send(data: string): void;
  close(): void;
  readonly _socket: { cork(): void; uncork(): void };
}
type WebSocketConstructor = new (url: string, options: object) => WebSocketLike;

class BareSession {
  readonly #socket: WebSocketLike;
  #sessionId = '';
  #lastId = 0;
  #onReply: (data: { toString(): string }) => void = () => {};

  private constructor(socket: WebSocketLike) {
    this.#socket = socket;
    socket.on('message', (data) => this.#onReply(data));
  }

  static async open(driven: DrivenPage): Promise<BareSession> {
    const WebSocket = await importPackage<WebSocketConstructor>('ws');
    const socket = new WebSocket(driven.browser.wsEndpoint(), {
      perMessageDeflate: false,
      skipUTF8Validation: true,
      maxPayload: 2 ** 28,
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve());
      socket.once('error', reject);
    });
    const session = new BareSession(socket);
    const { sessionId } = await session.send<{ sessionId: string }>('Target.attachToTarget', {
      targetId: await driven.targetId(),
      flatten: true,
    });
    session.#sessionId = sessionId;
    return session;
  }

  send<Result>(method: string, params: object): Promise<Result> {
    const id = ++this.#lastId;
    const session = this.#sessionId === '' ? {} : { sessionId: this.#sessionId };
    return new Promise((resolve, reject) => {
      this.#onReply = (data) => {
        const message = JSON.parse(data.toString());
        if (message.id !== id) return;
        if (message.error) reject(new Error(`${method}: ${message.error.message}`));
        else resolve(message.result);
      };
      this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    });
  }

  /** Sends frames built beforehand, and resolves when as many replies have come. */
  async burst(frames: readonly string[], framesPerWrite: number): Promise<void> {
    let replies = 0;
    const answered = new Promise<void>((resolve) => {
      this.#onReply = () => {
        if (++replies === frames.length) resolve();
      };
    });
    for (let index = 0; index < frames.length; index += framesPerWrite) {
      this.#socket._socket.cork();
      for (const frame of frames.slice(index, index + framesPerWrite)) this.#socket.send(frame);
      this.#socket._socket.uncork();
    }
    await answered;
  }

  releaseFrame(objectId: string): string {
    const [id, sessionId] = [++this.#lastId, this.#sessionId];
    return JSON.stringify({ id, method: 'Runtime.releaseObject', params: { objectId }, sessionId });
  }

  close(): void {
    this.#socket.close();
  }
}

/** @param framesPerWrite how many frames one system call writes to the socket: a client that sends one by one has 1. */
export function releaseByFrames(
  framesPerWrite: number,
): (driven: DrivenPage, count: number) => Promise<Outcome> {
  return async (driven: DrivenPage, count: number): Promise<Outcome> => {
    const session = await BareSession.open(driven);
    const ids = await mintIds((method, params) => session.send(method, params), count);
    const frames = ids.map((id) => session.releaseFrame(id));
    driven.start();
    await session.burst(frames, framesPerWrite);
    await driven.stop();
    session.close();
    return { handles: count, commands: count, mustLetGo: true };
  };
}

/** The floor of what a release can cost. */
export async function releaseByGroup(driven: DrivenPage, count: number): Promise<Outcome> {
  const session = await BareSession.open(driven);
  await mintIds((method, params) => session.send(method, params), count);
  driven.start();
  await session.send('Runtime.releaseObjectGroup', { objectGroup: GROUP });
  await driven.stop();
  session.close();
  return { handles: count, commands: 1, mustLetGo: true };
}

const GROUP = 'bench';

/** Makes objects and gives their ids, all in one group. */
export async function mintIds(send: Send, count: number): Promise<string[]> {
  const objects = await mintObjects(send, count, { objectGroup: GROUP });
  return objects.map(({ objectId }) => objectId);
}

/** Sends a command of a session. */
export type Send = <Result>(method: string, params: object) => Promise<Result>;

/** The protocol's RemoteObject. */
export interface MintedObject {
  readonly objectId: string;
}

/** Makes objects and gives them as they came, in whichever group they are bound to without one asked for. */
export async function mintObjects(send: Send, count: number, params: object = {}): Promise<MintedObject[]> {
  const { result: array } = await send<{ result: MintedObject }>('Runtime.evaluate', {
    expression: `Array.from({ length: ${count} }, () => makeCounted(0))`,
    ...params,
  });
  const { result: properties } = await send<{ result: { value?: Partial<MintedObject> }[] }>(
    'Runtime.getProperties',
    { objectId: array.objectId, ownProperties: true },
  );
  await send('Runtime.releaseObject', { objectId: array.objectId });
  return properties.flatMap(({ value }) => (value?.objectId ? [value as MintedObject] : []));
}
