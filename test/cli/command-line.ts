/** Runs the built command line as a user does: in a process of its own, with nothing of this one's flags. */
import { fileURLToPath } from 'node:url';
import { runNode } from '../support/processes.ts';

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

export async function runCommandLine(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { main = MAIN, env, cwd } = options;
  const { code, stdout, stderr } = await runNode([main, ...args], { env, cwd });
  return { exitCode: code, stdout, stderr };
}
