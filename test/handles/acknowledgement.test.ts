// When the client's own release is answered: early where nobody can lean on its round trip, else by the browser.
import { describe, expect, test } from 'vitest';
import { PageActions } from '../../src/handles/acknowledge.ts';
import { turns } from '../support/turns.ts';
import { AttachedPeer, type AttachedSession, type Handle } from './attached-peer.ts';

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = (): void => {
    settled = true;
  };
  promise.then(note, note);
  await turns();
  return settled;
}

async function isAcknowledgedEarly(session: AttachedSession, handle: Handle): Promise<boolean> {
  using hold = session.holdCommands('Runtime.releaseObject');
  const release = session.release(handle);
  const early = await isSettled(release);
  hold.letGo();
  expect(await release).toEqual({});
  return early;
}

test.each(['Runtime.evaluate', 'DOM.enable', 'Accessibility.enable'])(
  'a release behind a command that asks about objects (%s) is acknowledged at once',
  async (method) => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handle = await session.evaluate();
    await session.send('Input.enable');
    await session.send(method, { expression: '1' });
    expect(await isAcknowledgedEarly(session, handle)).toBe(true);
    await world.rest();
    expect(session.alive()).toEqual([]);
  },
);

test.each([
  'Input.enable',
  'Page.enable',
  'Network.enable',
  'Emulation.setTouch',
  'DOMDebugger.enable',
  'Target.enable',
])(
  'a release behind a command that acts on the page (%s) is sent for real, and answered when the browser answers',
  async (method) => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handle = await session.evaluate();
    const other = await session.evaluate();
    await session.send(method);
    expect(await isAcknowledgedEarly(session, handle)).toBe(false);
    expect(session.alive()).toEqual([other.objectId]);
    expect(world.stats).toMatchObject({ disposed: 1, released: 1, commands: 1, inFlight: 0 });
    // The barrier is behind us: the next is early again.
    expect(await isAcknowledgedEarly(session, other)).toBe(true);
    await world.rest();
    expect(session.alive()).toEqual([]);
  },
);

test('an action that is not answered yet counts from its being sent', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  using hold = session.holdCommands('Input.enable');
  const action = session.send('Input.enable');
  expect(await isAcknowledgedEarly(session, handle)).toBe(false);
  hold.letGo();
  await action;
});

test('an action on one session is one to wait for on the others of its page, and not on those of other pages', async () => {
  await using world = new AttachedPeer();
  const actions = new PageActions();
  const [frame, worker] = [world.open({ actions }), world.open({ kind: 'worker', actions })];
  const elsewhere = world.open();
  const handles = await Promise.all([frame, worker, elsewhere].map((session) => session.evaluate()));
  await frame.send('Input.enable');
  const [ofFrame, ofWorker, ofOther] = handles;
  if (!ofFrame || !ofWorker || !ofOther) throw new Error();
  expect(await isAcknowledgedEarly(elsewhere, ofOther)).toBe(true);
  expect(await isAcknowledgedEarly(worker, ofWorker)).toBe(false);
  expect(await isAcknowledgedEarly(frame, ofFrame), 'the worker waited for its own').toBe(false);
});

test('what the page said on the action has arrived when the release behind it is answered', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  await session.send('Runtime.enable');
  const handle = await session.evaluate();
  const heard: unknown[] = [];
  session.session.on('Runtime.consoleAPICalled', () => heard.push('console'));
  // The click, and what it makes the page do a task later.
  const action = session.send('Input.enable');
  session.session.peer.target.enqueue('click', () =>
    session.session.peer.target.defaultContext.run('console.log(1)'),
  );
  await action;
  await session.release(handle);
  expect(heard).toEqual(['console']);
});

test('on a worker a release behind an action is not sent ahead of a running call that names the handle', async () => {
  await using world = new AttachedPeer();
  const session = world.open({ kind: 'worker' });
  const handle = await session.evaluate('({ answer: 42 })');
  const commands = session.holdCommands('Runtime.callFunctionOn');
  const call = session.call(handle, 'function() { return this.answer; }');
  await session.send('Page.enable');
  await session.release(handle);
  await world.rest();
  expect(session.alive()).toEqual([handle.objectId]);
  commands.letGo();
  expect(await call).toMatchObject({ value: 42 });
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test('an early acknowledgement is never in the same tick', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handle = await session.evaluate();
  let isAnswered = false;
  const release = session.release(handle).then(() => {
    isAnswered = true;
  });
  expect(isAnswered).toBe(false);
  await release;
  expect(isAnswered).toBe(true);
});

test('a long loop of awaited releases leaves the event loop its turns', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const handles = await session.mint(2_000);
  let turnsTaken = 0;
  const count = (): void => {
    turnsTaken++;
    if (turnsTaken < 1_000) setImmediate(count);
  };
  setImmediate(count);
  for (const handle of handles) {
    world.elapse(0.01);
    await session.release(handle);
  }
  expect(turnsTaken).toBeGreaterThanOrEqual(3); // One for every four milliseconds.
  turnsTaken = 1_000;
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test('a release of an id that the ledger does not know is passed on, in the books, and acknowledged early', async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const older = session.session.peer.store.bind({}, 1, '');
  await session.evaluate('1');
  expect(await session.release({ objectId: older })).toEqual({});
  await world.rest();
  expect(session.alive()).toEqual([]);
  expect(world.stats).toMatchObject({ minted: 1, disposed: 1, released: 1 });
});

test("behind an action, too, and an error is the browser's own", async () => {
  await using world = new AttachedPeer();
  const session = world.open();
  const older = session.session.peer.store.bind({}, 1, '');
  await session.send('Input.enable');
  expect(await session.release({ objectId: older })).toEqual({});
  await session.send('Input.enable');
  await expect(session.release({ objectId: older })).rejects.toThrow('Could not find object with given id');
  expect(world.stats).toMatchObject({ minted: 2, released: 1, gone: 1, inFlight: 0 });
});

test.each<[string, unknown]>([
  ['missing', {}],
  ['empty', { objectId: '' }],
  ['a number', { objectId: 1 }],
  ['an object', { objectId: { objectId: '1.1.1' } }],
])('a release whose id is %s goes to the browser, which says what is wrong', async (_, params) => {
  await using world = new AttachedPeer();
  const session = world.open();
  await expect(session.send('Runtime.releaseObject', params as never)).rejects.toThrow('Protocol error');
  expect(world.stats.minted).toBe(0);
});

test('a handle released twice is sent once', async () => {
  await using world = new AttachedPeer({ groups: false });
  const session = world.open();
  const handle = await session.evaluate();
  await Promise.all([session.release(handle), session.release(handle)]);
  await world.rest();
  expect(session.releasesOnTheWire()).toHaveLength(1);
  world.collector.collect(handle);
  await world.rest();
  expect(session.releasesOnTheWire()).toHaveLength(1);
  expect(world.peer.doubleReleases).toEqual([]);
});

test('a session that is not tracked has its releases taken over, and nothing else', async () => {
  await using world = new AttachedPeer();
  const session = world.open({ tracks: false });
  const handles = await session.mint(100);
  expect(session.wire('Runtime.evaluate')[0]?.params).toEqual({ expression: '({})' });
  expect(world.collector.registered).toEqual([]);
  await Promise.all(handles.slice(1).map((handle) => session.release(handle)));
  await world.rest();
  expect(session.alive()).toEqual([handles[0]?.objectId]);
  expect(world.stats).toMatchObject({ minted: 99, disposed: 99, released: 99 });
});

describe('commands that measure memory', () => {
  test.each([
    'Runtime.getHeapUsage',
    'HeapProfiler.collectGarbage',
    'HeapProfiler.enable',
    'Memory.enable',
    'Runtime.queryObjects',
  ])('%s is sent behind the release of all that was dropped', async (method) => {
    await using world = new AttachedPeer({ maxInFlightBatches: 1, maxBatchSize: 4 });
    const session = world.open();
    const kept = await session.evaluate();
    const whole = await session.mint(20, { objectGroup: 'mine' });
    const partly = await session.mint(40);
    await Promise.all([...whole, ...partly].map((handle) => session.release(handle)));
    await session.send(method).catch(() => {});
    const wire = session.wire().map((command) => command.method);
    expect(wire.indexOf(method)).toBeGreaterThan(wire.lastIndexOf('Runtime.releaseObject'));
    expect(session.alive()).toEqual([kept.objectId]);
  });

  test('what was collected and not looked at yet goes first, too', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(100);
    world.collector.collect(...handles);
    const usage = (await session.send('Runtime.getHeapUsage')) as { usedSize: number };
    expect(usage.usedSize).toBe(0);
  });

  test('so does what waits for survivors to be moved', async () => {
    await using world = new AttachedPeer();
    const session = world.open();
    const handles = await session.mint(100);
    const hold = session.holdCommands('Runtime.getProperties');
    world.collector.collect(...handles.slice(2));
    await turns();
    world.elapse(3_000);
    await hold.reached(1);
    const usage = (await session.send('Runtime.getHeapUsage')) as { usedSize: number };
    // Two alive, and what the move itself has bound.
    expect(usage.usedSize).toBeLessThanOrEqual(5_000);
    hold.letGo();
    hold[Symbol.dispose]();
    await world.rest();
    expect(session.alive()).toHaveLength(2);
  });
});
