// `pressure`: what each handle is said to hold of its page, so that V8 collects here when pages have grown.
import { expect, test, vi } from 'vitest';
import { resolveAttachOptions } from '../../src/handles/attach-options.ts';
import { keptRegistry } from '../support/kept-registry.ts';
import { AttachedPeer } from './attached-peer.ts';

test('handles that may be garbage are counted by what each is said to hold, until they are found or disposed of', async () => {
  const bytes = 2 ** 14;
  await using world = new AttachedPeer({ pressure: bytes });
  const session = world.open();
  const handles = await session.mint(32);
  expect(world.stats).toMatchObject({ chargedBytes: 32 * bytes, bytesPerHandle: bytes });
  world.collector.collect(...handles.slice(0, 8));
  for (const handle of handles.slice(8, 16)) await session.release(handle);
  await world.rest();
  await session.mint(8);
  expect(world.stats.chargedBytes).toBe(24 * bytes);
  world.collector.collect(...handles.slice(16));
});

test('where no more memory can be had, a handle is tracked all the same', async () => {
  const bytes = 2 ** 27;
  await using world = new AttachedPeer({ pressure: bytes });
  const session = world.open();
  const refuse = vi.fn(function refuse() {
    throw new RangeError('Array buffer allocation failed');
  });
  vi.stubGlobal('ArrayBuffer', refuse);
  try {
    const handles = await session.mint(16); // Enough for a collection.
    expect(world.stats).toMatchObject({ live: 16 });
    expect(refuse).toHaveBeenCalled();
    world.collector.collect(...handles);
  } finally {
    vi.unstubAllGlobals();
  }
  await world.rest();
  expect(session.alive()).toEqual([]);
});

test('pressure: false charges nothing', async () => {
  await using world = new AttachedPeer({ pressure: false });
  await world.open().mint(20);
  expect(world.stats).toMatchObject({ live: 20, chargedBytes: 0 });
});

test('the weight is real: without a collection asked for, forgotten handles are noticed', async () => {
  let collected = 0;
  await using world = new AttachedPeer({
    pressure: 1_048_576,
    createRegistry: (onCollected) =>
      keptRegistry((record) => {
        collected++;
        onCollected(record);
      }),
  });
  const session = world.open();
  for (let round = 0; round < 200 && collected === 0; round++) {
    await session.mint(10);
    await new Promise((resolve) => setImmediate(resolve)); // V8 goes on with it between two turns.
  }
  expect(collected).toBeGreaterThan(0);
  await world.rest();
});

test("a client's object gets no property of ours", async () => {
  await using world = new AttachedPeer({ pressure: 65_536 });
  const handle = await world.open().evaluate();
  expect(Reflect.ownKeys(handle).sort()).toEqual(['className', 'description', 'objectId', 'type']);
});

test.each<[unknown, string]>([
  [true, 'TypeError'],
  ['64 KiB', 'TypeError'],
  [null, 'TypeError'],
  [-1, 'RangeError'],
  [1.5, 'RangeError'],
  [2 ** 31, 'RangeError'],
])('pressure: %s is refused with a %s that names it', (pressure, name) => {
  expect(() => resolveAttachOptions({ pressure: pressure as number })).toThrow(
    expect.objectContaining({ name, message: expect.stringMatching(/^pressure must be/) }),
  );
});

test.each<[string, unknown, string]>([
  ['groups', 1, 'TypeError'],
  ['track', 'yes', 'TypeError'],
  ['moveSurvivors', null, 'TypeError'],
  ['traceLeaks', {}, 'TypeError'],
  ['consoleEntries', 'drop', 'RangeError'],
  ['consoleEntries', true, 'TypeError'],
])('the option %s of value %j is refused with a %s that names it', (option, value, name) => {
  expect(() => resolveAttachOptions({ [option]: value })).toThrow(
    expect.objectContaining({ name, message: expect.stringContaining(`${option} must be`) }),
  );
});
