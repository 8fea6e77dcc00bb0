/** Runs the built command line as a user does: in a process of its own, with nothing of this one's flags. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const MAIN: string = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Outcome {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The file to run: this checkout's build, unless told otherwise. */
  readonly main?: string;
}

export function runCommandLine(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const env = { ...process.env, NODE_OPTIONS: '', ...options.env };
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [options.main ?? MAIN, ...args],
      { env, cwd: options.cwd, maxBuffer: 2 ** 24 },
      (_error, stdout, stderr) => resolve({ exitCode: child.exitCode, stdout, stderr }),
    );
  });
}
