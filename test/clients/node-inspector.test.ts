/** Node's own inspector: a real V8 and the real protocol, without a browser. */
import { Session } from 'node:inspector';
import { Session as PromisesSession } from 'node:inspector/promises';
import { onTestFinished } from 'vitest';
import { attach } from '../../src/clients/node-inspector.ts';
import { conform, type Params, type SessionUnderTest } from './conformance.ts';

function underTest(session: Session | PromisesSession): SessionUnderTest {
  session.connect();
  onTestFinished(() => session.disconnect());
  const send = (method: string, params?: Params): Promise<unknown> =>
    session instanceof PromisesSession
      ? session.post(method, params)
      : new Promise((resolve, reject) => {
          session.post(method, params, (error: Error | null, result) =>
            error ? reject(error) : resolve(result),
          );
        });
  return {
    attach: (options) => attach(session, options),
    send,
    release: (objectId) => send('Runtime.releaseObject', { objectId }),
    sender: { send },
    lose: async () => session.disconnect(),
    belongings: [session],
  };
}

const neverHangs = 'it answers within the call that asks';
conform({
  name: 'node:inspector',
  open: async () => [underTest(new Session()), underTest(new Session())],
  neverHangs,
});
conform({
  name: 'node:inspector/promises',
  open: async () => [underTest(new PromisesSession()), underTest(new PromisesSession())],
  neverHangs,
});
