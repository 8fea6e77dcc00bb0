/**
 * The ceiling of what release by release can reach for a client that speaks through Puppeteer's own connection, which
 * writes each command to the socket by itself and parses each answer: nothing is kept of a command but its number.
 */
import type { CdpSessionLike } from '../../../clients/puppeteer/structure.ts';
import type { DrivenPage, Outcome } from '../sampling/driven-page.ts';
import type { CountableConnection } from '../sampling/puppeteer-structure.ts';
import { mintIds } from './bare-websocket.ts';

/** Not public in Puppeteer, any of them. */
interface CountableSession extends CdpSessionLike {
  onMessage(reply: { readonly id?: number }): void;
}
interface NumberingConnection extends CountableConnection {
  readonly _idGenerator: () => number;
}

export async function releaseByConnection(driven: DrivenPage, count: number): Promise<Outcome> {
  const session = driven.page._client() as CountableSession;
  const connection = session.connection() as NumberingConnection;
  const send = <Result>(method: string, params: object): Promise<Result> =>
    session.send(method, { ...params }) as Promise<Result>;
  const ids = await mintIds(send, count);

  let replies = 0;
  const { onMessage } = session;
  const answered = new Promise<void>((resolve) => {
    session.onMessage = (reply) => {
      if (reply.id === undefined) onMessage.call(session, reply);
      else if (++replies === ids.length) resolve();
    };
  });
  const callbacks = {
    create: (_method: string, _timeoutMs: number, sendAs: (id: number) => void) =>
      sendAs(connection._idGenerator()),
  };
  driven.start();
  for (const objectId of ids) {
    void connection._rawSend(callbacks, 'Runtime.releaseObject', { objectId }, session.id(), { timeout: 0 });
  }
  await answered;
  await driven.stop();
  Reflect.deleteProperty(session, 'onMessage');
  return { handles: count, mustLetGo: true };
}
