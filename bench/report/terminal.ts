/** The report for people, at a terminal. */

import { formatCount, formatTable, significant } from '../../src/cli/format.ts';
import { printable } from '../../src/observe/printable.ts';
import type { BenchReport, MeasurementReport } from './report.ts';
import { SCENARIOS } from './scenarios.ts';
import type { TargetResult } from './target.ts';

/** Everything that a run found: the targets, then a table for each scenario. */
export function formatReport(report: BenchReport): string {
  const { environment, measurements, table } = report;
  const blocks = SCENARIOS.flatMap(({ name, title, about }) => {
    const members = measurements.filter(({ scenario }) => scenario === name);
    return members.length === 0 ? [] : [`${title}\n${about}\n\n${formatMeasurements(members)}`];
  });
  if (table.length > 0) blocks.unshift(formatTargets(table));
  const versions = Object.entries(environment.packages).map(([name, version]) => `${name} ${version}`);
  const { node, browser, cpu, cpuCount, platform } = environment;
  const where = [`${browser}, Node ${node}, ${versions.join(', ')}`, `${cpuCount} × ${cpu}, ${platform}`];
  blocks.push(where.map(printable).join('\n'));
  return blocks.join('\n\n');
}

function formatMeasurements(measurements: readonly MeasurementReport[]): string {
  const rows = measurements.map((measurement) => {
    const { handlesPerSecond: rate, peakHeapBytes } = measurement;
    return [
      measurement.title,
      formatCount(measurement.handles),
      significant(rate.median),
      `${significant(rate.low)} … ${significant(rate.high)}`,
      significant(measurement.cpuMicrosecondsPerHandle.median),
      formatFigure(measurement.commandsPerHandle.median, 'per handle'),
      measurement.eventLoopDelayMs === undefined ? '' : significant(measurement.eventLoopDelayMs.median),
      peakHeapBytes === undefined ? '' : significant(peakHeapBytes.median / 1e6),
      significant(measurement.rssBytes.median / 1e6),
      [verdictOf(measurement), extrasOf(measurement)].filter((text) => text !== '').join('; '),
    ];
  });
  const head = [
    'subject',
    'handles',
    'handles/s',
    'spread',
    'CPU µs each',
    'commands each',
    'loop held ms',
    'page MB',
    'RSS MB',
    '',
  ];
  return formatTable(head, rows, [1, 2, 3, 4, 5, 6, 7, 8]);
}

/** What the census said, where it is not what was to be expected. */
export function verdictOf({ crashed, proven, samples }: MeasurementReport): string {
  if (crashed) return 'the page crashed';
  if (!proven) return 'NOT proven: the page had not let go';
  const left = samples.at(-1)?.leftAlive ?? 0;
  return left > 0 ? `leaves ${formatCount(left)} alive` : '';
}

/** What else the last sample has to say, by name. */
function extrasOf({ samples }: MeasurementReport): string {
  const extras = Object.entries(samples.at(-1)?.extra ?? {});
  return extras.map(([name, figure]) => `${name} ${significantOrWhole(figure)}`).join(', ');
}

function significantOrWhole(figure: number): string {
  return Number.isInteger(figure) ? formatCount(figure) : significant(figure);
}

function formatTargets(rows: readonly TargetResult[]): string {
  const cells = rows.map((row) => [
    row.work,
    row.against,
    formatFigure(row.figure.median, row.unit),
    `${formatFigure(row.figure.low, row.unit)} … ${formatFigure(row.figure.high, row.unit)}`,
    `${row.comparison === 'atLeast' ? '≥' : '≤'} ${formatFigure(row.wanted, row.unit)}`,
    row.reached ? 'reached' : row.proven ? 'NOT reached' : 'NOT proven: the page had not let go',
  ]);
  return formatTable(['work', 'against', 'ratio', 'spread', 'wanted', ''], cells, [2, 3, 4]);
}

export function formatFigure(value: number, unit: TargetResult['unit']): string {
  if (!Number.isFinite(value)) return unit === 'MB' ? 'crashed' : '–';
  switch (unit) {
    case '×':
      return `${significant(value)} ×`;
    case 'per handle':
      return value === 0 ? '0' : value >= 1 ? significant(value) : `1/${formatCount(Math.round(1 / value))}`;
    default:
      return `${significant(value)} ${unit}`;
  }
}
