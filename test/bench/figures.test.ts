import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { BenchReport } from '../../src/cli/bench/report/report.ts';
import { formatFigure } from '../../src/cli/bench/report/terminal.ts';

const root = new URL('../../', import.meta.url);
const report: BenchReport = JSON.parse(readFileSync(new URL('bench/results/latest.json', root), 'utf8'));
const BLOCK = /<!-- figures -->\n([\s\S]*?)<!-- \/figures -->/;

it.each(['README.md', 'bench/README.md'])('the figures in %s are those of the checked-in result', (name) => {
  const file = new URL(name, root);
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  if (!BLOCK.test(text)) {
    expect(name).not.toBe('bench/README.md');
    return;
  }
  const block = `<!-- figures -->\n${figuresOf(report)}<!-- /figures -->`;
  if (process.env.UPDATE_FIGURES)
    writeFileSync(
      file,
      text.replace(BLOCK, () => block),
    );
  else expect(squeezed(BLOCK.exec(text)?.[0])).toBe(squeezed(block));
});

/** The formatter pads the cells of a table, and puts blank lines around it. */
function squeezed(text: string | undefined): string | undefined {
  return text?.replace(/-+/g, '-').replace(/\s+/g, '');
}

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
