/**
 * Runs a script as a user would: in a Node of its own, with the built package, and without `--expose-gc`.
 * `npm test` builds the package first. The script finds a browser's launch options in `launchOptions`.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromiumLaunchOptions } from './chromium.ts';
import { type ProcessRun, runNode } from './processes.ts';

export type ScriptRun = ProcessRun;

export interface ScriptOptions {
  /** Where the script stands, so that its imports resolve from there. Default: this package's own folder. */
  readonly folder?: string;
  readonly type?: 'module' | 'commonjs';
  readonly execArgv?: readonly string[];
  /** Default 110,000. */
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What it is sent once it has printed `ready`. */
  readonly signalWhenReady?: NodeJS.Signals;
}

/** Killed past `timeoutMs`, with its browser. An unhandled rejection ends it with a code other than 0. */
export async function runScript(source: string, options: ScriptOptions = {}): Promise<ScriptRun> {
  const { folder, type = 'module', execArgv = [], timeoutMs = 110_000, signalWhenReady } = options;
  const prelude = 'const launchOptions = JSON.parse(process.env.TEST_LAUNCH_OPTIONS);\n';
  let entry = ['--input-type', type, '--eval', prelude + source];
  if (folder !== undefined) {
    const file = join(folder, type === 'module' ? 'script.mjs' : 'script.cjs');
    await writeFile(file, prelude + source);
    entry = [file];
  }
  let isSignalled = false;
  return runNode([...execArgv, ...entry], {
    cwd: folder ?? PACKAGE,
    env: { TEST_LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()), ...options.env },
    timeoutMs,
    onPrinted: (stdout, child) => {
      if (signalWhenReady === undefined || isSignalled || !stdout.includes(READY)) return;
      isSignalled = true;
      child.kill(signalWhenReady);
    },
  });
}

const READY = 'ready\n';

/** This package's folder. */
export const PACKAGE: string = join(import.meta.dirname, '..', '..');
