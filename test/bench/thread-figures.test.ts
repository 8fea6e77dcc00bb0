/** The README's figures of releases from worker threads. `UPDATE_FIGURES=1` writes them from the checked-in result. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Spread } from '../../src/cli/bench/report/statistics.ts';

interface Summary {
  readonly nanoseconds: Spread;
  readonly timesTheRing: Spread;
}

interface ThreadsReport {
  readonly environment: { readonly node: string; readonly cpu: string; readonly cpuCount: number };
  readonly workerCount: number;
  readonly rounds: number;
  readonly loads: readonly {
    readonly name: string;
    readonly ways: readonly {
      readonly way: string;
      readonly worker: Summary;
      readonly connection: Summary;
    }[];
  }[];
}

const root = new URL('../../', import.meta.url);
const readme = new URL('README.md', root);
const BLOCK = /<!-- thread figures -->\n([\s\S]*?)<!-- \/thread figures -->/;

it("the README's figures of releases from worker threads are those of the checked-in result", () => {
  const report: ThreadsReport = JSON.parse(readFileSync(new URL('bench/results/threads.json', root), 'utf8'));
  const text = readFileSync(readme, 'utf8');
  const block = `<!-- thread figures -->\n${figuresOf(report)}<!-- /thread figures -->`;
  expect(text).toMatch(BLOCK);
  if (process.env.UPDATE_FIGURES)
    writeFileSync(
      readme,
      text.replace(BLOCK, () => block),
    );
  else expect(squeezed(BLOCK.exec(text)?.[0])).toBe(squeezed(block));
});

/** A formatter may pad the cells of a table, and put blank lines around it. */
function squeezed(text: string | undefined): string | undefined {
  return text?.replace(/-+/g, '-').replace(/\s+/g, '');
}

function figuresOf({ environment, workerCount, rounds, loads }: ThreadsReport): string {
  const rows = loads.flatMap(({ name, ways }) =>
    ways.map(
      ({ way, worker, connection }) => `| ${name} | ${way} | ${cells(worker)} | ${cells(connection)} |\n`,
    ),
  );
  const { node, cpu, cpuCount } = environment;
  const workers = workerCount === 1 ? '1 worker' : `${workerCount} workers`;
  return [
    "| releases | by | worker | of the ring | connection's thread | of the ring's |\n|---|---|---|---|---|---|\n",
    ...rows,
    `\nPer id, medians; ratios within one round. ${workers}, Node ${node}, ${cpuCount} × ${cpu}; ${rounds} rounds.\n`,
  ].join('');
}

function cells({ nanoseconds, timesTheRing }: Summary): string {
  return `${Math.round(nanoseconds.median).toLocaleString('en')} ns | ${timesTheRing.median.toFixed(1)} ×`;
}
