/** The outcome of a run, as `--json` writes it. The schema is documented in bench/README.md. */
import { cpus, totalmem } from 'node:os';
import { formatCount } from '../../src/cli/format.ts';
import { packageVersion } from '../../src/cli/load-package.ts';
import type { BrowserUnderTest } from '../browser-under-test.ts';
import type { Measurement } from '../sampling/measurement.ts';
import { commandsPerHandle, isProven, type Sample } from '../sampling/sample.ts';
import type { Failure, Samples } from '../schedule.ts';
import { scenarioOf } from './scenarios.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { TargetResult } from './target.ts';
import { judge, TARGETS } from './targets.ts';

export interface BenchReport {
  /** The doctor's JSON has another. */
  readonly kind: 'bench';
  /** Rises when a reader of older files would be misled. */
  readonly schema: 1;
  readonly startedAt: string;
  readonly command: string;
  readonly quick: boolean;
  readonly rounds: number;
  /** Why the run ended early; absent where it did not. */
  readonly cutShort?: string;
  readonly environment: Environment;
  /** The targets, and what was reached. */
  readonly table: readonly TargetResult[];
  readonly measurements: readonly MeasurementReport[];
  readonly skipped: readonly { readonly measurement: string; readonly needs: string }[];
  readonly failures: readonly Failure[];
}

export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cpuCount: number;
  readonly memoryBytes: number;
  readonly browser: string;
  readonly browserAt: string;
  /** Versions of the clients measured, by package. */
  readonly packages: Readonly<Record<string, string>>;
}

export interface MeasurementReport {
  readonly id: string;
  readonly scenario: string;
  readonly title: string;
  readonly handles: number;
  readonly handlesPerSecond: Spread;
  readonly cpuMicrosecondsPerHandle: Spread;
  readonly commandsPerHandle: Spread;
  readonly eventLoopDelayMs?: Spread;
  readonly rssBytes: Spread;
  readonly peakHeapBytes?: Spread;
  /** Whether the page crashed in any of the samples. */
  readonly crashed: boolean;
  /** Whether the census bore out each sample that claims that the page let go of all. */
  readonly proven: boolean;
  readonly samples: readonly Sample[];
}

export interface Run {
  readonly startedAt: Date;
  readonly quick: boolean;
  readonly rounds: number;
  readonly cutShort: string | undefined;
  /** Of the Node that ran what was measured. */
  readonly nodeVersion: string;
  readonly browser: BrowserUnderTest;
  readonly measurements: readonly Measurement[];
  readonly samples: Samples;
  readonly failures: readonly Failure[];
  readonly skipped: BenchReport['skipped'];
}

export function reportOf(run: Run): BenchReport {
  const { startedAt, quick, rounds, cutShort, samples, failures, skipped } = run;
  return {
    kind: 'bench',
    schema: 1,
    startedAt: startedAt.toISOString(),
    command: `cdp-release-batcher ${process.argv.slice(2).join(' ')}`,
    quick,
    rounds,
    ...(cutShort === undefined ? {} : { cutShort }),
    environment: environmentOf(run),
    table: judge(TARGETS, samples),
    measurements: run.measurements.flatMap((measurement) => {
      const taken = (samples.get(measurement.id) ?? []).filter((sample) => sample !== undefined);
      return taken.length === 0 ? [] : [measurementReportOf(measurement, taken)];
    }),
    skipped,
    failures,
  };
}

function measurementReportOf({ id, title }: Measurement, samples: readonly Sample[]): MeasurementReport {
  const spread = (figure: (sample: Sample) => number): Spread => spreadOf(samples.map(figure));
  const isLoopWatched = samples.some(({ eventLoopDelayMs }) => eventLoopDelayMs !== undefined);
  const isHeapKnown = samples.some(({ peakHeapBytes }) => peakHeapBytes !== undefined);
  const handles = Math.max(...samples.map((sample) => sample.handles));
  return {
    id,
    scenario: scenarioOf(id),
    title: typeof title === 'string' ? title : title(formatCount(handles)),
    handles,
    handlesPerSecond: spread(({ handles, elapsedMs }) => (handles / elapsedMs) * 1_000),
    cpuMicrosecondsPerHandle: spread(({ handles, cpuMicroseconds }) => cpuMicroseconds / handles),
    commandsPerHandle: spread(commandsPerHandle),
    ...(isLoopWatched ? { eventLoopDelayMs: spread(({ eventLoopDelayMs = 0 }) => eventLoopDelayMs) } : {}),
    rssBytes: spread(({ rssBytes }) => rssBytes),
    ...(isHeapKnown ? { peakHeapBytes: spread(({ peakHeapBytes = 0 }) => peakHeapBytes) } : {}),
    crashed: samples.some(({ leftAlive }) => leftAlive === null),
    proven: samples.every(isProven),
    samples,
  };
}

const CLIENTS = ['puppeteer', 'puppeteer-core', 'chrome-remote-interface', 'playwright-core', 'ws'];

function environmentOf({ nodeVersion, browser: { version, where } }: Run): Environment {
  const processors = cpus();
  return {
    node: nodeVersion,
    platform: `${process.platform} ${process.arch}`,
    cpu: processors[0]?.model ?? 'unknown',
    cpuCount: processors.length,
    memoryBytes: totalmem(),
    browser: version,
    browserAt: where,
    packages: Object.fromEntries(
      CLIENTS.flatMap((name) => {
        const found = packageVersion(name);
        return found === undefined ? [] : [[name, found]];
      }),
    ),
  };
}
