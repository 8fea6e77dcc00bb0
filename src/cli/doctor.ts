/**
 * `cdp-release-batcher doctor`: runs an unchanged script in a process of its own, attaches to every browser with tracing
 * on, and reports how its handles ended. There is a report however the script ends. The exit code is the script's own,
 * unless `--fail-over` says otherwise, or no browser was seen.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex } from 'node:stream';
import { monotonicNow } from '../timers.ts';
import { Course } from './doctor/course.ts';
import { htmlOf } from './doctor/html-report.ts';
import { type Message, MessageReader, ORDER_VARIABLE, type Order, type Others } from './doctor/messages.ts';
import { PASSED_SIGNALS } from './doctor/passed-signals.ts';
import { type DoctorReport, type Patient, reportOf } from './doctor/report.ts';
import { Threads } from './doctor/sums.ts';
import { formatReport } from './doctor/terminal.ts';
import { printJson, say } from './output.ts';
import { requireWritable, writeReportFile } from './report-file.ts';

export interface DoctorOptions {
  readonly script: string;
  readonly scriptArguments: readonly string[];
  readonly json: boolean;
  readonly htmlFile: string | undefined;
  /** Exit with 1 if the script left more handles than this undisposed. */
  readonly failOver: number | undefined;
  readonly everyMs: number | undefined;
  readonly nodeOptions: readonly string[];
}

/** The exit code where the script had no browser that could be attached to. */
const CANNOT_TELL = 2;

/** The first descriptor after the standard ones. */
const DESCRIPTOR = 3;

/**
 * @returns the exit code.
 * @throws {CannotRunError} before the script runs, where the report could not be written.
 */
export async function doctor(options: DoctorOptions): Promise<number> {
  if (options.htmlFile !== undefined) requireWritable(options.htmlFile);
  const course = new Course();
  const threads = new Threads();
  const others: Others[] = [];
  const startedAt = monotonicNow();
  const { exitCode, signal } = await run(options, (message) => {
    if (message.kind === 'sample') course.add(threads.addSample(message));
    else if (message.kind === 'changes') threads.addChanges(message);
    else if (message.kind === 'others') others.push(message);
    else if (message.kind === 'snapshot') {
      threads.addSnapshot(message);
      if (message.occasion !== 'asked' && message.occasion !== 'interval') return;
      show(reportOf(patientOf(options), threads.snapshot(), course, others), options);
    }
  });
  const elapsedMs = monotonicNow() - startedAt;
  const report = reportOf(
    patientOf(options, { exitCode, signal, elapsedMs }),
    threads.snapshot(),
    course,
    others,
  );
  show(report, options);
  const isOver = options.failOver !== undefined && report.leaked > options.failOver;
  // To pass would say that nothing leaks.
  if (report.whyNothing !== undefined && exitCode === 0) return CANNOT_TELL;
  return isOver ? 1 : (exitCode ?? 128 + constants.signals[signal ?? 'SIGTERM']);
}

function patientOf(
  { script, scriptArguments, failOver }: DoctorOptions,
  { exitCode, signal, elapsedMs }: Partial<Ending & { elapsedMs: number }> = {},
): Patient {
  return { script, scriptArguments, failOver, exitCode, signal, elapsedMs };
}

interface Ending {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

function run(options: DoctorOptions, onMessage: (message: Message) => void): Promise<Ending> {
  const { script, scriptArguments, nodeOptions, json, everyMs } = options;
  const order: Order = { descriptor: DESCRIPTOR, everyMs };
  const preload = new URL('./doctor/preload.js', import.meta.url).href;
  const args = [...nodeOptions, '--enable-source-maps', '--import', preload, script, ...scriptArguments];
  const child = spawn(process.execPath, args, {
    // The script's output is its own. But where ours is JSON, stdout has only that.
    stdio: ['inherit', json ? 2 : 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [ORDER_VARIABLE]: JSON.stringify(order) },
  });
  const listening = new Set<NodeJS.Signals>();
  const reader = new MessageReader((message) => {
    if (message.kind !== 'listening') onMessage(message);
    else if (message.listens) listening.add(message.signal);
    else listening.delete(message.signal);
  });
  const channel = child.stdio[DESCRIPTOR] as Duplex;
  channel.setEncoding('utf8').on('data', reader.read);
  channel.on('error', () => {}); // The script has gone, and does not hear what is passed on.

  // A signal goes to the script; the doctor ends after it, with the report.
  const passOn = (name: NodeJS.Signals): void => {
    if (listening.has(name)) channel.write(`${name}\n`);
    else child.kill(name);
  };
  const passedOn = [...PASSED_SIGNALS, 'SIGUSR2'] as const;
  for (const name of passedOn) process.on(name, passOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      for (const name of passedOn) process.off(name, passOn);
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined });
    });
  });
}

/** If one file cannot be written, the other forms of the report are still written, and the exit code stays the script's. */
function show(report: DoctorReport, { json, htmlFile }: DoctorOptions): void {
  if (json) printJson(report);
  else say(`\n${formatReport(report)}`);
  if (htmlFile === undefined) return;
  try {
    writeReportFile(htmlFile, htmlOf(report));
  } catch (error) {
    say(String((error as Error).message));
  }
}
