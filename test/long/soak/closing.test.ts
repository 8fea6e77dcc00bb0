// Pages, contexts, workers and connections that come and go leave this process as they do without us: of ten thousand pages
// closed in `npm run soak`, and of as many as tell in `npm run test:long`.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { PACKAGE, runScript } from '../../support/script.ts';
import { runs } from '../../support/sized.ts';
import { growthOf } from './slope.ts';

const isWhole = runs('soak');
const PAGES = isWhole ? 10_000 : 200;
/**
 * The heap may be so much larger than without us: what is loaded of ours, compiled and optimised in the first thousand pages
 * (0.8 MB before the first, 1.8 MB from then on), and the noise of a heap.
 */
const MOST_MORE = 1.05;
const LOADED_BYTES = 2e6;
/** Bytes that a closed page may leave, beside what it leaves without us. A page kept would be 100,000 and more. */
const MOST_PER_PAGE = isWhole ? 100 : 5_000;
const TIMEOUT_MS = isWhole ? 3_000_000 : 280_000;

it(
  `of ${PAGES} pages that were closed, this process keeps no more than without us`,
  async () => {
    const plain = await crawl(true);
    const attached = await crawl(false);
    if (isWhole) process.stderr.write(`\n${tableOf(plain, attached)}\n`);
    expect(attached.alive).toBe(plain.alive);
    expect(attached.perPage - plain.perPage, 'bytes a page').toBeLessThan(MOST_PER_PAGE);
    expect(attached.heap).toBeLessThan(plain.heap * MOST_MORE + LOADED_BYTES);
  },
  2 * TIMEOUT_MS,
);

interface Look {
  readonly opened: number;
  readonly heap: number;
}

interface Crawl {
  readonly looks: readonly Look[];
  /** Of the first hundred pages, how many live at the end. */
  readonly alive: number;
  /** Bytes of the heap for each page, by the slope over all looks. */
  readonly perPage: number;
  /** Bytes of the heap at the end. */
  readonly heap: number;
}

async function crawl(isPlain: boolean): Promise<Crawl> {
  const file = join(PACKAGE, 'test/long/soak/closing.mjs');
  const order = JSON.stringify(JSON.stringify({ pages: PAGES, isPlain }));
  const { stdout, ...rest } = await runScript(
    `process.argv[2] = ${order}; await import(${JSON.stringify(file)});`,
    { execArgv: ['--expose-gc', '--no-warnings'], timeoutMs: TIMEOUT_MS },
  );
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { alive } = lines.pop();
  const looks = lines as Look[];
  const perPage = growthOf(looks.map(({ opened, heap }) => ({ x: opened, y: heap }))) / PAGES;
  return { looks, alive, perPage, heap: looks.at(-1)?.heap ?? 0 };
}

function tableOf(plain: Crawl, attached: Crawl): string {
  const row = (cells: readonly string[]): string => cells.map((cell) => cell.padStart(14)).join('');
  return [
    row(['pages closed', 'plain MB', 'attached MB']),
    ...plain.looks.map(({ opened, heap }, index) =>
      row([String(opened), (heap / 1e6).toFixed(2), ((attached.looks[index]?.heap ?? 0) / 1e6).toFixed(2)]),
    ),
    row(['bytes a page', plain.perPage.toFixed(0), attached.perPage.toFixed(0)]),
  ].join('\n');
}
