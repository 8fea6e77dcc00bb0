// A session has one owner in a process, whichever copy or version of this package, and whichever of its entry points, it
// was attached to by. The others get what is there, or leave the session alone until it is given up.
import { expect, it, onTestFinished, vi } from 'vitest';
import { attach as attachToClient } from '../../src/clients/chrome-remote-interface.ts';
import { attach } from '../../src/clients/session.ts';
import { claim } from '../../src/clients/session-ownership.ts';
import { fromAnotherCopy } from '../support/another-copy.ts';
import { collectUntil } from '../support/collect-until.ts';
import { FakePeer, type FakeSession } from '../support/fake-peer.ts';
import { givenBack } from '../support/given-back.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { turns } from '../support/turns.ts';

const another = await fromAnotherCopy(() => import('../../src/clients/session.ts'));
const OPTIONS = { track: true, pressure: false, targetType: 'page' } as const;

function open(): { peer: FakePeer; session: FakeSession } {
  const peer = new FakePeer();
  return { peer, session: peer.attach() };
}

async function mint(session: FakeSession, count: number): Promise<{ objectId: string }[]> {
  const mints = Array.from({ length: count }, () => session.send('Runtime.evaluate', { expression: '({})' }));
  return (await Promise.all(mints)).map((answer) => (answer as { result: { objectId: string } }).result);
}

it('another copy is really another', () => {
  expect(another.attach).not.toBe(attach);
});

it('the second copy gives what the first has made, and the session is left as it was found', () => {
  const { session } = open();
  const found = Reflect.ownKeys(session);
  const releases = attach(session, OPTIONS);
  expect(givenBack(another.attach(session, OPTIONS))).toBe(releases);
  releases.detach();
  expect(Reflect.ownKeys(session)).toEqual(found);
  const later = another.attach(session, OPTIONS);
  expect(later).not.toBe(releases);
  expect(givenBack(attach(session, OPTIONS))).toBe(later);
  later.detach();
  expect(Reflect.ownKeys(session)).toEqual(found);
});

it('forgets who waited for a session and wants it no more', async () => {
  const session = {};
  const ownership = claim(session, {}, { succeed() {}, isOver: () => false });
  expect(ownership).toBeDefined();
  let collected = 0;
  const registry = keptRegistry<undefined>(() => collected++);
  const waitAndEnd = (): void => {
    const claimant = {};
    registry.register(claimant, undefined);
    claim(session, claimant, { succeed() {}, isOver: () => true });
  };
  for (let count = 0; count < 5; count++) waitAndEnd();
  claim(session, {}, { succeed() {}, isOver: () => false });
  await collectUntil(() => collected === 5);
  ownership?.end();
});

it('a release goes out once', async () => {
  const { peer, session } = open();
  const attachments = [attach(session, OPTIONS), another.attach(session, OPTIONS)];
  for (const { objectId } of await mint(session, 3))
    await session.send('Runtime.releaseObject', { objectId });
  for (const releases of attachments) await releases.flush();
  expect(attachments.map((releases) => releases.stats().minted)).toEqual([3, 3]);
  expect(new Set(attachments).size).toBe(1);
  expect(peer.commands.filter(({ method }) => /^Runtime.release/.test(method))).toHaveLength(1);
  for (const releases of attachments) releases.detach();
});

it('no two copies name a group alike: what lives from the first is not released by the second', async () => {
  const { peer, session } = open();
  const load = () => fromAnotherCopy(() => import('../../src/clients/session.ts'));
  const [one, two] = [await load(), await load()]; // Neither has named a group yet.
  const first = one.attach(session, OPTIONS);
  const held = await mint(session, 3);
  first.detach();
  const second = two.attach(session, OPTIONS);
  for (const { objectId } of await mint(session, 3))
    await session.send('Runtime.releaseObject', { objectId });
  expect(await second.flush()).toMatchObject({ complete: true });
  expect(session.peer.store.alive().sort()).toEqual(held.map(({ objectId }) => objectId).sort());
  const names = peer.sent('Runtime.evaluate').map(({ objectGroup }) => objectGroup as string);
  expect(new Set(names).size).toBe(2);
  for (const name of names) expect(name.length, 'longer names cost the browser').toBeLessThanOrEqual(10);
  second.detach();
});

it('a session of another version is left alone, which is said once', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const copy = await fromAnotherCopy(() => import('../../src/clients/session.ts'));
  const sessions = [open(), open()];
  for (const { session } of sessions) {
    Reflect.set(session, Symbol.for('cdp-release-batcher:owner'), { contract: 99, value: {} });
    const releases = copy.attach(session, OPTIONS);
    expect(Object.hasOwn(session, 'send')).toBe(false);
    const [handle] = await mint(session, 1);
    expect(releases.stats()).toMatchObject({ minted: 0 });
    expect(session.peer.store.alive()).toEqual([handle?.objectId]);
    releases.detach();
  }
  expect(warn).toHaveBeenCalledTimes(1);
  expect(warn.mock.calls[0]).toMatchObject([
    expect.stringContaining('another version'),
    { code: 'CDP_RELEASE_ATTACHED_TWICE' },
  ]);
});

it('another entry point has the session when the first has given it up', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const { peer, session } = open();
  const client = Object.assign(session, { close: () => {} });
  const found = Reflect.ownKeys(client);
  const first = attach(client, OPTIONS);
  const second = attachToClient(client, OPTIONS);
  const [one] = await mint(session, 1);
  expect([first.stats().minted, second.stats().minted]).toEqual([1, 0]);
  first.detach();
  const [two] = await mint(session, 1);
  expect([first.stats().minted, second.stats().minted]).toEqual([1, 1]);
  await session.send('Runtime.releaseObject', { objectId: two?.objectId });
  await second.flush();
  expect(session.peer.store.alive()).toEqual([one?.objectId]);
  expect(peer.earlyReleases).toEqual([]);
  second.detach();
  await turns();
  expect(Reflect.ownKeys(client)).toEqual(found);
});

it('what takes no property of ours is attached to once all the same', () => {
  const { session } = open();
  const withoutOurs = new Proxy(session, {
    defineProperty: (target, name, descriptor) =>
      typeof name !== 'symbol' && Reflect.defineProperty(target, name, descriptor),
  });
  const releases = attach(withoutOurs, OPTIONS);
  expect(givenBack(attach(withoutOurs, OPTIONS))).toBe(releases);
  releases.detach();
  expect(attach(withoutOurs, OPTIONS)).not.toBe(releases);
});

it('who gives up waiting does not get the session; who came later does', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const { session } = open();
  const client = Object.assign(session, { close: () => {} });
  const found = Reflect.ownKeys(client);
  const first = attach(client, OPTIONS);
  const second = attachToClient(client, OPTIONS);
  second.detach();
  const third = attachToClient(client, OPTIONS);
  expect(third).not.toBe(second);
  first.detach();
  await mint(session, 1);
  const minted = [first, second, third].map((releases) => releases.stats().minted);
  expect(minted).toEqual([0, 0, 1]);
  third.detach();
  await turns();
  expect(Reflect.ownKeys(client)).toEqual(found);
});

it('a command without parameters gets those that put its handles into a group', async () => {
  const { peer, session } = open();
  const client = Object.assign(session, { close: () => {} });
  const releases = attachToClient(client, OPTIONS);
  await client.send('Runtime.evaluate').catch(() => {}); // Which has nothing to evaluate.
  expect(peer.sent('Runtime.evaluate')).toEqual([{ objectGroup: expect.any(String) }]);
  releases.detach();
});
