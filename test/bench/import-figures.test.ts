/** The figures of what an import costs are those of the checked-in result. `UPDATE_FIGURES=1` writes them. */
import { readFileSync } from 'node:fs';
import { it } from 'vitest';
import type { Spread } from '../../bench/report/statistics.ts';
import { expectFigures } from '../support/figures.ts';

interface ImportReport {
  readonly environment: { readonly node: string; readonly cpu: string; readonly cpuCount: number };
  readonly rounds: number;
  readonly bare: { readonly cpuMs: Spread };
  readonly imports: readonly { readonly name: string; readonly cpuMs: Spread }[];
}

const root = new URL('../../', import.meta.url);

it('the figures of imports are those of the checked-in result', () => {
  const json = readFileSync(new URL('bench/results/import-cost.json', root), 'utf8');
  expectFigures('bench/README.md', 'import figures', figuresOf(JSON.parse(json)));
});

function figuresOf({ environment, rounds, bare, imports }: ImportReport): string {
  const { node, cpu, cpuCount } = environment;
  const rows = imports.map(({ name, cpuMs: { median, low, high } }) => {
    return `| \`${name}\` | ${median.toFixed(1)} | ${low.toFixed(1)} … ${high.toFixed(1)} |\n`;
  });
  return [
    '| import | milliseconds | |\n|---|---|---|\n',
    ...rows,
    `\nCPU time of all threads, over the ${bare.cpuMs.median.toFixed(0)} ms of an empty module; medians, and where half of `,
    `the ${rounds} rounds lie.\nNode ${node}, ${cpuCount} × ${cpu}.\n`,
  ].join('');
}
