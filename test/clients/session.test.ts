/** Anything with `send` and `on`: here a few lines around a raw WebSocket. */
import { onTestFinished } from 'vitest';
import { attach } from '../../src/clients/session.ts';
import { launchChromium } from '../support/chromium.ts';
import { BareConnection } from './bare-connection.ts';
import { conform, type SessionUnderTest } from './conformance.ts';
import { runForEver } from './remote-interface.ts';

const browser = await launchChromium();

async function openPage(targetType: string): Promise<SessionUnderTest> {
  const connection = await BareConnection.open(browser.wsEndpoint());
  onTestFinished(() => connection.close());
  const root = connection.session();
  const created = await root.send('Target.createTarget', { url: 'about:blank' });
  const { targetId } = created as { targetId: string };
  const attached = await root.send('Target.attachToTarget', { targetId, flatten: true });
  const session = connection.session((attached as { sessionId: string }).sessionId);
  return {
    attach: (options) => attach(session, { ...options, targetType }),
    send: (method, params) => session.send(method, params),
    release: (objectId) => session.send('Runtime.releaseObject', { objectId }),
    sender: session,
    hang: () => runForEver((method, params) => session.send(method, params)),
    lose: () => root.send('Target.closeTarget', { targetId }),
    belongings: [session],
  };
}

for (const targetType of ['page', 'other']) {
  conform({
    name: `a bare WebSocket, target type '${targetType}'`,
    open: async () => [await openPage(targetType), await openPage(targetType)],
  });
}
