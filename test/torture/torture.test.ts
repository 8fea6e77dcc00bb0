// However mad the collector is driven, no handle's object is taken early: over the whole of Puppeteer's handle API, on
// pages, frames and workers side by side. `npm run torture` does it 100,000 times; the tests a small part of that.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERY_USE_SITE } from '../puppeteer/every-use-site.ts';
import { expectAtRest } from '../support/attached.ts';
import { PACKAGE, runScript } from '../support/script.ts';
import { openSite, type Site } from '../support/site.ts';

const isWhole = process.env.MODE === 'torture';

interface Torture {
  readonly flags: readonly string[];
  /** A collection is forced at each so many-th message, sent or answered; 0: never, V8 has its own reasons. */
  readonly collectEach: number;
  readonly operations: number;
  readonly whole: number;
  readonly options?: object;
}

/** What this Node's V8 minds of its stress switches; others (`--gc-interval`) only a debug build does. */
const TORTURES: readonly (readonly [string, Torture])[] = [
  ['a collection around every message', { flags: [], collectEach: 1, operations: 60, whole: 2_000 }],
  ['a collection around every fifth message', { flags: [], collectEach: 5, operations: 110, whole: 8_000 }],
  [
    'all collections whole',
    { flags: ['--gc-global', '--max-semi-space-size=1'], collectEach: 0, operations: 300, whole: 60_000 },
  ],
  [
    'scavenges and marking at random, everything compacted',
    {
      flags: ['--stress-scavenge=40', '--stress-incremental-marking', '--stress-compaction'],
      collectEach: 16,
      operations: 110,
      whole: 20_000,
    },
  ],
  [
    'no groups, a collection at every fourth message',
    { flags: [], collectEach: 4, operations: 110, whole: 10_000, options: { groups: false } },
  ],
];

let site: Site;
beforeAll(async () => {
  site = await openSite(EVERY_USE_SITE);
});
afterAll(() => site[Symbol.asyncDispose]());

async function torture(order: object, flags: readonly string[], timeoutMs: number) {
  const file = join(PACKAGE, 'test/torture/torture.mjs');
  const argument = JSON.stringify({ url: site.here, pages: 2, ...order });
  const { stdout, ...rest } = await runScript(
    `process.argv[2] = ${JSON.stringify(argument)}; await import(${JSON.stringify(file)});`,
    { execArgv: ['--expose-gc', ...flags], timeoutMs },
  );
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

describe('nothing is released early with', () => {
  it.each(TORTURES)(
    '%s',
    async (name, { flags, collectEach, operations, whole, options }) => {
      const count = isWhole ? whole : operations;
      const { done, messages, collections, early, failed, errors, stats } = await torture(
        { operations: count, collectEach, options },
        flags,
        isWhole ? 1_700_000 : 100_000,
      );
      if (isWhole)
        process.stderr.write(
          `${name}: ${done} operations, ${messages} messages, ${collections} collections, ${stats.collected} handles collected, ${early.length} early\n`,
        );
      expect({ early, failed, errors }).toEqual({ early: [], failed: [], errors: [] });
      expect(done).toBeGreaterThanOrEqual(count);
      expect(collections).toBeGreaterThan(count / 20);
      expect(stats.collected).toBeGreaterThan(count);
      expectAtRest(stats);
    },
    isWhole ? 1_800_000 : 110_000,
  );
});

describe('it is found out where a build lacks', () => {
  it.each([
    ['a pin on what a command names', ['an argument of a worker that is busy']],
    [
      'a look at members that live',
      ['$$', 'arguments', 'properties', 'a handle of a handle', 'a disposed handle'],
    ],
    ['the very object that a handle holds', ['$', 'arguments']],
  ])(
    '%s',
    async (without, only) => {
      const order = { operations: 2_000, pages: 1, collectEach: 1, without, only };
      const { early } = await torture(order, [], 100_000);
      expect(early.length).toBeGreaterThan(0);
    },
    110_000,
  );
});
