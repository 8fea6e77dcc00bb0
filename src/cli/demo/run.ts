/**
 * One side of one scenario, in this process: launch, operate, count. A plain run and an attached one differ in the line
 * that attaches; nothing calls `gc()` while either runs.
 */
import { setTimeout } from 'node:timers/promises';
import { monotonicNow } from '../../timers.ts';
import type { FoundBrowser } from '../browser-finder.ts';
import { collectAll } from '../collector.ts';
import { PageCensus } from '../page-census.ts';
import { type DemoPage, launch } from './clients.ts';
import type { Scenario } from './scenarios.ts';

export type Side = 'plain' | 'attached';

export interface Progress {
  readonly done: number;
  readonly operations: number;
  readonly peakHeapBytes: number;
  readonly elapsedMs: number;
}

export interface RunResult extends Progress {
  readonly crashed: boolean;
  /** Counted inside the page; `null` where the page has crashed. */
  readonly alive: number | null;
  /** Commands that released handles. */
  readonly releaseCommands: number;
  readonly browserVersion: string;
}

const OPERATIONS_PER_SAMPLE = 100;
const MS_BETWEEN_COUNTS = 250;

/** @throws {CannotRunError} when the browser cannot be launched. */
export async function run(
  side: Side,
  scenario: Scenario,
  operations: number,
  browserToLaunch: FoundBrowser,
  onProgress: (progress: Progress) => void,
): Promise<RunResult> {
  const browser = await launch(scenario.client, browserToLaunch);
  try {
    const releases = side === 'attached' ? browser.attach(scenario.attachOptions) : undefined;
    const browserVersion = await browser.version();
    const page = await browser.newPage();
    const census = await PageCensus.open(page);
    const { crashed, ...progress } = await operate(page, census, scenario, operations, onProgress);
    if (!crashed) {
      // When its work is done and timed, each side collects garbage, so that neither is counted at a moment that V8
      // happened to choose.
      if (scenario.settlesAfterMs !== undefined) await setTimeout(scenario.settlesAfterMs);
      await collectAll();
      await releases?.flush({ timeoutMs: 10_000 });
    }
    const alive = crashed ? null : await census.alive(MS_BETWEEN_COUNTS);
    return { ...progress, crashed, alive, releaseCommands: releases?.stats().commands ?? 0, browserVersion };
  } finally {
    await browser.close();
  }
}

async function operate(
  page: DemoPage,
  census: PageCensus,
  scenario: Scenario,
  operations: number,
  onProgress: (progress: Progress) => void,
): Promise<Progress & { readonly crashed: boolean }> {
  scenario.prepare?.(page);
  const startedAt = monotonicNow();
  let done = 0;
  const progress = (): Progress => {
    return {
      done,
      operations,
      peakHeapBytes: census.peakHeapBytes,
      elapsedMs: monotonicNow() - startedAt,
    };
  };
  const operateAll = async (): Promise<false> => {
    while (done < operations) {
      await scenario.operate(page, scenario.length);
      done++;
      if (done % OPERATIONS_PER_SAMPLE !== 0) continue;
      await census.sampleHeap();
      onProgress(progress());
    }
    return false;
  };
  // Commands of a page that crashes are never answered. There is one race for the whole run: a race for each operation
  // would keep the operation's handle, through the promise that lost.
  const crash = new Promise<true>((resolve) => page.onCrash(() => resolve(true)));
  const crashed = await Promise.race([operateAll(), crash]);
  return { ...progress(), crashed };
}
