// What an answer brings is entered in the books some milliseconds later; whoever needs the books sooner finds them up to date.
// Most tests do something with a handle in the very job in which its answer came.
import { expect, test, vi } from 'vitest';
import { currentGroup } from '../../src/handles/groups.ts';
import { AttachedPeer } from './attached-peer.ts';

test('it is entered later, together with others', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  const handle = await session.evaluate();
  await new Promise((resolve) => process.nextTick(resolve));
  expect(session.tap.ledger.find(handle.objectId), 'not each in a tick of its own').toBeUndefined();
  await vi.waitFor(() => expect(session.tap.ledger.find(handle.objectId)).toBeDefined());
});

test('a list is entered in the tick that follows', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  const { objectId } = await session.evaluate();
  const answer = session.tap.command('Runtime.getProperties', { objectId }, () =>
    Promise.resolve({ result: [{ name: '0', value: { type: 'object', objectId: `${objectId}0` } }] }),
  );
  await answer;
  await new Promise((resolve) => process.nextTick(resolve));
  expect(session.tap.ledger.find(`${objectId}0`)).toBeDefined();
});

test('stats() counts it', async () => {
  await using peer = new AttachedPeer();
  await peer.open().evaluate();
  expect(peer.attachment.stats()).toMatchObject({ minted: 1, live: 1 });
});

test('its release is that of a handle that is known', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  const { objectId } = await session.evaluate();
  await session.send('Runtime.releaseObject', { objectId });
  await peer.attachment.flush();
  expect(peer.attachment.stats()).toMatchObject({ minted: 1, disposed: 1, released: 1, groupCommands: 1 });
});

test('a command that names it pins it', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  const { objectId } = await session.evaluate();
  const call = session.send('Runtime.callFunctionOn', { objectId, functionDeclaration: '() => {}' });
  expect(session.tap.ledger.find(objectId)?.pins).toBe(1);
  await call;
  peer.attachment.stats();
  expect(session.tap.ledger.find(objectId)?.pins).toBe(0);
});

test('escape() takes it out of its scope', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  await peer.attachment.scope(async () => peer.attachment.escape(await session.evaluate()));
  await peer.attachment.flush();
  expect(peer.attachment.stats()).toMatchObject({ minted: 1, live: 1 });
});

test.each(['scope', 'openScope'])('a scope (%s) ends with what its last answer brought', async (form) => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  if (form === 'scope') await peer.attachment.scope(() => session.mint(100));
  else {
    using _scope = peer.attachment.cover((ledger) => ledger === session.tap.ledger);
    await session.mint(100);
  }
  const { live, disposed } = session.tap.ledger.services.stats;
  expect({ live, disposed }).toEqual({ live: 0, disposed: 100 });
});

test('an event that ends its context ends it', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  await session.evaluate();
  session.session.emit('Runtime.executionContextsCleared', {});
  await peer.attachment.flush();
  expect(peer.attachment.stats()).toMatchObject({ live: 0, elided: 1 });
});

test('a command that measures memory finds released what the answer let go of', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  const handle = await session.evaluate();
  const call = session.send('Runtime.callFunctionOn', {
    objectId: handle.objectId,
    functionDeclaration: 'function() { return 1; }',
  });
  peer.collector.collect(handle);
  await call;
  const usage = (await session.send('Runtime.getHeapUsage')) as { usedSize: number };
  const emptied = (await session.send('Runtime.getHeapUsage')) as { usedSize: number };
  expect(usage).toEqual(emptied);
});

test('detach() hands it back with what was known', async () => {
  await using peer = new AttachedPeer();
  await peer.open().evaluate();
  peer.attachment.detach();
  expect(peer.attachment.stats()).toMatchObject({ minted: 1, live: 1 });
});

test('where leaks are traced it is entered at once, for the call that it belongs to may end in this very job', async () => {
  await using peer = new AttachedPeer({ traceLeaks: true });
  const session = peer.open();
  const { objectId } = await session.evaluate();
  expect(session.tap.ledger.find(objectId)?.origin).toBeDefined();
});

test('a refusal by which its context is gone ends it', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  const first = peer.collector.recordOf(await session.evaluate());
  await session.evaluate();
  session.tap.ledger.onRefused(first?.context, 'context');
  await peer.attachment.flush();
  expect(peer.attachment.stats()).toMatchObject({ minted: 2, live: 0, elided: 2 });
});

test.each([
  ['result', false],
  ['exceptionDetails', false],
  ['exceptionDetails', true],
])(
  'an answer whose %s throws when it is read stays untracked, and takes nothing else with it (traced: %s)',
  async (member, traceLeaks) => {
    await using peer = new AttachedPeer({ traceLeaks });
    const session = peer.open();
    const hostile = Object.defineProperty({}, member, {
      get: () => {
        throw new Error('read');
      },
    });
    const answer = session.tap.command('Runtime.evaluate', { expression: '1' }, () =>
      Promise.resolve(hostile),
    );
    await expect(answer).resolves.toBe(hostile);
    await session.evaluate();
    expect(peer.attachment.stats()).toMatchObject({ minted: 1, live: 1 });
    expect(currentGroup(session.tap.ledger).pending).toBe(0);
  },
);

test('an answer by value that throws when it is read reaches the caller as it is', async () => {
  await using peer = new AttachedPeer();
  const session = peer.open();
  const handle = await session.evaluate();
  const hostile = Object.defineProperty({}, 'result', {
    get: () => {
      throw new Error('read');
    },
  });
  const call = { objectId: handle.objectId, functionDeclaration: 'function() {}', returnByValue: true };
  const answer = session.tap.command('Runtime.callFunctionOn', call, () => Promise.resolve(hostile));
  await expect(answer).resolves.toBe(hostile);
  peer.collector.collect(handle);
  await peer.rest();
  expect(session.alive(), 'nothing waits for another answer').toEqual([]);
});
