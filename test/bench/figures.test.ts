import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { BenchReport } from '../../bench/report/report.ts';
import type { TargetResult } from '../../bench/report/target.ts';
import { formatFigure } from '../../bench/report/terminal.ts';
import { expectFigures } from '../support/figures.ts';

const root = new URL('../../', import.meta.url);
const report: BenchReport = JSON.parse(readFileSync(new URL('bench/results/latest.json', root), 'utf8'));

/** The rows that tell a newcomer most. Whole scripts stand there all, favourable or not. */
const IN_README: readonly string[] = [
  'scope',
  'all',
  'serial',
  'commands-forget',
  'forget',
  'forget-dispose',
  'large',
  'per-id',
];

it.each(['docs/figures.md', 'bench/README.md'])(
  'the figures in %s are those of the checked-in result',
  (name) => {
    expectFigures(name, 'figures', figuresOf(report, report.table));
  },
);

it('the figures in README.md are some of them', () => {
  const rows = report.table.filter(({ id }) => IN_README.includes(id) || id.startsWith('script-'));
  expect(rows.length).toBeGreaterThanOrEqual(IN_README.length);
  expectFigures('README.md', 'figures', figuresOf(report, rows));
});

function figuresOf({ environment, rounds, quick }: BenchReport, shown: readonly TargetResult[]): string {
  const rows = shown.map(({ work, against, figure, unit, comparison, wanted, reached, proven }) => {
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
