// What a handle is found to hold of its page, against a page whose heap the test sets.
import { beforeEach, describe, expect, test } from 'vitest';
import { FollowingMemory } from '../../src/handles/page-memory.ts';
import { quiescence } from '../support/virtual-clock.ts';

/** What handles are taken to hold at first, as those of the page before. */
const GUESS = 20_480;

/** A page of which only the heap is there, and this process as far as it collects. */
class FakePage {
  readonly sent: string[] = [];
  time = 1_000;
  used = 8e6;
  backingStorage = 0;
  embedderHeap = 0;
  /** Handles that the browser holds: all of them live, unless a test says otherwise. */
  size = 0;
  live = 0;
  /** Collections of this process. */
  collections = 0;
  /** Handles that were told of, and the bytes that they stand for. */
  told = { handles: 0, listed: 0, bytes: 0 };
  /** What a collection takes, and what it leaves; it collects nothing by default. */
  collectionMs = 20;
  left: number | undefined;
  corrected: [handles: number, from: number, to: number][] = [];
  looks: [pageBytes: number, pageBytesPerHandle: number][] = [];
  answers: 'at once' | 'never' | 'with an error' = 'at once';
  readonly weight: FollowingMemory;

  constructor() {
    this.weight = new FollowingMemory(
      { ask: (method) => this.#answer(method) },
      {
        firstBytes: GUESS,
        handles: this,
        collections: () => this.collections,
        now: () => this.time,
        onMinted: ({ suspected, listed }, bytesPerHandle) => {
          this.told.handles += suspected + listed;
          this.told.listed += listed;
          this.told.bytes += (suspected + listed) * bytesPerHandle;
        },
        onCorrected: ({ suspected, listed }, from, to) => this.corrected.push([suspected + listed, from, to]),
        onLook: (...look) => this.looks.push(look),
      },
    );
  }

  noteMint(): void {
    this.weight.suspected++;
    if (++this.weight.mints >= this.weight.nextLookAt) this.weight.look();
  }

  /** Mints handles of that size, ten a turn of 110 ms. */
  async mint(count: number, bytes: number): Promise<void> {
    await quiescence();
    for (let i = 0; i < count; i++) {
      this.used += bytes;
      this.size++;
      this.live++;
      this.noteMint();
      if (i % 10 < 9) continue;
      await quiescence();
      this.time += 110;
    }
    await quiescence();
  }

  asked(method = 'Runtime.getHeapUsage'): number {
    return this.sent.filter((sent) => sent === method).length;
  }

  async #answer(method: string): Promise<unknown> {
    this.sent.push(method);
    if (this.answers === 'never') return new Promise(() => {});
    if (this.answers === 'with an error') throw new Error('Session closed');
    await null; // Answered after what was sent before.
    if (method === 'Runtime.getHeapUsage') {
      return {
        usedSize: this.used,
        totalSize: 1e9,
        embedderHeapUsedSize: this.embedderHeap,
        backingStorageSize: this.backingStorage,
      };
    }
    this.time += this.collectionMs;
    this.used = this.left ?? this.used;
    return {};
  }
}

let page: FakePage;
beforeEach(() => {
  page = new FakePage();
});

describe('what a handle weighs', () => {
  test('is that of the page before while nothing is known', async () => {
    expect(page.weight.bytesPerHandle).toBe(GUESS);
    await page.mint(1, 5e6);
    expect(page.weight.bytesPerHandle).toBe(GUESS);
  });

  test.each([100, 20e3, 200e3, 5e6, 50e6])('follows the page: %d bytes', async (bytes) => {
    await page.mint(60, bytes);
    expect(page.weight.bytesPerHandle).toBe(bytes);
  });

  test('is not misled by what the page holds of its own, nor by collections there', async () => {
    page.used = 800e6;
    await page.mint(60, 200e3);
    page.used = 700e6;
    await page.mint(60, 200e3);
    expect(page.weight.bytesPerHandle).toBe(200e3);
  });

  test('is no more than what the page has for each: an object that is made leaves garbage, too', async () => {
    page.used = 2e6;
    const garbagePerHandle = 130e3;
    await page.mint(500, 200e3 + garbagePerHandle);
    page.used -= 500 * garbagePerHandle; // The page has collected.
    await page.mint(50, 200e3 + garbagePerHandle);
    expect(page.weight.bytesPerHandle).toBeLessThan(220e3);
  });

  test.each([
    ['array buffers', 'backingStorage', 200e3],
    ['what Blink holds, as trees of elements, eightfold', 'embedderHeap', 1.6e6],
  ] as const)('counts %s', async (_, heap, bytes) => {
    for (let i = 0; i < 6; i++) {
      await page.mint(10, 0);
      page[heap] += 10 * 200e3;
    }
    expect(page.weight.bytesPerHandle).toBe(bytes);
  });

  test('is not made less by light handles that the program has held for long', async () => {
    await page.mint(2_000, 500);
    page.collections++;
    await page.mint(60, 2e6);
    expect(page.weight.bytesPerHandle).toBe(2e6);
  });

  describe('where one of ten is kept, and the program disposes of the others', () => {
    /** Rounds of ten mints each, by which the page grows so much. One of them stays. */
    async function goRounds(rounds: number, bytes: number): Promise<void> {
      for (let round = 0; round < rounds; round++) {
        const { size } = page;
        await page.mint(10, bytes / 10);
        page.weight.disposed += 9;
        page.size = page.live = size + 1;
      }
    }

    test('is all that came, once the page has grown by a hundred megabytes', async () => {
      await goRounds(10, 5e6);
      expect(page.weight.bytesPerHandle).toBe(0.5e6);
      await goRounds(30, 5e6);
      expect(page.weight.bytesPerHandle).toBeGreaterThan(3.9e6);
      expect(page.weight.bytesPerHandle).toBeLessThanOrEqual(5e6);
    });

    test('is no more than what the page has grown by for each', async () => {
      await goRounds(40, 5e6);
      page.used = 128e6; // It has collected.
      await goRounds(1, 5e6);
      expect(page.weight.bytesPerHandle).toBeLessThan(3.2e6);
    });

    test('is what a handle brings, where all are disposed of', async () => {
      for (let round = 0; round < 40; round++) {
        await page.mint(10, 0.5e6);
        page.weight.disposed += 10;
        page.size = page.live = 0;
      }
      expect(page.weight.bytesPerHandle).toBe(0.5e6);
    });
  });

  test('is told of all that were minted, by what was known then', async () => {
    await page.mint(8, 200e3);
    expect(page.told).toEqual({ handles: 1, listed: 0, bytes: GUESS });
    await page.mint(80, 200e3);
    expect(page.told.handles).toBeGreaterThan(80);
    expect(page.told.bytes).toBeGreaterThan(50 * 200e3);
  });
});

test('handles that were counted for less are counted anew when their page tells more', async () => {
  await page.mint(100, 500);
  await page.mint(100, 1e6);
  const corrections = page.corrected.reduce((sum, [handles, from, to]) => sum + handles * (to - from), 0);
  expect(page.told.handles).toBeGreaterThan(190);
  expect(page.told.bytes + corrections).toBe(page.told.handles * page.weight.bytesPerHandle);
  expect(page.weight.bytesPerHandle).toBeGreaterThan(0.5e6);
});

test.each([
  ['lighter', 500],
  ['heavier', 200e3],
])('handles that were counted by a guess, and are %s, are counted anew, once', async (_, bytes) => {
  await page.mint(60, bytes);
  expect(page.corrected).toHaveLength(1);
  const [handles, from, to] = page.corrected[0] ?? [0, 0, 0];
  expect([from, to]).toEqual([GUESS, bytes]);
  expect(page.told.bytes + handles * (to - from)).toBe(page.told.handles * bytes);
});

test('so is the rest of a long list', async () => {
  page.weight.listed = 936;
  await page.mint(60, 200e3);
  expect(page.told.listed).toBe(936);
  const corrections = page.corrected.reduce((sum, [handles, from, to]) => sum + handles * (to - from), 0);
  expect(page.told.handles).toBeGreaterThan(980);
  expect(page.told.bytes + corrections).toBe(page.told.handles * 200e3);
});

test('each look is told: the heap of the page, and what a handle stands for there', async () => {
  await page.mint(30, 200e3);
  expect(page.looks).toHaveLength(page.asked());
  expect(page.looks).toEqual([
    [10e6, 0],
    [12e6, 200e3],
    [14e6, 200e3],
  ]);
});

describe('the page is asked', () => {
  test('never while nothing is minted', async () => {
    await quiescence();
    page.time += 60_000;
    await quiescence();
    expect(page.sent).toEqual([]);
  });

  test('twenty times a second at most, however fast handles are minted', async () => {
    await quiescence();
    for (let i = 0; i < 10_000; i++) {
      page.noteMint();
      if (i % 100 < 99) continue;
      await quiescence();
      page.time += 10;
    }
    expect(page.time).toBe(2_000);
    expect(page.asked()).toBeLessThanOrEqual(20);
  });

  test('sooner where the handles are large: eight of them would be most of what is wanted', async () => {
    await page.mint(20, 5e6);
    const before = page.asked();
    page.time += 50;
    for (let i = 0; i < 20; i++) {
      page.noteMint();
      await quiescence();
      page.time += 5;
    }
    expect(page.asked() - before).toBeGreaterThanOrEqual(8); // In 100 ms.
  });

  describe('of light handles', () => {
    /** One mint of that many bytes each so many milliseconds. @returns how often the page was asked. */
    async function looksDuring(ms: number, msPerMint: number, bytes: number): Promise<number> {
      const before = page.asked();
      for (let elapsed = 0; elapsed < ms; elapsed += msPerMint) {
        page.used += bytes;
        page.noteMint();
        await quiescence();
        page.time += msPerMint;
      }
      return page.asked() - before;
    }
    beforeEach(async () => {
      await page.mint(40, 500);
      expect(page.weight.bytesPerHandle).toBe(500);
    });

    test('five times a second, where they are minted fast', async () => {
      const looks = await looksDuring(2_000, 1, 500);
      expect(looks).toBeGreaterThanOrEqual(8);
      expect(looks).toBeLessThanOrEqual(11);
    });

    test('as often as of others, where they take their time, as larger ones would', async () => {
      expect(await looksDuring(2_000, 4, 500)).toBeGreaterThanOrEqual(25);
    });

    test('as often as of others, once they are not light any more', async () => {
      await looksDuring(400, 1, 200e3);
      expect(page.weight.bytesPerHandle).toBeGreaterThan(500);
      expect(await looksDuring(2_000, 1, 200e3)).toBeGreaterThanOrEqual(30);
    });
  });

  test('once, if it does not answer; the weight stays', async () => {
    page.answers = 'never';
    await page.mint(500, 5e6);
    expect(page.sent).toEqual(['Runtime.getHeapUsage']);
    expect(page.weight.bytesPerHandle).toBe(GUESS);
  });

  test('every five seconds, if it answers with errors, and nobody hears of them', async () => {
    page.answers = 'with an error';
    await page.mint(1_000, 5e6);
    expect(page.time).toBe(12_000);
    expect(page.asked()).toBe(3);
    expect(page.weight.bytesPerHandle).toBe(GUESS);
  });
});

describe('the page is told to collect', () => {
  const collected = () => page.asked('HeapProfiler.collectGarbage');

  test('where released handles have left 128 MB behind', async () => {
    await page.mint(30, 5e6);
    expect(collected()).toBe(0);
    page.size = 0;
    page.left = 8e6;
    await page.mint(20, 5e6);
    expect(collected()).toBe(1);
    expect(page.used).toBeLessThan(150e6);
  });

  test.each([
    ['6 MB', 6e6, 30, 1],
    ['less than 1 MB', 0.9e6, 130, 0],
  ])('sooner where the handles are large: of %s each', async (_, bytes, count, times) => {
    await page.mint(count - 10, bytes);
    page.size = 0;
    page.left = 8e6;
    await page.mint(10, bytes);
    expect(collected()).toBe(times);
  });

  test('as soon where a look has come upon a collection of its own', async () => {
    page.left = 8e6;
    for (let round = 0; round < 79; round++) {
      await page.mint(10, 200e3);
      page.size = 0;
      if (round === 74) page.used -= 1.5e6;
    }
    expect(collected()).toBe(1);
  });

  test('not where the handles live', async () => {
    await page.mint(200, 5e6);
    expect(collected()).toBe(0);
  });

  test('in time, though it sweeps by itself now and then, so that some looks show a tenth of what came', async () => {
    let most = 0;
    for (let round = 0; round < 300; round++) {
      await page.mint(10, 330e3);
      page.size = 0;
      page.left = 8e6;
      if (round % 3 > 0) page.used -= round % 3 === 1 ? 2.9e6 : 2e6;
      most = Math.max(most, page.used);
    }
    expect(collected()).toBeGreaterThan(1);
    expect(most).toBeLessThan(200e6);
  });

  test('ever more seldom where that frees nothing: the page has grown by what it holds of its own', async () => {
    for (let round = 0; round < 60; round++) {
      await page.mint(10, 20e3);
      page.size = 0;
      if (round % 3 > 0) page.used += 50e6;
    }
    expect(page.used).toBeGreaterThan(2e9);
    expect(collected()).toBeGreaterThan(0);
    expect(collected()).toBeLessThanOrEqual(8);
    // Once it is worth it again, as often as before.
    const before = collected();
    page.left = 8e6;
    for (let round = 0; round < 1_000; round++) {
      await page.mint(10, 200e3);
      page.size = 0;
    }
    expect(collected() - before).toBeGreaterThanOrEqual(3);
  });

  test('not where it has collected by itself', async () => {
    for (let i = 0; i < 20; i++) {
      await page.mint(30, 5e6);
      page.size = 0;
      page.used = 8e6;
    }
    expect(collected()).toBe(0);
  });

  test('not again before it has rested for as long', async () => {
    page.collectionMs = 1_000;
    page.left = 8e6;
    for (let i = 0; i < 100; i++) {
      await page.mint(10, 20e6);
      page.size = 0;
    }
    // 2 s a round.
    expect(collected()).toBeLessThanOrEqual(Math.ceil((page.time - 1_000) / 2_000));
    expect(collected()).toBeGreaterThan(2);
  });
});
