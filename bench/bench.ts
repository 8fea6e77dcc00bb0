/** `cdp-release-batcher bench`: what releasing costs, with and without the library, side by side on one browser. */
import { execFileSync } from 'node:child_process';
import { constants } from 'node:os';
import { CannotRunError } from '../src/cli/cannot-run-error.ts';
import { packageVersion } from '../src/cli/load-package.ts';
import { print, say } from '../src/cli/output.ts';
import { writeReportFile } from '../src/cli/report-file.ts';
import { printable } from '../src/observe/printable.ts';
import { type BrowserChoice, openBrowser } from './browser-under-test.ts';
import { MEASUREMENTS, measurementOf } from './measurements.ts';
import { ProgressLine } from './progress-line.ts';
import { htmlOf } from './report/html-report.ts';
import { type BenchReport, reportOf } from './report/report.ts';
import { measurementsOf, TARGETS } from './report/targets.ts';
import { formatReport } from './report/terminal.ts';
import type { Measurement } from './sampling/measurement.ts';
import { takeSamples } from './schedule.ts';

export interface BenchOptions extends BrowserChoice {
  readonly quick: boolean;
  readonly rounds: number;
  /** Names of the table's rows, or parts of the names of measurements; all, where there are none. */
  readonly only: readonly string[];
  /** The targets alone. */
  readonly tableOnly: boolean;
  readonly jsonFile?: string | undefined;
  readonly htmlFile?: string | undefined;
  /** The binary of the Node that runs what is measured; this one, where none is named. */
  readonly node?: string | undefined;
}

/**
 * What was measured is printed and written also where the run is cut short.
 *
 * @returns the exit code: 0 done, 1 the browser went away or a subject failed, 129, 130 or 143 its terminal
 * hung up, or it was interrupted or terminated.
 * @throws {CannotRunError} where nothing can be measured at all.
 */
export async function bench(options: BenchOptions): Promise<number> {
  const chosen = choose(options);
  const skipped = chosen.flatMap(({ id, needs = [] }) =>
    needs
      .filter((name) => packageVersion(name) === undefined)
      .map((name) => ({ measurement: id, needs: name })),
  );
  const measurements = chosen.filter(({ id }) => !skipped.some(({ measurement }) => measurement === id));
  for (const { measurement, needs } of skipped) {
    say(`${measurement} is skipped: ${needs} is not installed.`);
  }

  const node = options.node ?? process.execPath;
  const nodeVersion = versionOf(node);
  const startedAt = new Date();
  const browser = await openBrowser(options);
  say(printable(`${browser.puppeteer} on ${browser.version}, ${browser.where}`));
  const ending = new Ending(browser.gone);
  const line = new ProgressLine(process.stderr);
  const { samples, failures } = await takeSamples({
    measurements,
    rounds: options.rounds,
    handlesOf: ({ handles, quickHandles }) => (options.quick ? quickHandles : handles),
    browserWSEndpoint: browser.browserWSEndpoint,
    node,
    signal: ending.signal,
    onProgress: line.show,
  }).finally(() => browser.close());
  line.clear();

  const { quick, rounds } = options;
  const { cutShort } = ending;
  const report = reportOf({
    startedAt,
    quick,
    rounds,
    cutShort,
    nodeVersion,
    browser,
    measurements,
    samples,
    failures,
    skipped,
  });
  print(formatReport(report));
  writeFiles(options, report);
  ending.forget();
  for (const { measurement, message } of failures) say(`${measurement} failed: ${message}`);
  if (cutShort !== undefined) say(`Cut short: ${cutShort}.`);
  return ending.exitCode ?? (failures.length > 0 ? 1 : 0);
}

/** @throws {CannotRunError} where the file is no Node. */
function versionOf(node: string): string {
  try {
    const version = execFileSync(node, ['--version'], { encoding: 'utf8', timeout: 10_000 }).trim();
    if (/^v\d+\./.test(version)) return version;
  } catch {
    // Told below.
  }
  throw new CannotRunError(`--node: "${node}" is no Node that can be run.`);
}

/** Writes what the options ask for. */
function writeFiles({ jsonFile, htmlFile }: BenchOptions, report: BenchReport): void {
  if (jsonFile !== undefined) writeReportFile(jsonFile, `${JSON.stringify(report, undefined, 1)}\n`);
  if (htmlFile !== undefined) writeReportFile(htmlFile, htmlOf(report));
}

function choose({ only, tableOnly, quick }: BenchOptions): readonly Measurement[] {
  if (only.length === 0) {
    const rows = quick ? TARGETS.filter(({ isQuick = true }) => isQuick) : TARGETS;
    const ofTable = measurementsOf(rows).map(measurementOf);
    return tableOnly || quick ? ofTable : [...new Set([...ofTable, ...MEASUREMENTS])];
  }
  const ids = only.flatMap((part) => {
    const rows = TARGETS.filter(({ id }) => id === part);
    const named = MEASUREMENTS.filter(({ id }) => id.includes(part)).map(({ id }) => id);
    const found = rows.length > 0 ? measurementsOf(rows) : named;
    if (found.length === 0) throw new CannotRunError(`--only: nothing is called "${part}". ${namesOfAll()}`);
    return found;
  });
  return [...new Set(ids)].map(measurementOf);
}

function namesOfAll(): string {
  const names = [...TARGETS, ...MEASUREMENTS].map(({ id }) => id);
  return `There are: ${names.join(', ')}.`;
}

const REASONS: Readonly<Record<string, string>> = {
  SIGINT: 'interrupted',
  SIGTERM: 'terminated',
  SIGHUP: 'its terminal hung up',
};
const SIGNALS = Object.keys(REASONS) as NodeJS.Signals[];

/** What may end a run before its time: the user, or the browser. */
class Ending {
  readonly #abort: AbortController = new AbortController();
  cutShort: string | undefined;
  exitCode: number | undefined;

  constructor(browserGone: Promise<void>) {
    for (const name of SIGNALS) process.on(name, this.#onSignal);
    void browserGone.then(() => this.#end('the browser went away', 1));
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  forget(): void {
    for (const name of SIGNALS) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (name: NodeJS.Signals): void => {
    this.#end(REASONS[name] ?? name, 128 + constants.signals[name]);
  };

  #end(reason: string, exitCode: number): void {
    if (this.signal.aborted) return;
    this.cutShort = reason;
    this.exitCode = exitCode;
    this.#abort.abort(new Error(reason));
  }
}
