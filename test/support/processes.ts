/**
 * Processes that tests start: none outlives its test, nor does what it has started. A browser does not end with the
 * process that launched it where that is killed, and Debian's `chromium` is a shell script, behind which it stands.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { onTestFinished, TestRunner } from 'vitest';

export interface ProcessRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Past it the process is killed, with all that it has started. Default 280,000: most end with their test before. */
  readonly timeoutMs?: number;
  /** Sees what was printed to stdout so far, each time that there is more of it. */
  readonly onPrinted?: (stdout: string, child: ChildProcess) => void;
}

/** Runs Node with these arguments, and with none of this process's own, to its end; or to that of the running test. */
export async function runNode(args: readonly string[], options: RunOptions = {}): Promise<ProcessRun> {
  const { cwd, env = {}, timeoutMs = 280_000, onPrinted } = options;
  const { NODE_OPTIONS: _, ...inherited } = process.env;
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd,
    env: { ...inherited, ...env },
  });
  if (TestRunner.getCurrentTest() !== undefined) endsWithTest(child);
  const limit = setTimeout(() => killWithDescendants(child), timeoutMs);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onPrinted?.(stdout, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(limit);
  return { code, signal, stdout, stderr };
}

/** Should the process be there still when the running test is over, it is killed, with all that it has started. */
export function endsWithTest<Child extends ChildProcess>(child: Child): Child {
  onTestFinished(() => killWithDescendants(child));
  return child;
}

/** The processes that a process has started and that are there still, and those that they have started. */
export function descendantsOf(pid: number): number[] {
  const parents = parentsOfAll();
  const found = [pid];
  for (const parent of found) {
    for (const [child, itsParent] of parents) if (itsParent === parent) found.push(child);
  }
  return found.slice(1);
}

/** Of a process that has ended by itself nothing is known any more: what it has left behind stays. */
export function killWithDescendants(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  for (const pid of [child.pid, ...descendantsOf(child.pid)]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended meanwhile, as browsers do whose launcher is gone.
    }
  }
}

/** By process; from /proc where there is one, for a small machine need not have `ps`. */
function parentsOfAll(): Map<number, number> {
  if (!existsSync('/proc/self/stat')) {
    const { stdout = '' } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    const rows = [...(stdout ?? '').matchAll(/^ *(\d+) +(\d+)$/gm)];
    return new Map(rows.map(([, pid, parent]) => [Number(pid), Number(parent)]));
  }
  const parents = new Map<number, number>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      // pid (name) state parent …; the name may have any characters.
      const [, parent] = /^.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
      parents.set(Number(pid), Number(parent));
    } catch {
      // It has just ended.
    }
  }
  return parents;
}
