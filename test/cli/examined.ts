/** A script that the doctor has looked at, and what it leaves: each line says so at its end, in the script itself. */
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { DoctorReport } from '../../src/cli/doctor/report.ts';
import { type Leak, undisposed } from '../../src/observe/leak-report.ts';
import { chromiumLaunchOptions } from '../support/chromium.ts';
import { type Outcome, runCommandLine } from './command-line.ts';

export const SCRIPTS = 'test/cli/doctor-scripts';

export async function examine(...args: string[]): Promise<Outcome & { report: DoctorReport }> {
  const env = { TEST_LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()) };
  const outcome = await runCommandLine(['doctor', '--json', ...args], { env });
  try {
    return { ...outcome, report: JSON.parse(outcome.stdout) as DoctorReport };
  } catch {
    throw new Error(`no report: ${outcome.stdout}${outcome.stderr}`);
  }
}

/** `file:line kind` and how many, as the report has them. */
export function found(leaks: readonly Leak[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const leak of leaks) {
    const key = `${basename(leak.line).replace(/:\d+$/, '')} ${leak.kind}`;
    counts[key] = (counts[key] ?? 0) + undisposed(leak);
  }
  return counts;
}

/** The same, as the scripts say at the end of their lines. */
export async function known(word: string, ...files: string[]): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const file of files) {
    const lines = (await readFile(join(SCRIPTS, file), 'utf8')).split('\n');
    for (const [index, line] of lines.entries()) {
      const [, list = ''] = new RegExp(`// ${word} (.*)$`).exec(line) ?? [];
      for (const [, count, kind] of list.matchAll(/(\d+) (\w+)/g)) {
        counts[`${file}:${index + 1} ${kind}`] = Number(count);
      }
    }
  }
  return counts;
}
