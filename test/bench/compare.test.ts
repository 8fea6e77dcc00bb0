// What two reports say has changed: only what is more than noise, and for the better in the figure's own direction.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { compare, compareFiles } from '../../src/cli/bench/report/compare.ts';
import type { BenchReport } from '../../src/cli/bench/report/report.ts';

const report: BenchReport = JSON.parse(
  readFileSync(new URL('../../bench/results/latest.json', import.meta.url), 'utf8'),
);
const [row] = report.table;
const [measurement] = report.measurements;
if (row === undefined || measurement === undefined) throw new Error('the checked-in result is empty');

type Figures = readonly [median: number, spread: number, count: number];

function reportOf([median, spread, count]: Figures, comparison: 'atLeast' | 'atMost'): BenchReport {
  const figure = { median, low: median - spread, high: median + spread, count };
  return {
    ...report,
    table: [{ ...row, figure, comparison } as BenchReport['table'][number]],
    measurements: [{ ...measurement, handlesPerSecond: figure } as BenchReport['measurements'][number]],
  };
}

test.each([
  ['higher where more is wanted', 'atLeast', [100, 1, 5], [150, 1, 5], ['better', 'better']],
  ['higher where less is wanted', 'atMost', [100, 1, 5], [150, 1, 5], ['worse', 'better']],
  ['lower where less is wanted', 'atMost', [100, 1, 5], [50, 1, 5], ['better', 'worse']],
  ['hardly another', 'atLeast', [100, 0, 5], [101, 0, 5], ['same', 'same']],
  ['within the spread', 'atLeast', [100, 30, 5], [150, 30, 5], ['noise', 'noise']],
  ['of too few samples', 'atLeast', [100, 1, 5], [150, 1, 2], ['noise', 'noise']],
] as const)('a figure that is %s', (_, comparison, before, after, verdicts) => {
  const changes = compare(reportOf(before, comparison), reportOf(after, comparison));
  expect(changes.map(({ verdict }) => verdict)).toEqual(verdicts);
  expect(changes[0]?.name).toBe(`table: ${row.id}, ${row.unit}`);
  expect(changes[0]?.ratio).toBe(after[0] / before[0]);
});

test('what only one of them has is left out', () => {
  const before = reportOf([1, 0, 5], 'atLeast');
  expect(compare(before, { ...before, table: [], measurements: [] })).toEqual([]);
});

test('it is of two files, and of reports of this bench', async () => {
  const ours = fileURLToPath(new URL('../../bench/results/latest.json', import.meta.url));
  const another = fileURLToPath(new URL('../../package.json', import.meta.url));
  for (const files of [[], [ours], [ours, ours, ours]]) {
    await expect(compareFiles(files)).rejects.toThrow('--compare needs two files');
  }
  await expect(compareFiles(['nowhere.json', ours])).rejects.toThrow('nowhere.json cannot be read: ENOENT');
  await expect(compareFiles([ours, another])).rejects.toThrow('is no report of this bench');
});
