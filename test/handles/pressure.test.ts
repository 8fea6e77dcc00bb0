// What a live handle is charged to this process's heap, so that V8 collects here when the page has grown.
import { expect, test, vi } from 'vitest';
import { resolveAttachOptions } from '../../src/handles/attach-options.ts';
import { AttachedPeer } from './attached-peer.ts';

test('light weights are saved up, and charged to one handle in many, while its object lives', async () => {
  const weight = 2 ** 14;
  await using world = new AttachedPeer({ pressure: weight });
  const session = world.open();
  const [first] = await session.mint(15);
  expect(world.stats.chargedBytes).toBe(0);
  const bearer = await session.evaluate();
  expect(world.stats.chargedBytes).toBe(16 * weight);
  world.collector.collect(first ?? {});
  await world.rest();
  expect(world.stats.chargedBytes).toBe(16 * weight);
  world.collector.collect(bearer);
  await world.rest();
  expect(world.stats.chargedBytes).toBe(0);
});

test('large weights are saved up for one buffer that makes V8 collect', async () => {
  const weight = 2 ** 20;
  await using world = new AttachedPeer({ pressure: weight });
  const session = world.open();
  const [first] = await session.mint(32);
  expect(world.stats.chargedBytes).toBe(0);
  const bearer = await session.evaluate();
  expect(world.stats.chargedBytes).toBe(33 * weight);
  world.collector.collect(first ?? {});
  await world.rest();
  expect(world.stats.chargedBytes).toBe(33 * weight);
  world.collector.collect(bearer);
  await world.rest();
  expect(world.stats.chargedBytes).toBe(0);
});

test('a disposed handle is charged until its object is collected: it is that object that weighs', async () => {
  await using world = new AttachedPeer({ pressure: 2 ** 14 });
  const session = world.open();
  await session.mint(15);
  const bearer = await session.evaluate();
  await session.release(bearer);
  await world.rest();
  expect(world.stats).toMatchObject({ released: 1, chargedBytes: 2 ** 18 });
  world.collector.collect(bearer);
  await world.rest();
  expect(world.stats.chargedBytes).toBe(0);
});

test('where no more memory can be had, a handle is tracked without its weight', async () => {
  await using world = new AttachedPeer({ pressure: 2 ** 14 });
  const session = world.open();
  const refuse = vi.fn(function refuse() {
    throw new RangeError('Array buffer allocation failed');
  });
  vi.stubGlobal('ArrayBuffer', refuse);
  try {
    const handles = await session.mint(16); // Enough for a buffer.
    expect(world.stats).toMatchObject({ live: 16, chargedBytes: 0 });
    expect(refuse).toHaveBeenCalledWith(2 ** 18);
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

test('one more weighs less the more are alive: four thousand do not cost four times as much as a thousand', async () => {
  await using world = new AttachedPeer({ pressure: 65_536 });
  const session = world.open();
  await session.mint(1_000);
  const ofThousand = world.stats.chargedBytes;
  expect(ofThousand).toBe(65_536_000);
  await session.mint(3_000);
  expect(world.stats.chargedBytes).toBeLessThan(3 * ofThousand);
  expect(world.stats.chargedBytes).toBeGreaterThan(ofThousand);
});

test('the weight is real: without a collection asked for, forgotten handles are noticed', async () => {
  let collected = 0;
  await using world = new AttachedPeer({
    pressure: 1_048_576,
    createRegistry: (onCollected) =>
      new FinalizationRegistry((record) => {
        collected++;
        onCollected(record);
      }),
  });
  const session = world.open();
  for (let round = 0; round < 200 && collected === 0; round++) await session.mint(10);
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
