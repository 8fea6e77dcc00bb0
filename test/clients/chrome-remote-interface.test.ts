/** chrome-remote-interface, against Chromium and against `node --inspect`. */
import type { EventEmitter } from 'node:events';
import type { Client, Command } from 'chrome-remote-interface';
import { describe, expect, it } from 'vitest';
import { attach } from '../../src/clients/chrome-remote-interface.ts';
import { launchChromium } from '../support/chromium.ts';
import { collectUntil } from '../support/collect-until.ts';
import { givenBack } from '../support/given-back.ts';
import { sized } from '../support/sized.ts';
import { attached, conform, each, idsOf, mint, type SessionUnderTest } from './conformance.ts';
import { connect, flatSession, openDirectly, openNode } from './remote-interface.ts';

const browser = await launchChromium();

conform({
  name: 'chrome-remote-interface, flat sessions of one client',
  async open(count) {
    const client = await connect(browser.wsEndpoint());
    return each(() => flatSession(client))(count);
  },
});
// Callbacks by themselves are seen below.
const byCallbacks = {
  name: 'chrome-remote-interface, a page each, by callbacks',
  open: each(() => openDirectly(browser)),
};
for (const client of sized([], [byCallbacks])) conform(client);
conform({
  name: 'chrome-remote-interface, node --inspect',
  open: each(openNode),
});

describe('a client of chrome-remote-interface', () => {
  it('has its releases batched in whichever form they are called', async () => {
    const { client, sessionId, session } = await open();
    const releases = attached(session, { track: false });
    const ids = idsOf(await mint(session, 6)).map((objectId) => ({ objectId }));
    const heard: unknown[][] = [];
    const callback = (...answer: unknown[]): void => void heard.push(answer);
    const generated = client['Runtime.releaseObject'] as Command;

    const given = [
      client.Runtime.releaseObject?.(ids[0], sessionId),
      generated(ids[1], sessionId),
      client.send('Runtime.releaseObject', sessionId, ids[2]),
      client.Runtime.releaseObject?.(ids[3], sessionId, callback),
      client.send('Runtime.releaseObject', ids[4], sessionId, callback),
      client.send('Runtime.releaseObject', callback, sessionId, ids[5]),
    ];
    expect(given.slice(3), 'a callback form gives nothing').toEqual([undefined, undefined, undefined]);
    expect(heard, 'no callback comes within the call').toEqual([]);
    expect(await Promise.all(given.slice(0, 3))).toEqual([{}, {}, {}]);
    await expect.poll(() => heard).toEqual(Array(3).fill([false, {}]));
    expect(await releases.flush()).toMatchObject({ complete: true });
    expect(releases.stats()).toMatchObject({ minted: 6, disposed: 6, released: 6 });
  });

  it('gives callbacks what it would have, errors included, in the turn in which they come', async () => {
    const { client, sessionId, session } = await open();
    const wrong = { objectId: 'no id' };
    const ask = (): Promise<unknown[]> =>
      new Promise((resolve) => {
        client.Runtime.getProperties?.(wrong, sessionId, (...answer) => resolve(answer));
      });
    const plain = await ask();
    attached(session, { track: true });
    expect(await ask()).toEqual(plain);
    expect(plain).toMatchObject([true, { message: 'Invalid remote object id' }]);

    // `ready` is emitted right after the callback of the last command that was waited for.
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      client.once('ready', () => {
        order.push('ready');
        resolve();
      });
      client.send('Runtime.evaluate', { expression: '({})' }, sessionId, () => order.push('callback'));
    });
    expect(order).toEqual(['callback', 'ready']);
  });

  it('has each event noted once, though it is emitted thrice', async () => {
    const { client, sessionId, session } = await open();
    const releases = attached(session, { track: true });
    const heard: string[] = [];
    const names = ['event', 'Runtime.consoleAPICalled', `Runtime.consoleAPICalled.${sessionId}`];
    await client.Runtime.enable?.({}, sessionId);
    for (const name of names) client.once(name, () => heard.push(name));
    await client.Runtime.evaluate?.({ expression: 'console.log({}, {}, {})' }, sessionId);
    await expect.poll(() => heard).toEqual(names);
    expect(releases.stats().minted).toBe(3);
    await collectUntil(() => releases.stats().live === 0);
    expect(await releases.flush()).toMatchObject({ complete: true });
  });

  it('keeps few replies waited for at a time: for each it counts them all', async () => {
    const { client, session } = await open();
    const releases = attached(session, { track: false });
    const ids = idsOf(await mint(session, 2_000));
    const callbacks = (): number => Object.keys(client._callbacks as object).length;
    let most = 0;
    const socket = client._ws as EventEmitter;
    const look = (): void => {
      most = Math.max(most, callbacks());
    };
    socket.prependListener('message', look);
    await Promise.all(ids.map((id) => session.release(id)));
    expect(await releases.flush()).toMatchObject({ complete: true, released: 2_000 });
    socket.off('message', look);
    expect(releases.stats().commands).toBe(2_000);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(2 * 64);
  });

  it('can be attached to for one session, and then as a whole, and be detached in any order', async () => {
    const client = await connect(browser.wsEndpoint());
    const [one, other] = [await flatSession(client), await flatSession(client)];
    const found = Object.getOwnPropertyNames(client);
    const { sessionId } = one;
    for (const order of ['part first', 'whole first']) {
      const part = attach(client, { sessionId, track: true });
      await mint(one, 1);
      await mint(other, 1);
      expect(part.stats().minted).toBe(1);
      const whole = attach(client, { track: true });
      expect(givenBack(attach(client))).toBe(whole);
      expect(givenBack(attach(client, { sessionId }))).toBe(part);
      await mint(one, 1);
      await mint(other, 1);
      expect([part.stats().minted, whole.stats().minted]).toEqual([2, 1]);
      const [first, last] = order === 'part first' ? [part, whole] : [whole, part];
      first.detach();
      await mint(order === 'part first' ? other : one, 1);
      expect(last.stats().minted).toBe(order === 'part first' ? 2 : 3);
      last.detach();
      expect(Object.getOwnPropertyNames(client)).toEqual(found);
    }
  });

  it('moves survivors of a session that came to a page while it was attached: there order is kept', async () => {
    const client = await connect(browser.wsEndpoint());
    const releases = attach(client, { track: true });
    const session = await flatSession(client);
    const [survivor, ...others] = await mint(session, 40);
    const before = survivor?.objectId;
    for (const objectId of idsOf(others)) await session.release(objectId);
    expect(await releases.flush()).toMatchObject({ complete: true, released: 39 });
    expect(releases.stats().moved).toBe(1);
    expect(survivor?.objectId).not.toBe(before);
    releases.detach();
  });

  it('ends the books of each session that is detached from, and of all when it is closed', async () => {
    const client = await connect(browser.wsEndpoint());
    const [one, other] = [await flatSession(client), await flatSession(client)];
    const releases = attach(client, { track: true });
    await mint(one, 3);
    await mint(other, 4);
    await client.send('Target.detachFromTarget', { sessionId: one.sessionId });
    await expect.poll(() => releases.stats()).toMatchObject({ live: 4, elided: 3 });
    await client.close();
    await expect.poll(() => releases.stats()).toMatchObject({ live: 0, elided: 7 });
    releases.detach();
  });

  it('refuses what is no client, and a bad session id', async () => {
    const { client } = await open();
    expect(() => attach({} as never)).toThrow(/expected a client of chrome-remote-interface/);
    expect(() => attach(undefined as never)).toThrow(TypeError);
    expect(() => attach(client, { sessionId: '' })).toThrow(/sessionId must be a non-empty string, got ''/);
  });
});

async function open(): Promise<{
  readonly client: Client;
  readonly sessionId: string;
  readonly session: SessionUnderTest;
}> {
  const client = await connect(browser.wsEndpoint());
  const session = await flatSession(client);
  return { client, session, sessionId: session.sessionId };
}
