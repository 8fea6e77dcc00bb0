/** Anything with `send` and `on`: here a few lines around a raw WebSocket. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { attach } from '../../src/clients/session.ts';
import { launchChromium } from '../support/chromium.ts';
import { FakePeer } from '../support/fake-peer.ts';
import { sized } from '../support/sized.ts';
import { BareConnection } from './bare-connection.ts';
import { conform, each, plainSession, type SessionUnderTest } from './conformance.ts';

const browser = await launchChromium();

async function openPage(targetType: string): Promise<SessionUnderTest> {
  const connection = await BareConnection.open(browser.wsEndpoint());
  onTestFinished(() => connection.close());
  const root = connection.session();
  const created = await root.send('Target.createTarget', { url: 'about:blank' });
  const { targetId } = created as { targetId: string };
  const attached = await root.send('Target.attachToTarget', { targetId, flatten: true });
  const session = connection.session((attached as { sessionId: string }).sessionId);
  return plainSession((method, params) => session.send(method, params), {
    attach: (options) => attach(session, { ...options, targetType }),
    lose: () => root.send('Target.closeTarget', { targetId }),
    belongings: [session],
  });
}

for (const targetType of sized(['page'], ['other'])) {
  conform({
    name: `a bare WebSocket, target type '${targetType}'`,
    open: each(() => openPage(targetType)),
  });
}

describe('any object with send and on', () => {
  it('may have its survivors moved only where its target is known to keep order', async () => {
    for (const targetType of ['page', 'worker']) {
      const session = new FakePeer().attach();
      const releases = attach(session, { track: true, targetType });
      const answers = Array.from({ length: 40 }, () =>
        session.send('Runtime.evaluate', { expression: '({})' }),
      );
      const objects = (await Promise.all(answers)) as { result: { objectId: string } }[];
      const before = objects[0]?.result.objectId;
      for (const { result } of objects.slice(1)) await session.send('Runtime.releaseObject', { ...result });
      expect(await releases.flush()).toMatchObject({ complete: true, released: 39 });
      const isMoved = targetType === 'page';
      expect(releases.stats().moved).toBe(isMoved ? 1 : 0);
      expect(objects[0]?.result.objectId !== before, 'the id is rewritten in the RemoteObject').toBe(isMoved);
      releases.detach();
    }
  });

  it('is released of its objects again when its page has crashed and was loaded anew', async () => {
    const session = new FakePeer().attach();
    using releases = attach(session, { track: true });
    session.emit('Inspector.targetCrashed', {});
    session.emit('Inspector.targetReloadedAfterCrash', {});
    const { result } = (await session.send('Runtime.evaluate', { expression: '({})' })) as {
      result: { objectId: string };
    };
    await session.send('Runtime.releaseObject', { ...result });
    expect(await releases.flush()).toMatchObject({ complete: true });
    expect(releases.stats()).toMatchObject({ released: 1, gone: 0 });
    expect(session.peer.store.alive()).toEqual([]);
  });

  it('need not be able to take a listener away: what stays does nothing', async () => {
    const listeners: ((params: unknown) => void)[] = [];
    const session = {
      send: async () => ({}),
      on: (event: string, listener: (params: unknown) => void) => {
        if (event === 'Runtime.consoleAPICalled') listeners.push(listener);
      },
    };
    const releases = attach(session, { track: true });
    const event = () => ({ args: [{ type: 'object', objectId: '1.1.1' }] });
    for (const listener of listeners) listener(event());
    expect(releases.stats().minted).toBe(1);
    releases.detach();
    for (const listener of listeners) listener(event());
    expect(releases.stats().minted).toBe(1);
    expect(listeners).toHaveLength(1);
  });

  it('gets what else its send was given', async () => {
    const sent: unknown[][] = [];
    const session = { send: async (...args: unknown[]) => void sent.push(args), on: () => {} };
    using _ = attach(session, { track: true });
    await session.send('Page.enable', undefined, 'session', { timeout: 1 });
    expect(sent).toEqual([['Page.enable', undefined, 'session', { timeout: 1 }]]);
  });

  it('is refused without them', () => {
    for (const wrong of [undefined, null, 1, {}, { send: () => {} }, { on: () => {} }]) {
      expect(() => attach(wrong as never)).toThrow(/expected an object with send and on/);
    }
  });
});
