/**
 * `cdp-release-batcher doctor`: runs an unchanged script in a process of its own, with every browser attached
 * and traced, and reports what became of its handles. However the script ends, there is a report, and the exit
 * code is the script's own, unless `--fail-over` says otherwise.
 */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { Course } from './doctor/course.ts';
import { htmlOf } from './doctor/html-report.ts';
import { MessageReader, ORDER_VARIABLE, type Order, type Snapshot } from './doctor/messages.ts';
import { type DoctorReport, type Patient, reportOf } from './doctor/report.ts';
import { Threads } from './doctor/sums.ts';
import { formatReport } from './doctor/terminal.ts';
import { printJson, say } from './output.ts';
import { writeReportFile } from './report-file.ts';

export interface DoctorOptions {
  readonly script: string;
  readonly scriptArguments: readonly string[];
  readonly json: boolean;
  readonly htmlFile: string | undefined;
  /** Exit with 1 above so many handles that the script left undisposed. */
  readonly failOver: number | undefined;
  readonly everyMs: number | undefined;
  readonly nodeOptions: readonly string[];
}

/** The first descriptor behind the standard ones. */
const DESCRIPTOR = 3;

/** @returns the exit code. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const course = new Course();
  const threads = new Threads();
  let last: Snapshot | undefined;
  const reader = new MessageReader((message) => {
    if (message.kind === 'sample') {
      course.add(threads.addSample(message));
      return;
    }
    last = threads.addSnapshot(message);
    if (message.occasion === 'asked' || message.occasion === 'interval') {
      showMeanwhile(reportOf(patientOf(options), last, course), options);
    }
  });
  const { exitCode, signal } = await run(options, reader);
  const report = reportOf(patientOf(options, { exitCode, signal }), last, course);
  show(report, options);
  const isOver = options.failOver !== undefined && report.leaked > options.failOver;
  return isOver ? 1 : (exitCode ?? 128 + constants.signals[signal ?? 'SIGTERM']);
}

function patientOf({ script, scriptArguments, failOver }: DoctorOptions, ending?: Ending): Patient {
  return { script, scriptArguments, failOver, exitCode: ending?.exitCode, signal: ending?.signal };
}

interface Ending {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

function run(options: DoctorOptions, reader: MessageReader): Promise<Ending> {
  const { script, scriptArguments, nodeOptions, json, everyMs } = options;
  const order: Order = { descriptor: DESCRIPTOR, everyMs };
  const preload = new URL('./doctor/preload.js', import.meta.url).href;
  const args = [...nodeOptions, '--enable-source-maps', '--import', preload, script, ...scriptArguments];
  const child = spawn(process.execPath, args, {
    // What the script prints is its own; but where ours is JSON, that alone goes to stdout.
    stdio: ['inherit', json ? 2 : 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, [ORDER_VARIABLE]: JSON.stringify(order) },
  });
  (child.stdio[DESCRIPTOR] as Readable).setEncoding('utf8').on('data', reader.read);

  // Asked to end, the script is: we follow with the report. From a terminal a Ctrl-C has reached it already.
  const passOn = (name: NodeJS.Signals): void => {
    if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name);
  };
  const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const;
  for (const name of passedOn) process.on(name, passOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode, signal) => {
      for (const name of passedOn) process.off(name, passOn);
      resolve({ exitCode: exitCode ?? undefined, signal: signal ?? undefined });
    });
  });
}

/** A report that cannot be written ends neither the script nor the doctor: the last one tells. */
function showMeanwhile(report: DoctorReport, options: DoctorOptions): void {
  try {
    show(report, options);
  } catch (error) {
    say(String((error as Error).message));
  }
}

function show(report: DoctorReport, { json, htmlFile }: DoctorOptions): void {
  if (json) printJson(report);
  else say(`\n${formatReport(report)}`);
  if (htmlFile !== undefined) writeReportFile(htmlFile, htmlOf(report));
}
