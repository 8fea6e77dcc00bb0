// Months of a scraper in small: nothing of the library's, of the process's or of the page's grows with the handles
// that have gone through. `npm run soak` takes a million of them and shows the course; `npm run test:long` a twentieth.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectAtRest } from '../../support/conservation.ts';
import { PACKAGE, runScript } from '../../support/script.ts';
import { runs } from '../../support/sized.ts';
import { growthOf } from './slope.ts';

const isWhole = runs('soak');
const SIZE = isWhole ? { rounds: 23, handlesPerVisit: 4_300 } : { rounds: 12, handlesPerVisit: 400 };
/** Until then caches fill and code is compiled. */
const WARM_UP = 1 / 3;

/**
 * How much each figure may grow from the end of the warm-up to the end, by its slope: the noise of a run without a leak,
 * and little more. A leak of a map entry for each handle would be 3 MB in the tests' run, and 60 in the whole.
 */
const TOLERANCES = {
  clientHeap: 1.5e6,
  clientBuffers: 1.5e6,
  clientRss: 40e6,
  pageHeap: 1e6,
  live: 100,
  records: 100,
  groups: 60,
  contexts: 30,
  ledgers: 10,
  timers: 40,
  listeners: 0,
} as const;

type Figure = keyof typeof TOLERANCES;

interface Look {
  readonly minted: number;
  readonly navigations: number;
  readonly figures: Readonly<Record<Figure, number>>;
}

describe('a soak', () => {
  it(
    `over ${SIZE.rounds * 10} visits leaves everything flat`,
    async () => {
      const { looks, stats } = await soak({ ...SIZE, leaks: [] });
      const growths = growthsOf(looks);
      if (isWhole) process.stderr.write(`\n${tableOf(looks, growths)}\n`);
      expect(looks.at(-1)?.minted).toBeGreaterThan(isWhole ? 1_000_000 : 50_000);
      expect(looks.at(-1)?.navigations).toBeGreaterThan(isWhole ? 200 : 100);
      for (const figure of FIGURES) expect(growths[figure], figure).toBeLessThanOrEqual(TOLERANCES[figure]);
      expectAtRest(stats);
      expect(stats).toMatchObject({ failed: 0, timedOut: 0, dropped: 0 });
    },
    isWhole ? 900_000 : 300_000,
  );

  it('that leaks is found out, by each figure', async () => {
    const leaks = ['handles', 'records', 'timers', 'listeners', 'memory', 'page'];
    const { looks } = await soak({ rounds: 8, handlesPerVisit: 400, leaks });
    const growths = growthsOf(looks);
    const found = FIGURES.filter((figure) => growths[figure] > TOLERANCES[figure]);
    // Groups, contexts and ledgers are kept by the records that leak.
    expect(found).toEqual(FIGURES);
  }, 300_000);
});

const FIGURES = Object.keys(TOLERANCES) as Figure[];

async function soak(order: { rounds: number; handlesPerVisit: number; leaks: string[] }) {
  const file = join(PACKAGE, 'test/long/soak/soaking.mjs');
  const { stdout, ...rest } = await runScript(
    `process.argv[2] = ${JSON.stringify(JSON.stringify(order))}; await import(${JSON.stringify(file)});`,
    { execArgv: ['--expose-gc', '--no-warnings'], timeoutMs: isWhole ? 890_000 : 290_000 },
  );
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { stats } = lines.pop();
  return { looks: lines as Look[], stats };
}

function growthsOf(looks: readonly Look[]): Record<Figure, number> {
  const warm = looks.slice(Math.floor(looks.length * WARM_UP));
  const growth = (figure: Figure): number =>
    growthOf(warm.map(({ minted, figures }) => ({ x: minted, y: figures[figure] })));
  return Object.fromEntries(FIGURES.map((figure) => [figure, growth(figure)])) as Record<Figure, number>;
}

/** A row for each figure: its course from the first look to the last, and its slope. */
function tableOf(looks: readonly Look[], growths: Record<Figure, number>): string {
  const shown = [0, 0.25, 0.5, 0.75, 1].map((part) => looks[Math.round(part * (looks.length - 1))] as Look);
  const row = (cells: readonly string[]): string =>
    cells.map((cell, index) => (index === 0 ? cell.padEnd(14) : cell.padStart(13))).join('');
  const number = (value: number): string => Math.round(value).toLocaleString('en-US');
  const warm = (looks.at(-1)?.minted ?? 0) - (looks[Math.floor(looks.length * WARM_UP)]?.minted ?? 0);
  return [
    row(['handles', ...shown.map(({ minted }) => number(minted)), 'growth', 'tolerance', 'per handle']),
    ...FIGURES.map((figure) =>
      row([
        figure,
        ...shown.map(({ figures }) => number(figures[figure])),
        number(growths[figure]),
        number(TOLERANCES[figure]),
        (growths[figure] / warm).toFixed(4),
      ]),
    ),
  ].join('\n');
}
