/**
 * Runs a script as a user would: in a Node of its own, with the built package, and without `--expose-gc`.
 * `npm test` builds the package first. The script finds a browser's launch options in `launchOptions`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { chromiumLaunchOptions } from './chromium.ts';

export interface ScriptRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ScriptOptions {
  /** Where the script stands, so that its imports resolve from there. Default: this package's own folder. */
  readonly folder?: string;
  readonly type?: 'module' | 'commonjs';
  readonly execArgv?: readonly string[];
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** What it is sent once it has printed `ready`. */
  readonly signalWhenReady?: NodeJS.Signals;
}

/** Killed with `SIGKILL` past `timeoutMs`. An unhandled rejection ends it with a code other than 0. */
export async function runScript(source: string, options: ScriptOptions = {}): Promise<ScriptRun> {
  const { folder, type = 'module', execArgv = [], timeoutMs = 50_000, signalWhenReady } = options;
  const prelude = 'const launchOptions = JSON.parse(process.env.TEST_LAUNCH_OPTIONS);\n';
  let entry = ['--input-type', type, '--eval', prelude + source];
  if (folder !== undefined) {
    const file = join(folder, type === 'module' ? 'script.mjs' : 'script.cjs');
    await writeFile(file, prelude + source);
    entry = [file];
  }
  const { NODE_OPTIONS: _, ...env } = process.env;
  const child = spawn(process.execPath, [...execArgv, ...entry], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: folder ?? PACKAGE,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    env: { ...env, TEST_LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()), ...options.env },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    const wasReady = stdout.includes(READY);
    stdout += chunk;
    if (signalWhenReady !== undefined && !wasReady && stdout.includes(READY)) child.kill(signalWhenReady);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

const READY = 'ready\n';

/** This package's folder. */
export const PACKAGE: string = join(import.meta.dirname, '..', '..');
