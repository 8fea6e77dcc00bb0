/** The documents' figures of releases from worker threads. `UPDATE_FIGURES=1` writes them from the checked-in result. */
import { readFileSync } from 'node:fs';
import { it } from 'vitest';
import type { Spread } from '../../bench/report/statistics.ts';
import { expectFigures } from '../support/figures.ts';

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

it("the documents' figures of releases from worker threads are those of the checked-in result", () => {
  const report: ThreadsReport = JSON.parse(readFileSync(new URL('bench/results/threads.json', root), 'utf8'));
  expectFigures('docs/threads.md', 'thread figures', figuresOf(report));
});

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
