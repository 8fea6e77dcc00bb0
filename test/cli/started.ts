/** A doctor that can be waited for, asked and ended while its script runs. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { DoctorReport } from '../../src/cli/doctor/report.ts';
import { chromiumLaunchOptions } from '../support/chromium.ts';
import { endsWithTest } from '../support/processes.ts';
import { MAIN } from './command-line.ts';

const launchOptions = { TEST_LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()) };

export interface StartedDoctor {
  readonly child: ChildProcess;
  /** The exit code, once all that it and its script print has come. */
  readonly exited: Promise<number | null>;
  /** Waits until this is printed, to either stream. */
  prints(text: string): Promise<void>;
  /** All that was printed so far, to either stream. */
  printed(): string;
  /** With `--json`: those printed so far. */
  reports(): DoctorReport[];
}

export interface StartOptions {
  /** Whether it leads a process group, which its script is in. Default `false`. */
  readonly isGroup?: boolean;
}

export function startDoctor(args: readonly string[], { isGroup = false }: StartOptions = {}): StartedDoctor {
  const child: ChildProcess = spawn(process.execPath, [MAIN, 'doctor', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: isGroup,
    env: { ...process.env, ...launchOptions, NODE_OPTIONS: '' },
  });
  endsWithTest(child); // And with it the script.
  let [stdout, all] = ['', ''];
  let wake = (): void => {};
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    all += text;
    wake();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    all += text;
    wake();
  });
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      resolve(code);
      wake();
    });
  });
  const prints = async (text: string): Promise<void> => {
    while (!all.includes(text)) {
      if (child.exitCode !== null) throw new Error(`ended before it printed ${text}: ${all}`);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const reports = (): DoctorReport[] =>
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as DoctorReport);
  return { child, exited, prints, printed: () => all, reports };
}
