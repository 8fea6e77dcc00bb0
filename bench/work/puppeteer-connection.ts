/**
 * The ceiling of what release by release can reach for a client that speaks through Puppeteer's own connection, which
 * writes each command to the socket by itself and parses each answer: nothing is kept of a command but its number. All at
 * once, or with no more under way than the library has, so that a script's own command need not wait for thousands.
 */
import { setImmediate as macrotask } from 'node:timers/promises';
import type { CdpSessionLike } from '../../src/clients/puppeteer/structure.ts';
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

/** Answers after which more is sent, where there is a limit. */
const BATCH = 64;

export function releaseByConnection(
  mostUnderWay: number = Number.POSITIVE_INFINITY,
): (driven: DrivenPage, count: number) => Promise<Outcome> {
  return (driven, count) => release(driven, count, mostUnderWay);
}

async function release(driven: DrivenPage, count: number, mostUnderWay: number): Promise<Outcome> {
  const session = driven.page._client() as CountableSession;
  const connection = session.connection() as NumberingConnection;
  const send = <Result>(method: string, params: object): Promise<Result> =>
    session.send(method, { ...params }) as Promise<Result>;
  const ids = await mintIds(send, count);

  let replies = 0;
  let sent = 0;
  let noteReplies = (): void => {};
  const { onMessage } = session;
  session.onMessage = (reply) => {
    if (reply.id === undefined) onMessage.call(session, reply);
    else if (++replies === sent || replies % BATCH === 0) noteReplies();
  };
  const callbacks = {
    create: (_method: string, _timeoutMs: number, sendAs: (id: number) => void) =>
      sendAs(connection._idGenerator()),
  };
  const sendNext = (): void => {
    const params = { objectId: ids[sent++] };
    void connection._rawSend(callbacks, 'Runtime.releaseObject', params, session.id(), { timeout: 0 });
  };
  driven.start();
  while (replies < ids.length) {
    const free = Math.min(ids.length - sent, mostUnderWay - (sent - replies));
    for (let left = free; left > 0; left--) sendNext();
    await new Promise<void>((resolve) => {
      noteReplies = resolve;
    });
    if (sent < ids.length) await macrotask();
  }
  await driven.stop();
  Reflect.deleteProperty(session, 'onMessage');
  return { handles: count, mustLetGo: true };
}
