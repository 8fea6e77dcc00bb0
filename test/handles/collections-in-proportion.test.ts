// When a collection is caused: against a heap, a clock and a collector that the test sets.
import { beforeEach, describe, expect, test } from 'vitest';
import { CollectionPressure, Suspects } from '../../src/handles/collection.ts';
import { LEAST_SUSPECTED, MOST_SUSPECTED } from '../../src/policy.ts';

const MB = 1e6;
/** What each handle counts for at the least. */
const LEAST = 20_480;

class World {
  time = 1_000;
  heapMB = 10;
  caused = 0;
  readonly pressure = new CollectionPressure({
    now: () => this.time,
    heapBytes: () => this.heapMB * MB,
    collect: () => void this.caused++,
  });
  readonly stats = { live: 0 };
  readonly suspects = new Suspects(this.stats, LEAST);

  constructor() {
    this.pressure.add(this.suspects);
  }

  msPerMint = 1;

  /** Mints handles of 1 MB each. @returns how many collections that caused. */
  mint(megabytes: number): number {
    const before = this.caused;
    for (let minted = 0; minted < megabytes; minted++) {
      this.time += this.msPerMint;
      this.stats.live++;
      this.suspects.add({ suspected: 1, listed: 0 }, MB);
      this.pressure.weigh(this.suspects);
    }
    return this.caused - before;
  }

  /** V8 is done, and has found all handles but `left`. */
  collected({ left = 0, ms = 5 } = {}): void {
    this.pressure.noteEnd();
    this.stats.live = left;
    this.pressure.noteFound(ms);
  }

  /** Forgets so much, collected whenever a collection was caused. @returns how often that was, and the most alive. */
  forget(megabytes: number): { readonly collections: number; readonly mostMB: number } {
    let collections = 0;
    let mostMB = 0;
    for (let minted = 0; minted < megabytes; minted++) {
      const isCaused = this.mint(1) > 0;
      mostMB = Math.max(mostMB, this.stats.live);
      if (!isCaused) continue;
      collections++;
      this.collected();
    }
    return { collections, mostMB };
  }
}

let world: World;
beforeEach(() => {
  world = new World();
});

describe('what may be garbage in pages grows in proportion to what lives here', () => {
  test('100 MB in a small process', () => {
    expect(world.forget(4_000)).toEqual({ collections: 40, mostMB: LEAST_SUSPECTED / MB });
  });

  test.each([
    [200, 250],
    [600, 750],
    [800, 1_000],
    [2_000, MOST_SUSPECTED / MB],
  ])('with a heap of %i MB: %i MB', (heapMB, mostMB) => {
    world.heapMB = heapMB;
    world.msPerMint = 20; // So that there is time for each.
    expect(world.forget(3_000).mostMB).toBe(mostMB);
  });

  test('twice as much after a collection that found most of it alive, up to eight times, and as little as at first after another', () => {
    for (const [megabytes, left] of [
      [100, 60],
      [200, 260],
      [400, 660],
      [800, 1_460],
      [800, 1_960],
      [800, 1_960],
      [100, 1_960],
    ] as const) {
      world.time += 10_000;
      expect(world.mint(megabytes - 1)).toBe(0);
      expect(world.mint(1), `of ${megabytes} MB`).toBe(1);
      world.collected({ left });
    }
  });

  test('whatever light handles the program holds', () => {
    world.suspects.add({ suspected: 2_000, listed: 0 }, 0.02 * MB);
    world.stats.live += 2_000;
    world.mint(60);
    world.collected({ left: 2_000 });
    for (const megabytes of [200, 100, 100, 100]) {
      world.time += 10_000;
      expect(world.mint(megabytes - 1)).toBe(0);
      expect(world.mint(1), `of ${megabytes} MB`).toBe(1);
      world.collected({ left: 2_000 });
    }
  });
});

describe('collections that are caused take a tenth of the time', () => {
  test('by what they are told to have taken', () => {
    const untilNext = () => {
      const before = world.time;
      while (world.mint(1) === 0);
      world.collected({ ms: 50 });
      return world.time - before;
    };
    for (let collections = 0; collections < 30; collections++) untilNext();
    const ms = Array.from({ length: 20 }, untilNext).reduce((a, b) => a + b);
    expect((20 * 50) / (ms + 20 * 50)).toBeCloseTo(0.1, 2);
  });

  test('and one that other programs held up says little', () => {
    world.mint(100);
    world.collected({ ms: 40 });
    expect(world.mint(100)).toBe(1);
  });

  test('by what the heap costs to mark, of which other threads do most', () => {
    world.heapMB = 800;
    world.mint(1_000);
    world.collected();
    world.heapMB = 10; // No longer in proportion.
    world.time += 0.6 * 800 * 9 - 200;
    expect(world.mint(190)).toBe(0);
    expect(world.mint(20)).toBe(1);
  });

  test('unless the pages are in danger', () => {
    world.mint(100);
    world.collected({ ms: 100_000 });
    expect(world.mint(MOST_SUSPECTED / MB - 1)).toBe(0);
    expect(world.mint(1)).toBe(1);
  });
});

test('while a collection runs no other is caused, but V8 is told to hurry where a page is about to crash', () => {
  expect(world.mint(1_499)).toBe(1);
  expect(world.mint(10)).toBe(10);
});

test('what is minted while it runs is suspected after it', () => {
  world.mint(100);
  world.mint(60);
  world.collected({ left: 60 });
  expect(world.suspects.bytes).toBe(60 * MB);
  expect(world.mint(39)).toBe(0);
});

test('a collection that does not come is not waited for for ever', () => {
  world.mint(100);
  world.time += 10_000;
  expect(world.mint(200)).toBe(1);
});

test("V8's own collections count as well: what they left alive is not suspected", () => {
  world.mint(90);
  world.collected({ left: 90 });
  expect(world.suspects.bytes).toBe(0);
  expect(world.mint(99)).toBe(0);
  expect(world.mint(1)).toBe(1);
});

test('what is disposed of is not suspected', () => {
  world.mint(90);
  world.stats.live = 0;
  expect(world.mint(99)).toBe(0);
  expect(world.suspects.bytes).toBe(99 * MB);
});

test('what attachments hold is taken together, and an attachment that ends takes its part with it', () => {
  const stats = { live: 0 };
  const others = new Suspects(stats, LEAST);
  world.pressure.add(others);
  stats.live = 60;
  others.add({ suspected: 60, listed: 0 }, MB);
  world.pressure.weigh(others);
  expect(world.mint(39)).toBe(0);
  world.pressure.remove(others);
  expect(world.mint(60)).toBe(0);
  expect(world.mint(1)).toBe(1);
});

test.each([
  ['all of them', 10, 10 * 200e3],
  ['some', 4, 6 * 65_536 + 4 * 200e3],
  ['more than are still suspected', 30, 10 * 200e3],
])('a guess is corrected of %s', (_, handles, bytes) => {
  const suspects = new Suspects({ live: 10 }, LEAST);
  suspects.add({ suspected: 10, listed: 0 }, 65_536);
  suspects.correct({ suspected: handles, listed: 0 }, 65_536, 200e3);
  suspects.count();
  expect(suspects.bytes).toBeCloseTo(bytes);
});

describe('of a list of a thousand', () => {
  const stats = { live: 0 };
  let suspects: Suspects;
  const mintList = (bytesPerHandle: number): void => {
    stats.live += 1_000;
    suspects.add({ suspected: 64, listed: 936 }, bytesPerHandle);
  };
  beforeEach(() => {
    stats.live = 0;
    suspects = new Suspects(stats, LEAST);
  });

  test('all count for what they hold', () => {
    mintList(200e3);
    suspects.count();
    expect(suspects.bytes).toBe(1_000 * 200e3);
  });

  test('light ones count as their first: mostly they die with it', () => {
    mintList(500);
    suspects.count();
    expect(suspects.bytes).toBe(64 * LEAST);
  });

  test('all are counted anew when their page tells what they hold, which was not known', () => {
    mintList(0);
    suspects.correct({ suspected: 64, listed: 936 }, 0, 200e3);
    suspects.count();
    expect(suspects.bytes).toBeCloseTo(1_000 * 200e3);
  });

  test('those that are disposed of do not make light what was forgotten one by one', () => {
    for (let forgotten = 0; forgotten < 1_000; forgotten++) {
      mintList(500);
      stats.live -= 1_000;
      stats.live++;
      suspects.add({ suspected: 1, listed: 0 }, 500);
    }
    suspects.count();
    expect(suspects.bytes).toBeCloseTo(1_000 * LEAST);
  });
});
