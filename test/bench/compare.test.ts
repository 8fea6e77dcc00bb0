// What two reports say has changed: only what is more than noise, and for the better in the figure's own direction.
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test, vi } from 'vitest';
import { compare, compareFiles } from '../../bench/report/compare.ts';
import type { BenchReport } from '../../bench/report/report.ts';

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

test('where a page crashed or a census failed, in either run, nothing is better', () => {
  const [before, after] = [reportOf([1, 0, 5], 'atMost'), reportOf([5, 0, 5], 'atMost')];
  const flawed = (figures: object): BenchReport => ({
    ...after,
    table: after.table.map((other) => ({ ...other, ...figures })),
    measurements: after.measurements.map((other) => ({ ...other, ...figures })),
  });
  const verdicts = (a: BenchReport, b: BenchReport) => compare(a, b).map(({ verdict }) => verdict);
  expect(verdicts(before, flawed({ proven: false }))).toEqual(['unproven', 'unproven']);
  expect(verdicts(flawed({ proven: false }), before)).toEqual(['unproven', 'unproven']);
  expect(verdicts(before, flawed({ crashed: true, proven: false }))).toEqual(['crashed', 'crashed']);
  const infinite = { median: null, low: null, high: null, count: 1 }; // As JSON has it.
  expect(verdicts(before, flawed({ figure: infinite, proven: false }))).toEqual(['crashed', 'crashed']);
});

test('it is printed with digits that tell something, and with all that differs', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'compare-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const files = [join(folder, 'a.json'), join(folder, 'b.json')] as const;
  const [a, b] = [reportOf([0.00005, 0, 5], 'atMost'), reportOf([0.000031, 0, 5], 'atMost')];
  const crashed = { ...b.measurements[0], handlesPerSecond: { median: Number.NaN }, crashed: true };
  const environment = { ...a.environment, platform: 'plan9 mips', packages: { 'puppeteer-core': '1.0.0' } };
  await writeFile(files[0], JSON.stringify(a));
  await writeFile(files[1], JSON.stringify({ ...b, measurements: [crashed], environment }));
  const printed: string[] = [];
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed.push(String(text));
    return true;
  });
  onTestFinished(() => write.mockRestore());
  expect(await compareFiles(files)).toBe(0);
  const text = printed.join('');
  expect(text).toMatch(/0\.0000500 +0\.0000310 +0\.62 × +better/);
  expect(text).toMatch(/\/s +0\.0000500 +– +crashed/);
  expect(text).toMatch(/Not the same: platform, .* and plan9 mips/);
  expect(text).toMatch(/Not the same: puppeteer-core, .* and 1\.0\.0/);
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
  const folder = await mkdtemp(join(tmpdir(), 'compare-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const doctors = join(folder, 'doctor.json');
  await writeFile(doctors, JSON.stringify({ kind: 'doctor', schema: 1, leaks: [] }));
  await expect(compareFiles([ours, doctors])).rejects.toThrow(
    'no report of this bench (schema 1), but of kind "doctor"',
  );
});
