// `cdp-release-batcher bench`: what releasing costs, with and without the library, side by side on one browser.
import { writeFile } from 'node:fs/promises';
import { type BrowserChoice, openBrowser } from './bench/browser-under-test.ts';
import { DESIGN_TABLE, judge, measurementsOf } from './bench/design-table.ts';
import { packageVersion } from './bench/load-package.ts';
import type { Measurement } from './bench/measurement.ts';
import { measurementOf } from './bench/measurements.ts';
import { takeSamples } from './bench/schedule.ts';
import { formatDesignTable, ProgressLine } from './bench/terminal.ts';
import { CannotRunError } from './cannot-run-error.ts';

export interface BenchOptions extends BrowserChoice {
  readonly quick: boolean;
  readonly rounds: number;
  /** Parts of the names of what is to be measured; all, where there are none. */
  readonly only: readonly string[];
  readonly jsonFile?: string | undefined;
}

/** @returns the exit code: 130 where the user ended it. */
export async function bench(options: BenchOptions): Promise<number> {
  const rows = DESIGN_TABLE.filter(
    ({ id, measurements }) =>
      options.only.length === 0 || options.only.some((part) => id === part || measurements[0].includes(part)),
  );
  if (rows.length === 0) throw new CannotRunError(`--only: nothing is called ${options.only.join(', ')}.`);
  const measurements = measurementsOf(rows).map(measurementOf);
  const missing = (measurement: Measurement): string | undefined =>
    measurement.needs?.find((name) => packageVersion(name) === undefined);
  const able = measurements.filter((measurement) => missing(measurement) === undefined);

  const browser = await openBrowser(options);
  process.stderr.write(`${browser.puppeteer} on ${browser.version}, ${browser.where}\n`);
  const abort = new AbortController();
  const interrupt = (): void => abort.abort(new Error('interrupted'));
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  void browser.gone.then(() => abort.abort(new Error('the browser went away')));
  const line = new ProgressLine(process.stderr);
  const { samples, failures } = await takeSamples({
    measurements: able,
    rounds: options.rounds,
    handlesOf: ({ handles, quickHandles }) => (options.quick ? quickHandles : handles),
    browserWSEndpoint: browser.browserWSEndpoint,
    signal: abort.signal,
    onProgress: line.show,
  }).finally(() => browser.close());
  line.clear();
  process.off('SIGINT', interrupt).off('SIGTERM', interrupt);

  const table = judge(rows, samples);
  process.stdout.write(`${formatDesignTable(table)}\n`);
  for (const { measurement, message } of failures)
    process.stderr.write(`${measurement} failed: ${message}\n`);
  if (options.jsonFile !== undefined) {
    await writeFile(
      options.jsonFile,
      `${JSON.stringify({ table, samples: Object.fromEntries(samples), failures }, undefined, 2)}\n`,
    );
  }
  return abort.signal.aborted ? 130 : 0;
}
