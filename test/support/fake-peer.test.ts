import puppeteer from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { FakeBrowser } from './fake-peer/fake-browser.ts';
import { FakePeer, type FakeSession, isReply } from './fake-peer.ts';

interface Evaluated {
  readonly result: { readonly objectId: string };
}

async function mint(session: FakeSession, objectGroup?: string): Promise<string> {
  const { result } = (await session.send('Runtime.evaluate', {
    expression: '({})',
    objectGroup,
  })) as Evaluated;
  return result.objectId;
}

const releaseOf = (objectId: string): [string, { objectId: string }] => [
  'Runtime.releaseObject',
  { objectId },
];
const commandOf =
  (method: string): ((message: { method?: string }) => boolean) =>
  (message) =>
    message.method === method;

describe('the books of the fake peer', () => {
  it('say what is alive, by session and by group', async () => {
    const peer = new FakePeer();
    const [session, other] = [peer.attach(), peer.attach()];
    await mint(session, 'group');
    const loner = await mint(session);
    await mint(other, 'group');
    expect(peer.alive()).toBe(3);
    expect(session.peer.store.alive('group')).toHaveLength(1);
    await session.send('Runtime.releaseObjectGroup', { objectGroup: 'group' });
    expect(session.peer.store.alive()).toEqual([loner]);
    expect(other.peer.store.alive('group')).toHaveLength(1);
  });

  it('give the same ids to different objects of two sessions to one page', async () => {
    const peer = new FakePeer();
    const page = peer.openTarget();
    const [session, other] = [peer.attach(page), peer.attach(page)];
    const objectId = await mint(session);
    expect(await mint(other)).toBe(objectId);
    await session.send(...releaseOf(objectId));
    expect(other.peer.store.alive()).toEqual([objectId]);
  });

  it('record every command, whatever becomes of it', async () => {
    const peer = new FakePeer();
    using _ = peer.inbound.drop(commandOf('Runtime.releaseObject'));
    const session = peer.attach();
    const objectId = await mint(session);
    void session.send(...releaseOf(objectId));
    expect(peer.sent('Runtime.releaseObject')).toEqual([{ objectId }]);
    expect(peer.sent('Runtime.releaseObject', 'another session')).toEqual([]);
    expect(peer.alive()).toBe(1);
  });

  it('note each command that names a released id, as target or as argument', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const [receiver, argument] = [await mint(session), await mint(session)];
    await session.send(...releaseOf(argument));
    const call = { objectId: receiver, functionDeclaration: '() => 1', arguments: [{ objectId: argument }] };
    await expect(session.send('Runtime.callFunctionOn', call)).rejects.toThrow(
      'Could not find object with given id',
    );
    expect(peer.earlyReleases).toEqual([
      { sessionId: session.id(), objectId: argument, method: 'Runtime.callFunctionOn' },
    ]);
  });

  it('note a second release apart: it takes nothing away from anyone', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const objectId = await mint(session);
    await session.send(...releaseOf(objectId));
    await expect(session.send(...releaseOf(objectId))).rejects.toMatchObject({ code: -32000 });
    expect(peer.earlyReleases).toEqual([]);
    expect(peer.doubleReleases).toHaveLength(1);
  });

  it('do not take the end of a context for a release', async () => {
    const peer = new FakePeer();
    const page = peer.openTarget();
    const session = peer.attach(page);
    const objectId = await mint(session);
    page.navigate();
    expect(peer.alive()).toBe(0);
    await expect(session.send('Runtime.getProperties', { objectId })).rejects.toThrow('Cannot find context');
    expect(peer.earlyReleases).toEqual([]);
  });
});

describe('a fence', () => {
  it('holds a command until it is let go, while others pass', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const objectId = await mint(session);
    const hold = peer.inbound.hold(commandOf('Runtime.releaseObject'));
    const released = session.send(...releaseOf(objectId));
    await hold.reached(1);
    await mint(session);
    expect(peer.alive()).toBe(2);
    hold.letGo();
    await released;
    expect(peer.alive()).toBe(1);
  });

  it('holds a reply to a command that has been run', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const hold = peer.outbound.hold(isReply);
    const minted = mint(session);
    await hold.reached(1);
    expect(peer.alive()).toBe(1);
    hold.letGo();
    await expect(minted).resolves.toMatch(/^-?\d+\.1\.1$/);
  });

  it('lets go in any order, one by one', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const hold = peer.outbound.hold();
    const answered: string[] = [];
    const sent = ['first', 'second'].map(async (name) => {
      await session.send('Runtime.evaluate', { expression: name });
      answered.push(name);
    });
    const [first, second] = await hold.reached(2);
    for (const message of [second, first]) if (message) hold.letGo(message);
    await Promise.all(sent);
    expect(answered).toEqual(['second', 'first']);
  });

  it('lets all go and holds no more when it is disposed of', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const minted: Promise<string>[] = [];
    {
      using hold = peer.inbound.hold();
      minted.push(mint(session));
      expect(hold.messages).toHaveLength(1);
    }
    minted.push(mint(session));
    await Promise.all(minted);
    expect(peer.alive()).toBe(2);
  });

  it('refuses to let go of what it does not hold', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    const hold = peer.inbound.hold();
    const minted = mint(session);
    const [command] = hold.messages;
    hold.letGo();
    await minted;
    expect(() => command && hold.letGo(command)).toThrow('the fence does not hold this message');
  });

  it('corrupts a reply', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    using _ = peer.outbound.rewrite(isReply, (reply) => ({ ...reply, result: 'nonsense' }));
    await expect(session.send('Runtime.evaluate', { expression: '1' })).resolves.toBe('nonsense');
  });
});

describe('a session without a socket', () => {
  it('throws at once what it cannot serialise', () => {
    const cyclic: Record<string, unknown> = {};
    cyclic.itself = cyclic;
    expect(() => new FakePeer().attach().send('Runtime.evaluate', cyclic)).toThrow(TypeError);
  });

  it('never answers in the turn of the question', async () => {
    const session = new FakePeer().attach();
    let isAnswered = false;
    const answered = session.send('Runtime.evaluate', { expression: '1' }).then(() => {
      isAnswered = true;
    });
    for (let turn = 0; turn < 100; turn++) await Promise.resolve();
    expect(isAnswered).toBe(false);
    await answered;
  });

  it('rejects what is unanswered when its target closes, and whatever comes later', async () => {
    const peer = new FakePeer();
    const page = peer.openTarget();
    const session = peer.attach(page);
    const unanswered = session.send('Runtime.evaluate', { expression: '1' });
    page.close();
    await expect(unanswered).rejects.toThrow('Protocol error (Runtime.evaluate): Target closed');
    await expect(session.send('Runtime.evaluate', {})).rejects.toThrow('Session closed');
  });

  it('emits events with objects of their own', async () => {
    const peer = new FakePeer();
    const session = peer.attach();
    await session.send('Runtime.enable');
    const called: { args: object[] }[] = [];
    session.on('Runtime.consoleAPICalled', (event) => called.push(event));
    const hold = peer.outbound.hold((message) => !isReply(message));
    await session.send('Runtime.evaluate', { expression: 'console.log({})' });
    const [told] = hold.messages as unknown as { params: { args: object[] } }[];
    hold.letGo();
    expect(called).toMatchObject([{ args: [{ type: 'object', objectId: expect.any(String) }] }]);
    expect(called).toEqual([told?.params]);
    expect(called[0]?.args[0]).not.toBe(told?.params.args[0]);
  });
});

describe('the fake peer behind a WebSocket', () => {
  it('takes Puppeteer in: pages, handles, disposal', async () => {
    const peer = new FakePeer();
    const page = peer.openTarget();
    await using browser = await FakeBrowser.listen(peer);
    const client = await puppeteer.connect({ browserWSEndpoint: browser.url });
    const [connected] = await client.pages();
    const handle = await connected?.evaluateHandle(() => ({ answer: 42 }));
    expect(await handle?.evaluate((object) => object.answer)).toBe(42);
    expect(page.heapUsage().usedSize).toBeGreaterThan(0);
    await handle?.dispose();
    expect(peer.alive()).toBe(0);
    expect(peer.earlyReleases).toEqual([]);
    await client.disconnect();
  });

  it('holds a reply to Puppeteer', async () => {
    const peer = new FakePeer();
    peer.openTarget();
    await using browser = await FakeBrowser.listen(peer);
    const client = await puppeteer.connect({ browserWSEndpoint: browser.url });
    const [page] = await client.pages();
    const hold = peer.outbound.hold(
      (message) => isReply(message) && message.command.method === 'Runtime.callFunctionOn',
    );
    const handle = page?.evaluateHandle(() => ({}));
    await hold.reached(1);
    expect(peer.alive()).toBe(1);
    hold.letGo();
    await (await handle)?.dispose();
    await client.disconnect();
  });

  it('refuses a session that is not there, as Chromium does', async () => {
    await using browser = await FakeBrowser.listen(new FakePeer());
    const socket = new WebSocket(browser.url);
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ id: 7, sessionId: 'nonsense', method: 'Runtime.evaluate' }));
    const answer = await new Promise((resolve) =>
      socket.once('message', (data) => resolve(JSON.parse(String(data)))),
    );
    expect(answer).toEqual({ id: 7, error: { code: -32001, message: 'Session with given id not found.' } });
  });

  it('ends its sessions when the connection is cut', async () => {
    const peer = new FakePeer();
    const page = peer.openTarget();
    await using browser = await FakeBrowser.listen(peer);
    const client = await puppeteer.connect({ browserWSEndpoint: browser.url });
    const [connected] = await client.pages();
    await connected?.evaluateHandle(() => ({}));
    const disconnected = new Promise<void>((resolve) => client.once('disconnected', () => resolve()));
    browser.cut();
    await disconnected;
    expect(page.sessions.size).toBe(0);
  });
});
