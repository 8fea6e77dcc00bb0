/** `consoleEntries: 'discard'`, as far as a flush and a detach are concerned. */
import { expect, test, vi } from 'vitest';
import { AttachedPeer, type Handle } from './attached-peer.ts';

test('a flush empties the store of console messages without waiting for a quiet moment', async () => {
  await using peer = new AttachedPeer({ consoleEntries: 'discard' });
  const session = peer.open();
  await session.send('Runtime.enable');
  const heard: Handle[] = [];
  session.session.on('Runtime.consoleAPICalled', ({ args }) => heard.push(...args));
  await session.evaluate('console.log({})');
  expect(session.session.peer.target.consoleEntries).toHaveLength(1);

  peer.collector.collect(...heard);
  expect(await peer.attachment.flush()).toMatchObject({ complete: true });
  expect(session.session.peer.target.consoleEntries).toHaveLength(0);
  expect(session.wire('Runtime.discardConsoleEntries')).toHaveLength(1);
});

test.each(['are held', 'were collected'])(
  'a detach leaves the store alone from then on, where its arguments %s',
  async (state) => {
    await using peer = new AttachedPeer({ consoleEntries: 'discard' });
    const session = peer.open();
    await session.send('Runtime.enable');
    const heard: Handle[] = [];
    session.session.on('Runtime.consoleAPICalled', ({ args }) => heard.push(...args));
    await session.evaluate('console.log({})');
    if (state === 'were collected') peer.collector.collect(...heard);
    peer.attachment.detach();
    // Nobody keeps books of it any more, and it is in use.
    await session.evaluate('console.log({})');
    await peer.rest();
    expect(session.alive('console')).toContain(heard.at(-1)?.objectId);
    expect(session.wire('Runtime.discardConsoleEntries')).toHaveLength(0);
    expect(vi.getTimerCount()).toBe(0);
  },
);

test('a counter of the page keeps the store until its context has ended', async () => {
  await using peer = new AttachedPeer({ consoleEntries: 'discard' });
  const session = peer.open();
  await session.send('Runtime.enable');
  const discards = (): number => session.wire('Runtime.discardConsoleEntries').length;
  for (const executionContextId of [1, 2]) {
    session.session.emit('Runtime.consoleAPICalled', { type: 'count', args: [], executionContextId });
  }
  await peer.rest();
  session.session.emit('Runtime.executionContextDestroyed', { executionContextId: 1 });
  await peer.rest();
  expect(discards(), 'the other context still counts').toBe(0);
  session.session.emit('Runtime.executionContextDestroyed', { executionContextId: 2 });
  await peer.rest();
  expect(discards()).toBe(1);
});
