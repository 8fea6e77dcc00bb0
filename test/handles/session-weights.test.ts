// What the sessions of one attachment learn from one another: pages of a farm are alike, and many live for a second.
import { expect, test } from 'vitest';
import { SessionMemories } from '../../src/handles/attached-sessions.ts';
import { LEAST_BYTES_PER_HANDLE } from '../../src/policy.ts';
import { quiescence } from '../support/virtual-clock.ts';

let time = 1_000;

const openStats = () => ({ live: 0, chargedBytes: 0, bytesPerHandle: 0 });

/** A page whose heap grows with each handle, and that is asked for it as handles are minted. */
class FakePage {
  size = 0;
  live = 0;
  #used = 8e6;
  readonly looks: number[] = [];
  readonly weight;

  constructor(weights: SessionMemories) {
    const ask = async (): Promise<unknown> => ({ usedSize: this.#used });
    this.weight = weights.open({ ask }, this, (pageBytes) => this.looks.push(pageBytes));
  }

  async mint(count: number, bytes: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.#used += bytes;
      this.size++;
      this.live++;
      if (++this.weight.mints >= this.weight.nextLookAt) this.weight.look();
      await quiescence();
      time += 10;
    }
  }
}

function openWeights() {
  const stats = openStats();
  const weights = new SessionMemories('follow', () => time, stats);
  return Object.assign(weights, { [Symbol.dispose]: () => weights.stop() });
}

test('the first page has to be looked at', async () => {
  using weights = openWeights();
  const page = new FakePage(weights);
  expect(page.weight.bytesPerHandle).toBe(0);
  await page.mint(40, 500);
  expect(page.weight.bytesPerHandle).toBe(500);
  expect(page.looks.length).toBeGreaterThan(1);
});

test('a light handle counts for more than the page has of it: else a script that forgets would wait for V8', async () => {
  const stats = openStats();
  const weights = new SessionMemories('follow', () => time, stats);
  try {
    const page = new FakePage(weights);
    await page.mint(40, 500);
    expect(stats.bytesPerHandle).toBe(LEAST_BYTES_PER_HANDLE);
  } finally {
    weights.stop();
  }
});

test('a handle of a new page weighs what those of the last page did, from the first on', async () => {
  using weights = openWeights();
  await new FakePage(weights).mint(40, 500);
  expect(new FakePage(weights).weight.bytesPerHandle).toBe(500);
  await new FakePage(weights).mint(40, 200e3);
  expect(new FakePage(weights).weight.bytesPerHandle).toBe(200e3);
});

test('a page that is not like the last one is found out', async () => {
  using weights = openWeights();
  await new FakePage(weights).mint(40, 500);
  const page = new FakePage(weights);
  await page.mint(40, 200e3);
  expect(page.weight.bytesPerHandle).toBe(200e3);
});

test('attachments do not learn from one another', async () => {
  using weights = openWeights();
  await new FakePage(weights).mint(40, 500);
  using others = openWeights();
  expect(new FakePage(others).weight.bytesPerHandle).toBe(0);
});
