// However mad the collector is driven, no handle's object is taken early: over the whole of Puppeteer's handle API, on
// pages, frames and workers side by side. `npm run torture` does it 100,000 times, `npm run test:long` a small part of that.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVERY_USE_SITE } from '../../puppeteer/every-use-site.ts';
import { expectAtRest } from '../../support/conservation.ts';
import { PACKAGE, runScript } from '../../support/script.ts';
import { openSite, type Site } from '../../support/site.ts';
import { runs } from '../../support/sized.ts';

const isWhole = runs('torture');

interface Torture {
  readonly flags: readonly string[];
  /** Of so many messages, sent or answered, one has a collection forced before it; 0: V8 has its own reasons. */
  readonly collectOneIn: number;
  readonly operations: number;
  readonly whole: number;
  readonly options?: object;
}

/**
 * What V8 minds of its stress switches in a Node as it is released. `--gc-interval` and `--random-gc-interval` are not
 * among them on Node 20: nothing is collected by them, so that collections are forced at random instead.
 */
const TORTURES: readonly (readonly [string, Torture])[] = [
  ['collections now and then', { flags: [], collectOneIn: 64, operations: 300, whole: 85_000 }],
  [
    'no groups, and collections now and then',
    { flags: [], collectOneIn: 32, operations: 150, whole: 7_000, options: { groups: false } },
  ],
  [
    'all collections whole',
    { flags: ['--gc-global', '--max-semi-space-size=1'], collectOneIn: 0, operations: 150, whole: 6_000 },
  ],
  ['a collection at every tenth message', { flags: [], collectOneIn: 10, operations: 60, whole: 1_000 }],
  [
    'scavenges and marking at random, everything compacted',
    {
      flags: ['--stress-scavenge=40', '--stress-incremental-marking', '--stress-compaction'],
      collectOneIn: 64,
      operations: 60,
      whole: 1_000,
    },
  ],
];

/** What is taken out of the library, and what is done to find that out. */
const FINDINGS: readonly (readonly [string, readonly string[]])[] = [
  ['a pin on what a command names', ['an argument of a worker that is busy']],
  [
    'a look at members that live',
    ['$$', 'arguments', 'properties', 'a handle of a handle', 'a disposed handle'],
  ],
  ['a wait for members that are on their way', ['a handle that comes while the heap is looked at']],
  ['the very object that a handle holds', ['$', 'arguments']],
];

/** The same in each run, unless TORTURE_SEED names another. */
const SEED = Number(process.env.TORTURE_SEED ?? 20_261_121);

/** A process each, with a browser of its own. */
const MOST_IN_A_RUN = 5_000;
const runsOf = (operations: number): number[] =>
  Array.from({ length: Math.ceil(operations / MOST_IN_A_RUN) }, (_, run) =>
    Math.min(MOST_IN_A_RUN, operations - run * MOST_IN_A_RUN),
  );

let site: Site;
beforeAll(async () => {
  site = await openSite(EVERY_USE_SITE);
});
afterAll(() => site[Symbol.asyncDispose]());

async function torture(order: object, flags: readonly string[], timeoutMs: number) {
  const file = join(PACKAGE, 'test/long/torture/torture.mjs');
  const argument = JSON.stringify({ url: site.here, pages: isWhole ? 4 : 2, seed: SEED, ...order });
  const { stdout, ...rest } = await runScript(
    `process.argv[2] = ${JSON.stringify(argument)}; await import(${JSON.stringify(file)});`,
    { execArgv: ['--expose-gc', ...flags], timeoutMs },
  );
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

describe('nothing is released early', () => {
  it.each(TORTURES.map(([name, each]) => [isWhole ? each.whole : each.operations, name, each] as const))(
    'in %i operations with handles, on pages, in frames and workers, with %s',
    async (operations, name, { flags, collectOneIn, options }) => {
      for (const [run, count] of (isWhole ? runsOf(operations) : [operations]).entries()) {
        const { done, messages, collections, early, failed, errors, stats, ms } = await torture(
          { operations: count, collectOneIn, options, seed: SEED + run },
          flags,
          isWhole ? 1_700_000 : 290_000,
        );
        if (isWhole)
          process.stderr.write(
            `${name}: ${done} operations, ${messages} messages, ${collections} collections, ${stats.collected} handles collected, ${early.length} early, ${Math.round(ms / 1_000)} s\n`,
          );
        expect({ early, failed, errors }).toEqual({ early: [], failed: [], errors: [] });
        expect(done).toBeGreaterThanOrEqual(count);
        expect(collections).toBeGreaterThan(5);
        expect(stats.collected).toBeGreaterThan(count / 4);
        expectAtRest(stats);
      }
    },
    isWhole ? 3_600_000 : 300_000,
  );
});

describe.skipIf(isWhole)('it is found out', () => {
  it.each(FINDINGS)(
    'where a build lacks %s',
    async (without, only) => {
      const order = { operations: 1_000, pages: 1, collectOneIn: 1, without, only };
      const { early } = await torture(order, [], 290_000);
      expect(early.length).toBeGreaterThan(0);
    },
    300_000,
  );
});
