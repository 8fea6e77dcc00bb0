/**
 * `cdp-release-batcher demo`: the same work on a real Chromium, plain and attached, and what is left of it in the page.
 * Each run has a process and a browser of its own, one after the other, so that no run affects another.
 */
import { fork } from 'node:child_process';
import { constants } from 'node:os';
import { findBrowser } from './browser-finder.ts';
import { CannotRunError } from './cannot-run-error.ts';
import { installedPlaywright } from './demo/clients.ts';
import { ProgressLine } from './demo/progress-line.ts';
import { formatReport, type ScenarioReport } from './demo/report.ts';
import type { RunResult } from './demo/run.ts';
import type { RunMessage, RunOrder } from './demo/run-process.ts';
import { SCENARIOS } from './demo/scenarios.ts';
import { loadPuppeteer } from './load-puppeteer.ts';
import { print, printJson, say } from './output.ts';

export interface DemoOptions {
  /** Fewer operations, and no crash to see. */
  readonly quick: boolean;
  /** Print JSON instead of a table. Progress goes to stderr in either case. */
  readonly json: boolean;
}

/** @throws {CannotRunError} without a Puppeteer, or without a browser that can be launched. */
export async function demo({ quick, json }: DemoOptions): Promise<void> {
  const { name: puppeteer, downloadedBrowser } = await loadPuppeteer();
  const browser = await findBrowser({ downloadedBrowser });
  say(`${puppeteer} on ${browser.executablePath} (${browser.source})\n`);

  const scenarios: ScenarioReport[] = [];
  const found = installedPlaywright();
  const playwright = found && `${found.name} ${found.version}`;
  for (const scenario of Object.values(SCENARIOS)) {
    const { name, title, client } = scenario;
    if (client === 'playwright' && playwright === undefined) continue;
    const operations = quick ? scenario.quickOperations : scenario.operations;
    const plain = await runInProcess({ side: 'plain', name, operations, browser }, title);
    const attached = await runInProcess({ side: 'attached', name, operations, browser }, title);
    scenarios.push({ name, title, plain, attached });
  }

  const { executablePath, source } = browser;
  const report = { node: process.version, puppeteer, playwright, executablePath, source, quick, scenarios };
  if (json) printJson(report, 2);
  else print(formatReport(report));
}

/**
 * @throws {CannotRunError} when the browser cannot be launched; Error for all other failures of the process.
 */
function runInProcess(order: RunOrder, title: string): Promise<RunResult> {
  const line = new ProgressLine(process.stderr, order.side, title);
  // The compiled file beside this one, without our own flags: a user's script has no --expose-gc.
  const child = fork(new URL('./demo/run-process.js', import.meta.url), [], { execArgv: [] });
  let outcome: Exclude<RunMessage, { kind: 'progress' }> | undefined;
  child.on('message', (message: RunMessage) => {
    if (message.kind === 'progress') line.advance(message.progress);
    else outcome = message;
  });

  // A signal goes to that process first: its Puppeteer closes the browser.
  let exitCode: number | undefined;
  const passOn = (signal: NodeJS.Signals): void => {
    exitCode = 128 + constants.signals[signal];
    child.kill(signal);
  };
  process.on('SIGINT', passOn).on('SIGTERM', passOn);

  return new Promise<RunResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (exitCode !== undefined) process.exit(exitCode);
      process.off('SIGINT', passOn).off('SIGTERM', passOn);
      if (outcome?.kind === 'result') {
        line.finish(outcome.result);
        resolve(outcome.result);
        return;
      }
      line.abandon();
      const message =
        outcome?.message ?? `The run ended without a result (${signal ?? `exit code ${code}`}).`;
      // The message of a failure is a stack.
      const failure = Object.assign(new Error(message), { stack: message });
      reject(outcome?.kind === 'cannotRun' ? new CannotRunError(message) : failure);
    });
    child.send(order);
  });
}
