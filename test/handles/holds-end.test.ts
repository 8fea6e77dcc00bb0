// What is collected while ids may be on their way as bare strings is kept for a while, and never for good: each hold has a
// time after which it ends, and a flush says that something is outstanding.
import { describe, expect, test } from 'vitest';
import { PuppeteerRules } from '../../src/clients/puppeteer/command-rules.ts';
import { expectAtRest } from '../support/conservation.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession } from './attached-peer.ts';

const openAsPuppeteer = (world: AttachedPeer): AttachedSession =>
  world.open({ createRules: (hold) => new PuppeteerRules(hold) });

/** A wait in the page for as long as it takes, as commands of several makers say it. */
const WAIT = 'function() { return new Promise(() => {}); }';
const waits: Record<string, (session: AttachedSession, objectId: string) => Promise<unknown>> = {
  'by a function of the caller': (session, objectId) =>
    session.send('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: `${WAIT}\n//# sourceURL=pptr:evaluate;watch%20(file%3A%2F%2F%2Fwatch.mjs%3A1%3A1)\n`,
      arguments: [{ value: 'internal' }, { objectId }, {}],
      awaitPromise: true,
    }),
  'by an expression of the caller': (session) =>
    session.send('Runtime.evaluate', {
      expression: 'new Promise(() => {})\n//# sourceURL=pptr:evaluate;watch%20(file%3A%2F%2F%2Fwatch.mjs)\n',
      awaitPromise: true,
    }),
  'by a function of a fork': (session, objectId) =>
    session.send('Runtime.callFunctionOn', {
      objectId,
      functionDeclaration: `${WAIT}\n//# sourceURL=app.js\n`,
      awaitPromise: true,
    }),
};

describe.each(Object.keys(waits))('a wait in the page %s', (how) => {
  test.each(['addBinding', 'its function'])(
    'that is sent as %s of an installation is answered holds nothing',
    async (link) => {
      await using world = new AttachedPeer();
      const session = openAsPuppeteer(world);
      const page = await session.evaluate();
      const handles = await session.mint(100);
      await session.send('Runtime.addBinding', { name: 'puppeteer_aria' }).catch(() => {});
      if (link !== 'addBinding') await session.evaluate('function puppeteer_aria() {}');
      void waits[how]?.(session, page.objectId).catch(() => {}); // In the turn of the answer.
      await turns();
      world.collector.collect(...handles);
      let report: unknown;
      void world.attachment.flush().then((done) => {
        report = done;
      });
      await turns(); // No time passes.
      expect(report).toMatchObject({ complete: true, pending: 0, released: 100 });
      for (const { objectId } of handles) expect(session.alive()).not.toContain(objectId);
    },
  );
});

test("a wait of the client's own that may be a link holds for a second at the most", async () => {
  await using world = new AttachedPeer();
  const session = openAsPuppeteer(world);
  const page = await session.evaluate();
  const handles = await session.mint(100);
  await session.send('Runtime.addBinding', { name: 'puppeteer_aria' }).catch(() => {});
  void session.call(page, `${WAIT}\n//# sourceURL=pptr:internal\n`, { awaitPromise: true }).catch(() => {});
  await turns();
  world.collector.collect(...handles);
  await turns();
  expect(session.alive()).toContain(handles[0]?.objectId);
  world.elapse(1_000);
  await world.rest();
  for (const { objectId } of handles) expect(session.alive()).not.toContain(objectId);
});

test('what is surely a link holds for as long as Puppeteer waits for it, and a flush says that it is not done', async () => {
  await using world = new AttachedPeer();
  const session = openAsPuppeteer(world);
  const handles = await session.mint(100);
  const commands = session.holdCommands('Runtime.addBinding');
  void session.send('Runtime.addBinding', { name: 'puppeteer_aria' }).catch(() => {});
  await commands.reached(1);
  world.collector.collect(...handles);
  const flushing = world.attachment.flush({ timeoutMs: 100_000 });
  await turns();
  world.elapse(100_000);
  expect(await flushing).toMatchObject({ complete: false, pending: 100, released: 0 });
  expect(world.stats).toMatchObject({ live: 0, collected: 100, queued: 100 });
  world.elapse(80_000);
  await world.rest();
  expect(session.alive()).toEqual([]);
  expectAtRest(world.stats);
  commands.letGo();
  await turns();
});

test('a detach gives what is held its time, and counts it then', async () => {
  await using world = new AttachedPeer({ releaseTimeoutMs: 5_000 });
  const session = openAsPuppeteer(world);
  const handles = await session.mint(10);
  const commands = session.holdCommands('Runtime.addBinding');
  void session.send('Runtime.addBinding', { name: 'puppeteer_aria' }).catch(() => {});
  await commands.reached(1);
  world.collector.collect(...handles);
  world.attachment.detach();
  await turns();
  world.elapse(5_000);
  await turns();
  expect(world.stats).toMatchObject({ dropped: 10 });
  expectAtRest(world.stats);
  commands.letGo();
  await turns();
});

test('the end of a session ends its holds, with their timers', async () => {
  await using world = new AttachedPeer();
  const session = openAsPuppeteer(world);
  const handles = await session.mint(10);
  world.peer.inbound.drop();
  void session.send('Runtime.addBinding', { name: 'puppeteer_aria' }).catch(() => {});
  world.collector.collect(...handles);
  world.attachment.end(session.tap);
  await turns();
  expect(await world.attachment.flush()).toMatchObject({ complete: true });
  expect(world.stats).toMatchObject({ elided: 10 });
  expectAtRest(world.stats);
});

describe('a client whose send gives no promise', () => {
  test.each([
    ['page', 'at once'],
    ['worker', 'when what went unseen has had its time'],
  ] as const)('on a %s: what it let go of before is released %s', async (kind, when) => {
    await using world = new AttachedPeer();
    const session = world.open({ kind });
    const handles = await session.mint(10);
    session.tap.command('Runtime.evaluate', { expression: '1' }, () => undefined as never);
    world.collector.collect(...handles.slice(5));
    await world.rest();
    if (when !== 'at once') {
      expect(session.alive()).toHaveLength(10);
      world.elapse(31_000);
      world.elapse(31_000);
      await world.rest();
    }
    expect(session.alive()).toHaveLength(5);
    expectAtRest(world.stats);
  });
});

test('100,000 that were held are let go of in slices', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const { ledger } = session.tap;
  const group = ledger.createGroup();
  const remoteObjects = Array.from({ length: 100_000 }, (_, index) => ({ objectId: `9.9.${index + 1}` }));
  for (const remoteObject of remoteObjects) session.tap.mint(remoteObject, group, 0, undefined, false);
  const unhold = ledger.holds.hold(60_000);
  world.collector.collect(...remoteObjects);
  while (group.members.some(({ pins }) => pins === 0)) await turns();
  unhold();
  expect(
    group.members.filter(({ pins }) => pins > 0),
    'none in the call itself',
  ).toHaveLength(100_000);
  await world.rest();
  expectAtRest(world.stats);
  expect(world.stats.live).toBe(0);
});
