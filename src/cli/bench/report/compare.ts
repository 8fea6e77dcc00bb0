/** `--compare A.json B.json`: what changed between two runs, and whether it is more than noise. */
import { readFile } from 'node:fs/promises';
import { printable } from '../../../observe/printable.ts';
import { CannotRunError } from '../../cannot-run-error.ts';
import { formatTable, significant } from '../../format.ts';
import { print } from '../../output.ts';
import type { BenchReport } from './report.ts';
import type { Spread } from './statistics.ts';

export interface Change {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** After by before. */
  readonly ratio: number;
  /** `noise` where the middle halves of the samples overlap, or there are too few samples to tell. */
  readonly verdict: 'better' | 'worse' | 'noise' | 'same';
}

/** Changes smaller than this are none, however sure. */
const SMALLEST = 0.02;
/** Fewer samples than this on either side tell nothing apart. */
const FEWEST = 3;

/** @throws {CannotRunError} for a file that is missing or no report. */
export async function compareFiles(files: readonly string[]): Promise<number> {
  const [a, b, ...more] = files;
  if (a === undefined || b === undefined || more.length > 0) {
    throw new CannotRunError('--compare needs two files: --compare before.json after.json');
  }
  const [before, after] = [await readReport(a), await readReport(b)];
  const rows = compare(before, after).map(({ name, before: was, after: is, ratio, verdict }) => [
    name,
    significant(was),
    significant(is),
    `${significant(ratio)} ×`,
    verdict,
  ]);
  const notes = differencesOf(before, after).map((difference) => printable(`Not the same: ${difference}`));
  const table = formatTable(['figure', 'before', 'after', 'change', ''], rows, [1, 2, 3]);
  print([table, ...notes].join('\n'));
  return 0;
}

/** Targets, and the throughput of each measurement, that both reports have. */
export function compare(before: BenchReport, after: BenchReport): Change[] {
  const rows = before.table.flatMap((row) => {
    const other = after.table.find(({ id }) => id === row.id);
    return other === undefined
      ? []
      : [changeOf(`table: ${row.id}, ${row.unit}`, row.figure, other.figure, row.comparison === 'atLeast')];
  });
  const rates = before.measurements.flatMap(({ id, handlesPerSecond }) => {
    const other = after.measurements.find((candidate) => candidate.id === id);
    return other === undefined ? [] : [changeOf(`${id}, /s`, handlesPerSecond, other.handlesPerSecond, true)];
  });
  return [...rows, ...rates];
}

function changeOf(name: string, before: Spread, after: Spread, isMoreBetter: boolean): Change {
  const ratio = after.median === before.median ? 1 : after.median / before.median;
  const change = { name, before: before.median, after: after.median, ratio };
  if (Math.abs(ratio - 1) < SMALLEST) return { ...change, verdict: 'same' };
  const overlaps = after.low <= before.high && before.low <= after.high;
  if (overlaps || Math.min(before.count, after.count) < FEWEST) return { ...change, verdict: 'noise' };
  return { ...change, verdict: ratio > 1 === isMoreBetter ? 'better' : 'worse' };
}

/** What else is different, and may be the reason. */
function differencesOf(before: BenchReport, after: BenchReport): string[] {
  const keys = ['node', 'browser', 'cpu', 'cpuCount'] as const;
  const differences = keys
    .filter((key) => before.environment[key] !== after.environment[key])
    .map((key) => `${key}, ${before.environment[key]} and ${after.environment[key]}`);
  if (before.quick !== after.quick) differences.push('one run was quick, the other was not');
  return differences;
}

async function readReport(file: string): Promise<BenchReport> {
  let report: BenchReport;
  try {
    report = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new CannotRunError(`${file} cannot be read: ${(error as Error).message}`);
  }
  if (report?.schema !== 1) throw new CannotRunError(`${file} is no report of this bench (schema 1).`);
  return report;
}
