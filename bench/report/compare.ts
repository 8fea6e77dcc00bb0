/** `--compare A.json B.json`: what changed between two runs, and whether it is more than noise. */
import { readFile } from 'node:fs/promises';
import { CannotRunError } from '../../src/cli/cannot-run-error.ts';
import { formatTable, significant } from '../../src/cli/format.ts';
import { print } from '../../src/cli/output.ts';
import { printable } from '../../src/observe/printable.ts';
import type { BenchReport } from './report.ts';
import type { Spread } from './statistics.ts';

export interface Change {
  readonly name: string;
  readonly before: number;
  readonly after: number;
  /** After by before. */
  readonly ratio: number;
  /**
   * `noise` where the middle halves of the samples overlap, or there are too few samples to tell. `crashed` and
   * `unproven` where the page did, or its census did not bear the samples out, in either run: then no figure counts.
   */
  readonly verdict: 'better' | 'worse' | 'noise' | 'same' | Flaw;
}

type Flaw = 'crashed' | 'unproven';

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
    shown(was),
    shown(is),
    isKnown(was) && isKnown(is) ? `${shown(ratio)} ×` : '',
    verdict,
  ]);
  const notes = differencesOf(before, after).map((difference) => printable(`Not the same: ${difference}`));
  const table = formatTable(['figure', 'before', 'after', 'change', ''], rows, [1, 2, 3]);
  print([table, ...notes].join('\n'));
  return 0;
}

/** Also where commands per handle, say, are a ten-thousandth. JSON has no infinity, and says `null`. */
function shown(figure: number | null): string {
  if (!isKnown(figure)) return '–';
  const digits = figure > 0 && figure < 0.1 ? Math.min(12, 2 - Math.floor(Math.log10(figure))) : undefined;
  return digits === undefined ? significant(figure) : figure.toFixed(digits);
}

function isKnown(figure: number | null): figure is number {
  return figure !== null && Number.isFinite(figure);
}

/** Targets, and the throughput of each measurement, that both reports have. */
export function compare(before: BenchReport, after: BenchReport): Change[] {
  const rows = before.table.flatMap((row) => {
    const other = after.table.find(({ id }) => id === row.id);
    if (other === undefined) return [];
    const name = `table: ${row.id}, ${row.unit}`;
    const flaw = flawOf([row, other]);
    return [changeOf(name, row.figure, other.figure, row.comparison === 'atLeast', flaw)];
  });
  const rates = before.measurements.flatMap((measurement) => {
    const other = after.measurements.find(({ id }) => id === measurement.id);
    if (other === undefined) return [];
    const flaw = flawOf([measurement, other]);
    return [changeOf(`${other.id}, /s`, measurement.handlesPerSecond, other.handlesPerSecond, true, flaw)];
  });
  return [...rows, ...rates];
}

interface Proof {
  readonly proven: boolean;
  readonly crashed?: boolean;
  /** `null` in JSON: the page crashed, and the figure was infinite. */
  readonly figure?: { readonly median: number | null };
}

function flawOf(proofs: readonly Proof[]): Flaw | undefined {
  if (proofs.some(({ crashed, figure }) => crashed || figure?.median === null)) return 'crashed';
  return proofs.every(({ proven }) => proven) ? undefined : 'unproven';
}

function changeOf(
  name: string,
  before: Spread,
  after: Spread,
  isMoreBetter: boolean,
  flaw: Flaw | undefined,
): Change {
  const ratio = after.median === before.median ? 1 : after.median / before.median;
  const change = { name, before: before.median, after: after.median, ratio };
  if (flaw !== undefined) return { ...change, verdict: flaw };
  if (Math.abs(ratio - 1) < SMALLEST) return { ...change, verdict: 'same' };
  const overlaps = after.low <= before.high && before.low <= after.high;
  if (overlaps || Math.min(before.count, after.count) < FEWEST) return { ...change, verdict: 'noise' };
  return { ...change, verdict: ratio > 1 === isMoreBetter ? 'better' : 'worse' };
}

/** What else is different, and may be the reason. */
function differencesOf(before: BenchReport, after: BenchReport): string[] {
  const [was, is] = [factsOf(before), factsOf(after)];
  const differences = [...new Set([...Object.keys(was), ...Object.keys(is)])]
    .filter((name) => was[name] !== is[name])
    .map((name) => `${name}, ${was[name] ?? 'none'} and ${is[name] ?? 'none'}`);
  if (before.quick !== after.quick) differences.push('one run was quick, the other was not');
  return differences;
}

function factsOf({ environment }: BenchReport): Readonly<Record<string, string | number>> {
  const { node, platform, browser, cpu, cpuCount, packages } = environment;
  return { node, platform, browser, cpu, cpuCount, ...packages };
}

async function readReport(file: string): Promise<BenchReport> {
  let report: Partial<BenchReport> | null;
  try {
    report = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new CannotRunError(`${file} cannot be read: ${(error as Error).message}`);
  }
  // Those of 0.1.0 do not say what kind they are.
  const isOurs = report?.schema === 1 && (report.kind ?? 'bench') === 'bench';
  if (!isOurs || !Array.isArray(report?.table) || !Array.isArray(report?.measurements)) {
    const kind = report?.kind === undefined ? '' : `, but of kind "${report.kind}"`;
    throw new CannotRunError(`${file} is no report of this bench (schema 1)${kind}.`);
  }
  return report as BenchReport;
}
