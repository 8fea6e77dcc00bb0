/** The demo's outcome, as a table for people and as JSON for programs. */
import { printable } from '../../observe/printable.ts';
import type { FoundBrowser } from '../browser-finder.ts';
import { formatCount, formatMegabytes, formatSeconds } from '../format.ts';
import type { RunResult, Side } from './run.ts';
import type { Scenario } from './scenarios.ts';

/** What `--json` prints. Bytes and milliseconds throughout. */
export interface DemoReport extends Pick<FoundBrowser, 'executablePath' | 'source'> {
  readonly node: string;
  readonly puppeteer: string;
  /** Left out where none is installed, and with it the work that is done by Playwright. */
  readonly playwright?: string | undefined;
  readonly quick: boolean;
  readonly scenarios: readonly ScenarioReport[];
}

export interface ScenarioReport extends Pick<Scenario, 'name' | 'title'>, Readonly<Record<Side, RunResult>> {}

/** One table: a block per scenario, plain on the left, attached on the right. */
export function formatReport(report: DemoReport): string {
  const rows = report.scenarios.flatMap((scenario) => [['', '', ''], ...scenarioRows(scenario)]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const [first = 0, ...others] = widths;
  const lines = rows.map(([title = '', ...cells]) =>
    [title.padEnd(first), ...cells.map((cell, column) => cell.padStart(others[column] ?? 0))]
      .join('   ')
      .trimEnd(),
  );
  return [...lines, '', ...NOTES, '', surroundings(report)].join('\n');
}

const NOTES = [
  'Still alive: counted inside the page by WeakRefs, after each side had collected its',
  'own garbage and the page its own. During the work nobody called gc(). Page heap:',
  'garbage included, read every 100 operations. Wall time: the operations alone.',
  "Console messages: attached with { consoleEntries: 'discard' }.",
];

function scenarioRows({ title, plain, attached }: ScenarioReport): string[][] {
  const row = (name: string, cell: (run: ScenarioReport[Side]) => string): string[] => {
    return [`  ${name}`, cell(plain), cell(attached)];
  };
  return [
    [`${formatCount(plain.operations)} ${title}`, 'plain', 'attached'],
    row('objects still alive in the page', ({ alive }) =>
      alive === null ? 'page crashed' : formatCount(alive),
    ),
    row('page heap at its highest', ({ peakHeapBytes }) => formatMegabytes(peakHeapBytes)),
    row('page crashed', ({ crashed, done }) => (crashed ? `after ${formatCount(done)}` : 'no')),
    row('wall time', ({ elapsedMs }) => formatSeconds(elapsedMs)),
    row('wall time per operation', ({ elapsedMs, done }) => `${(elapsedMs / done).toFixed(2)} ms`),
    row('commands that released', ({ releaseCommands }) => formatCount(releaseCommands)),
  ];
}

function surroundings({
  node,
  puppeteer,
  playwright,
  executablePath,
  source,
  scenarios,
}: DemoReport): string {
  const version = scenarios[0]?.plain.browserVersion ?? '';
  const clients = playwright === undefined ? puppeteer : `${puppeteer}, ${playwright}`;
  const lines = [`Node ${node}, ${clients}, ${version}`, `${executablePath} (${source})`];
  return lines.map(printable).join('\n');
}
