import { readFileSync } from 'node:fs';
import { it } from 'vitest';
import type { BenchReport } from '../../bench/report/report.ts';
import { formatFigure } from '../../bench/report/terminal.ts';
import { expectFigures } from '../support/figures.ts';

const root = new URL('../../', import.meta.url);
const report: BenchReport = JSON.parse(readFileSync(new URL('bench/results/latest.json', root), 'utf8'));

it.each(['README.md', 'bench/README.md'])('the figures in %s are those of the checked-in result', (name) => {
  expectFigures(name, 'figures', figuresOf(report));
});

function figuresOf({ table, environment, rounds, quick }: BenchReport): string {
  const rows = table.map(({ work, against, figure, unit, comparison, wanted, reached, proven }) => {
    const sign = comparison === 'atLeast' ? '≥' : '≤';
    const verdict = reached ? 'reached' : proven ? 'not reached' : 'not proven';
    const range = `${formatFigure(figure.low, unit)} … ${formatFigure(figure.high, unit)}`;
    return `| ${work} | ${against} | **${formatFigure(figure.median, unit)}** | ${range} | ${sign} ${formatFigure(wanted, unit)} | ${verdict} |\n`;
  });
  const { browser, node, cpuCount, cpu, packages } = environment;
  const clients = Object.entries(packages).map(([client, version]) => `${client} ${version}`);
  return [
    '| work | against | ratio | spread | wanted | |\n|---|---|---|---|---|---|\n',
    ...rows,
    `\n${browser}, Node ${node}, ${clients.join(', ')}; ${cpuCount} × ${cpu}; ${rounds} rounds${quick ? ', quick' : ''}.\n`,
  ].join('');
}
