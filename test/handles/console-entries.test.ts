/** `consoleEntries: 'discard'`, as far as a flush is concerned. */
import { expect, test } from 'vitest';
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
