// A session ends, and its client never rejects what is unanswered. All that it held ends with it: nobody waits for an
// answer that cannot come.
import { describe, expect, test, vi } from 'vitest';
import { expectAtRest } from '../support/conservation.ts';
import { isReply } from '../support/fake-peer.ts';
import { turns, until } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession } from './attached-peer.ts';

/** Brings a session to where something of it is unanswered. None of its answers comes any more. */
const situations: Record<string, (world: AttachedPeer, session: AttachedSession) => Promise<void>> = {
  'a batch': async (world, session) => {
    const handles = await session.mint(5, { objectGroup: 'mine' });
    lose(world);
    for (const handle of handles) void session.release(handle);
    await until(() => session.releasesOnTheWire().length > 0);
  },
  'the release of a group': async (world, session) => {
    const handles = await session.mint(100);
    lose(world);
    for (const handle of handles) void session.release(handle);
    await timePasses(world, () => session.releasesOnTheWire().length > 0);
  },
  'a batch, and more behind it': async (world, session) => {
    const handles = await session.mint(200, { objectGroup: 'mine' });
    lose(world);
    for (const handle of handles) void session.release(handle);
    await until(() => session.releasesOnTheWire().length > 0);
  },
  'a release behind an action': async (world, session) => {
    const handle = await session.evaluate();
    await session.send('Page.bringToFront').catch(() => {});
    lose(world);
    void session.release(handle);
    expect(world.stats.inFlight).toBe(1);
  },
  'a command that names what was dropped': async (world, session) => {
    const handle = await session.evaluate();
    lose(world);
    void session.call(handle, 'function() {}');
    world.collector.collect(handle);
  },
  'a command that mints beside the dead': async (world, session) => {
    const handles = await session.mint(20);
    lose(world);
    void session.evaluate();
    world.collector.collect(...handles);
  },
  'a move of survivors': async (world, session) => {
    const handles = await session.mint(100);
    lose(world);
    world.collector.collect(...handles.slice(5));
    await timePasses(world, () => session.wire('Runtime.callFunctionOn').length > 0);
  },
};

async function timePasses(world: AttachedPeer, condition: () => boolean): Promise<void> {
  await turns();
  for (let round = 0; !condition(); round++) {
    if (round > 100) throw new Error(`not in ${round} rounds: ${condition}`);
    world.elapse(2_500);
    await turns();
  }
}

function lose(world: AttachedPeer): void {
  world.peer.outbound.drop(isReply);
}

/** How the session ends; none of these has the client reject anything. */
const endings: Record<string, (world: AttachedPeer, session: AttachedSession) => void> = {
  'is over': (world, session) => world.attachment.end(session.tap),
  crashes: (_, session) => session.session.emit('Inspector.targetCrashed', {}),
  'is found to be closed': (_, { tap }) => tap.ledger.onRefused(undefined, 'session'),
};

describe.each(Object.keys(endings))('a session that %s', (how) => {
  test.each(Object.keys(situations))(
    'with %s unanswered: a flush is done at once, the books balance',
    async (what) => {
      await using world = new AttachedPeer({ releaseTimeoutMs: 5_000 });
      const session = world.open();
      await situations[what]?.(world, session);
      endings[how]?.(world, session);
      await turns();
      let report: unknown;
      void world.attachment.flush().then((done) => {
        report = done;
      });
      await turns(); // No time passes.
      expect(report).toMatchObject({ complete: true, pending: 0 });
      expectAtRest(world.stats);
      expect(world.stats).toMatchObject({ live: 0, released: 0, timedOut: 0 });
    },
  );
});

test('releases behind actions share one timer, however many there are, and it goes with the session', async () => {
  await using world = new AttachedPeer({ releaseTimeoutMs: 5_000 });
  const session = world.open();
  const handles = await session.mint(20);
  const releases = session.holdAnswers('Runtime.releaseObject');
  const before = vi.getTimerCount();
  const answers = handles.map((handle) => {
    session.send('Page.bringToFront').catch(() => {}); // The peer need not know it.
    return session.release(handle);
  });
  await turns();
  expect(world.stats.inFlight).toBe(20);
  expect(vi.getTimerCount() - before).toBe(1);
  releases.letGo();
  await Promise.all(answers);
  expect(world.stats).toMatchObject({ inFlight: 0, released: 20 });
  world.attachment.detach();
  await turns();
  expect(vi.getTimerCount()).toBeLessThanOrEqual(before);
});

test('a release behind an action that is never answered counts as timed out, as any other', async () => {
  await using world = new AttachedPeer({ releaseTimeoutMs: 5_000 });
  const session = world.open();
  const [first, second] = await session.mint(2);
  lose(world);
  void session.send('Page.bringToFront');
  void session.release(first ?? { objectId: '' });
  world.elapse(3_000);
  void session.send('Page.bringToFront');
  void session.release(second ?? { objectId: '' });
  expect(world.stats).toMatchObject({ inFlight: 2, timedOut: 0 });
  world.elapse(2_001);
  await turns(); // What has arrived is read first.
  expect(world.stats).toMatchObject({ inFlight: 1, timedOut: 1 });
  world.elapse(3_000);
  await turns();
  expect(world.stats).toMatchObject({ inFlight: 0, timedOut: 2 });
  expectAtRest(world.stats);
});

test('an event of a session that has ended does not bring it back', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  world.attachment.end(session.tap);
  session.session.emit('Runtime.executionContextCreated', { context: { id: 7 } });
  expect(session.tap.ledger.queue.isLost).toBe(true);
  await session.release(handle);
  expectAtRest(world.stats);
});
