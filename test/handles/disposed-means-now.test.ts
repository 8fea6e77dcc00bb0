// What a program disposed of is on the wire within 100 ms, whoever else of its group lives; what the collector found waits.
import { describe, expect, test } from 'vitest';
import { plainRules } from '../../src/handles/command-rules.ts';
import { TargetState } from '../../src/handles/target-state.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

/** As a deadline for what is disposed of; the event loop turns meanwhile as it would. */
const SOON_MS = 100;

async function elapseSoon(world: AttachedPeer): Promise<void> {
  for (let passed = 0; passed < SOON_MS; passed += 5) {
    world.elapse(5);
    await turns(4);
  }
}

async function dispose(session: AttachedSession, handles: readonly Handle[]): Promise<void> {
  await Promise.all(handles.map((handle) => session.release(handle)));
}

/** Of 201 handles all but one are disposed of. By what `lists` holds, the one is to be found and moved. */
async function disposeBesideOne(session: AttachedSession) {
  const [kept] = (await session.mint(1)) as [Handle];
  const handles = await session.mint(200);
  const lists = session.holdAnswers('Runtime.getProperties');
  await dispose(session, handles);
  return { kept, lists };
}

describe.each([1, 5, 50, 700])('%s disposed of', (count) => {
  test.each([
    ['none held', 0],
    ['one held', 1],
    ['many held', 1_000],
  ])('%s: none of them is left in the browser', async (_, held) => {
    await using world = new AttachedPeer();
    const session = world.open();
    const kept = await session.mint(held);
    await dispose(session, await session.mint(count));
    await elapseSoon(world);
    expect(session.alive()).toHaveLength(held);
    expect(session.alive().sort()).toEqual(kept.map(({ objectId }) => objectId).sort());
  });
});

test('in a worker, where nothing is moved, as well', async () => {
  await using world = new AttachedPeer();
  const session = world.open({ kind: 'worker' });
  await session.mint(1);
  await dispose(session, await session.mint(50));
  await elapseSoon(world);
  expect(session.alive()).toHaveLength(1);
});

test('while a command that may still mint into their group is unanswered', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handles = await session.mint(50);
  const commands = session.holdCommands('Runtime.evaluate');
  const minting = session.evaluate();
  await dispose(session, handles);
  await elapseSoon(world);
  expect(session.alive()).toEqual([]);
  commands.letGo();
  await minting;
});

test('one that a command names goes as soon as that is answered', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await session.mint(1);
  const [named, ...others] = await session.mint(6);
  const commands = session.holdCommands('Runtime.callFunctionOn');
  const call = session.call(named as Handle, 'function() { return 1; }');
  await dispose(session, [named as Handle, ...others]);
  await elapseSoon(world);
  expect(session.alive()).toHaveLength(2);
  commands.letGo();
  await call;
  await turns();
  expect(session.alive()).toHaveLength(1);
});

test('a page that does not answer a move is sent the releases', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await session.mint(1);
  const handles = await session.mint(50);
  const moves = session.holdCommands('Runtime.callFunctionOn');
  await dispose(session, handles);
  await elapseSoon(world);
  world.elapse(20);
  await turns();
  expect(session.alive()).toHaveLength(1);
  moves.letGo();
});

test('a survivor that a command names while it is to be moved is moved a moment later: 200 go by one command', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const { kept, lists } = await disposeBesideOne(session);
  for (let passed = 0; session.wire('Runtime.callFunctionOn').length === 0; passed += 5) {
    expect(passed).toBeLessThan(SOON_MS);
    world.elapse(5);
    await turns(4);
  }
  await lists.reached(1);
  const commands = session.holdCommands('Runtime.callFunctionOn');
  const call = session.call(kept, 'function() { return 1; }');
  lists.letGo();
  lists[Symbol.dispose]();
  await turns();
  commands.letGo();
  commands[Symbol.dispose]();
  await call;
  await elapseSoon(world);
  expect(session.releasesOnTheWire().length).toBeLessThan(8);
  expect(session.alive()).toHaveLength(1);
});

test('one that a command goes on naming keeps the others no longer than that', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const { kept, lists } = await disposeBesideOne(session);
  await elapseSoon(world);
  await lists.reached(1);
  const commands = session.holdCommands('Runtime.callFunctionOn');
  const call = session.call(kept, 'function() { return 1; }');
  lists.letGo();
  lists[Symbol.dispose]();
  await elapseSoon(world);
  expect(session.alive()).toHaveLength(1);
  commands.letGo();
  await call;
});

test('what the collector found waits for the rest of its group, in the midst of what was disposed of, too', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await session.mint(100);
  const [disposed, ...forgotten] = await session.mint(50);
  world.collector.collect(...forgotten);
  await dispose(session, [disposed as Handle]);
  await elapseSoon(world);
  expect(session.releasesOnTheWire()).toHaveLength(1);
  expect(session.alive()).toHaveLength(149);
});

test('a loop that disposes of each sends one command for what is made in some 70 ms', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  for (let done = 0; done < 350; done++) {
    await session.release(await session.evaluate());
    world.elapse(1);
  }
  expect(session.releasesOnTheWire().length).toBeLessThanOrEqual(6);
  await elapseSoon(world);
  expect(session.alive()).toEqual([]);
});

describe('what the client disposes of in a context of its own', () => {
  const openWithOwnContext = (world: AttachedPeer): AttachedSession =>
    world.open({ createRules: () => ({ ...plainRules, isClientsOwn: () => isClients }) });
  let isClients = true;

  test('waits for its group as the collected do, but goes with what the program disposes of', async () => {
    await using world = new AttachedPeer();
    isClients = true;
    const session = openWithOwnContext(world);
    await session.mint(100);
    const [doubles, [element]] = [await session.mint(4), await session.mint(1)];
    await dispose(session, doubles);
    await elapseSoon(world);
    expect(session.alive()).toHaveLength(105);
    isClients = false;
    await dispose(session, [element as Handle]);
    await elapseSoon(world);
    expect(session.alive()).toHaveLength(100);
  });

  test('follows half a second after a release that the client sends itself, as at the end of each click', async () => {
    await using world = new AttachedPeer();
    const session = openWithOwnContext(world);
    await session.mint(100);
    const clicks = 6;
    for (let click = 0; click < clicks; click++) {
      const [double, element] = (await session.mint(2)) as [Handle, Handle];
      isClients = true;
      await dispose(session, [double]);
      isClients = false;
      await session.send('Page.bringToFront').catch(() => {}); // The peer need not know it.
      await dispose(session, [element]); // Sent at once, behind the action.
      expect(session.alive()).not.toContain(element.objectId);
      world.elapse(60);
      await turns();
    }
    expect(session.releasesOnTheWire()).toHaveLength(clicks);
    expect(session.alive()).toHaveLength(100 + clicks);
    for (let round = 0; round < 5; round++) await elapseSoon(world);
    expect(session.alive()).toHaveLength(100);
  });
});

describe('a command that measures memory', () => {
  test.each([
    'HeapProfiler.collectGarbage',
    'Memory.getDOMCounters',
    'Performance.getMetrics',
    'Runtime.getHeapUsage',
  ])(
    '%s on one session of a target first sees released what was disposed of on the other',
    async (method) => {
      await using world = new AttachedPeer();
      const targetState = new TargetState();
      const target = world.peer.openTarget('page');
      const [own, other] = [world.open({ target, targetState }), world.open({ target, targetState })];
      await own.mint(1);
      await dispose(own, await own.mint(20));
      await other.send(method).catch(() => {});
      const sent = world.peer.commands.map((command) => command.method);
      expect(sent.filter((name) => name === 'Runtime.releaseObject')).toHaveLength(20);
      expect(sent.lastIndexOf('Runtime.releaseObject')).toBeLessThan(sent.indexOf(method));
    },
  );
});

test.each(['Debugger', 'Profiler'])(
  'nothing is moved while a session of the target has %s on; the disposed go one by one',
  async (domain) => {
    await using world = new AttachedPeer();
    const targetState = new TargetState();
    const session = world.open({ targetState });
    targetState.noteCommand('another', `${domain}.enable`);
    await session.mint(1);
    await dispose(session, await session.mint(50));
    await elapseSoon(world);
    expect(session.wire('Runtime.callFunctionOn')).toEqual([]);
    expect(session.alive()).toHaveLength(1);
    targetState.noteCommand('another', `${domain}.disable`);
    await session.mint(1);
    await dispose(session, await session.mint(50));
    await elapseSoon(world);
    expect(session.wire('Runtime.callFunctionOn')).toHaveLength(1);
    expect(session.alive()).toHaveLength(2);
  },
);
