/** `--html FILE`: one page, with nothing outside it, that shows what a run found. */

import { formatCount, significant } from '../../src/cli/format.ts';
import { curvesOf } from '../../src/cli/html/curves.ts';
import { escapeHtml } from '../../src/cli/html/escape.ts';
import { factsOf, pageOf, tableOf } from '../../src/cli/html/page.ts';
import { barsOf, isOurs } from './html-charts.ts';
import type { BenchReport, MeasurementReport } from './report.ts';
import { SCENARIOS } from './scenarios.ts';
import { formatFigure, verdictOf } from './terminal.ts';

export function htmlOf(report: BenchReport): string {
  const cutShort =
    report.cutShort === undefined ? '' : `<p class="warning">Cut short: ${escapeHtml(report.cutShort)}.</p>`;
  return pageOf('cdp-release-batcher: what a release costs', [
    `<h1>What a release costs</h1><p class="lead">${escapeHtml(headline(report))}</p>`,
    cutShort,
    heapOf(report),
    growthOf(report),
    ...SCENARIOS.map((scenario) => scenarioSection(scenario, report)),
    targetsSection(report),
    environmentSection(report),
  ]);
}

function headline({ table }: BenchReport): string {
  const ratio = table.find(({ id, proven }) => id === 'scope' && proven)?.figure.median;
  if (ratio === undefined) return 'Release throughput, side by side on one browser.';
  return `A scope's end frees 20,000 handles ${significant(ratio)} times as fast as Puppeteer's Promise.all(dispose), measured until the page had let go of all.`;
}

function scenarioSection({ name, title, about }: (typeof SCENARIOS)[number], report: BenchReport): string {
  const members = report.measurements.filter(({ scenario }) => scenario === name);
  if (members.length === 0) return '';
  const skipped = report.skipped.filter(({ measurement }) => measurement.startsWith(`${name}/`));
  const skips = skipped.map(({ measurement, needs }) => `${measurement} (${needs} is not installed)`);
  return `<section id="${name}"><h2>${escapeHtml(title)}</h2><p>${escapeHtml(about)}</p>
  ${barsOf(members)}
  ${skips.length === 0 ? '' : `<p class="unit">Skipped: ${escapeHtml(skips.join(', '))}.</p>`}
  <details><summary>All figures</summary>${figuresTable(members)}</details></section>`;
}

function figuresTable(members: readonly MeasurementReport[]): string {
  const head = [
    '',
    'handles',
    'CPU µs each',
    'commands each',
    'loop held, ms',
    'page, MB',
    'client RSS, MB',
    '',
  ];
  const rows = members.map((member) => [
    member.title,
    formatCount(member.handles),
    significant(member.cpuMicrosecondsPerHandle.median),
    formatFigure(member.commandsPerHandle.median, 'per handle'),
    member.eventLoopDelayMs === undefined ? '' : significant(member.eventLoopDelayMs.median),
    member.peakHeapBytes === undefined ? '' : significant(member.peakHeapBytes.median / 1e6),
    significant(member.rssBytes.median / 1e6),
    verdictOf(member),
  ]);
  return tableOf(head, rows);
}

/** The page's heap as the large handles are forgotten, with the library and without. */
function heapOf({ measurements }: BenchReport): string {
  const curves = measurements
    .filter(({ scenario }) => scenario === 'large')
    .flatMap((measurement) => {
      const { heap } = measurement.samples.find(({ heap }) => (heap?.length ?? 0) > 1) ?? {};
      if (heap === undefined) return [];
      const points = heap.map(([operations, bytes]): [number, number] => [operations, bytes / 1e6]);
      const end = measurement.crashed ? `, crashed after ${formatCount(points.at(-1)?.[0] ?? 0)}` : '';
      const tone = isOurs(measurement) ? ('ours' as const) : ('theirs' as const);
      return [{ name: `${measurement.title}${end}`, points, tone }];
    });
  if (curves.length === 0) return '';
  const axes = { x: 'handles forgotten, 200 KB each', y: 'page heap, MB', log: false };
  return `<section id="heap"><h2>The page's heap over time</h2>${curvesOf(curves, axes)}</section>`;
}

function growthOf({ measurements }: BenchReport): string {
  const members = measurements.filter(({ scenario }) => scenario === 'growth');
  if (members.length < 2) return '';
  const points = (figure: (member: MeasurementReport) => number): [number, number][] =>
    members.map((member) => [member.handles, figure(member)]);
  const whole = ({ samples, handles }: MeasurementReport): number => {
    const [sample] = samples;
    return (((sample?.elapsedMs ?? 0) + (sample?.extra?.mintingMs ?? 0)) / handles) * 1_000;
  };
  const curves = [
    {
      name: 'from the drop until let go',
      tone: 'ours' as const,
      points: points((m) => 1e6 / m.handlesPerSecond.median),
    },
    { name: 'minting included', tone: 'theirs' as const, points: points(whole) },
  ];
  const axes = { x: 'handles in one scope', y: 'microseconds a handle', log: true };
  return `<section id="curves"><h2>Cost of a handle by their number</h2>${curvesOf(curves, axes)}</section>`;
}

function targetsSection({ table }: BenchReport): string {
  if (table.length === 0) return '';
  const rows = table.map(({ work, against, figure, unit, comparison, wanted, reached, proven }) => [
    work,
    against,
    formatFigure(figure.median, unit),
    `${formatFigure(figure.low, unit)} … ${formatFigure(figure.high, unit)}`,
    `${comparison === 'atLeast' ? '≥' : '≤'} ${formatFigure(wanted, unit)}`,
    reached ? 'reached' : proven ? 'not reached' : 'not proven',
  ]);
  const head = ['work', 'against', 'ratio', 'spread', 'wanted', ''];
  return `<section id="targets"><h2>What it has to reach</h2>${tableOf(head, rows)}</section>`;
}

function environmentSection(report: BenchReport): string {
  const { environment, startedAt, command, rounds, quick } = report;
  const packages = Object.entries(environment.packages).map(([name, version]) => `${name} ${version}`);
  const facts: [string, string][] = [
    ['Command', command],
    ['Started', startedAt],
    ['Rounds', `${rounds}${quick ? ', quick' : ''}`],
    ['Browser', `${environment.browser}, ${environment.browserAt}`],
    ['Node', environment.node],
    ['Clients', packages.join(', ')],
    [
      'Machine',
      `${environment.cpuCount} × ${environment.cpu}, ${significant(environment.memoryBytes / 2 ** 30)} GiB, ${environment.platform}`,
    ],
  ];
  return `<section id="environment"><h2>Where and how</h2>${factsOf(facts)}</section>`;
}
