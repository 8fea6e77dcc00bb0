/** The figures of what an import costs are those of the checked-in result. `UPDATE_FIGURES=1` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Spread } from '../../src/cli/bench/report/statistics.ts';

interface ImportReport {
  readonly environment: { readonly node: string; readonly cpu: string; readonly cpuCount: number };
  readonly rounds: number;
  readonly bare: { readonly cpuMs: Spread };
  readonly imports: readonly { readonly name: string; readonly cpuMs: Spread }[];
}

const root = new URL('../../', import.meta.url);
const document = new URL('bench/README.md', root);
const BLOCK = /<!-- import figures -->\n([\s\S]*?)<!-- \/import figures -->/;

it('the figures of imports are those of the checked-in result', () => {
  const json = readFileSync(new URL('bench/results/import-cost.json', root), 'utf8');
  const text = readFileSync(document, 'utf8');
  const block = `<!-- import figures -->\n${figuresOf(JSON.parse(json))}<!-- /import figures -->`;
  expect(text).toMatch(BLOCK);
  if (process.env.UPDATE_FIGURES) {
    writeFileSync(
      document,
      text.replace(BLOCK, () => block),
    );
  } else expect(BLOCK.exec(text)?.[0]).toBe(block);
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
