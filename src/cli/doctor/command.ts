/** The doctor's part of the command line. Arguments after the script belong to the script. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { LONGEST_TIMER_MS } from '../../single-flight/time.ts';
import { CannotRunError } from '../cannot-run-error.ts';
import { type DoctorOptions, doctor } from '../doctor.ts';
import { say } from '../output.ts';

export const DOCTOR_USAGE = `  doctor [options] <script> [arguments]
               run an unchanged Puppeteer or Playwright script, and name the lines that leave handles behind
    --json                         print the report as JSON (what the script prints goes to stderr)
    --html <file>                  write a page to look at
    --fail-over <number>           exit with 1 where the script left more handles than that undisposed
    --every <duration>             report meanwhile, too: 10s, 500ms, 2m; a SIGUSR2 asks for one at any time
    --node-option <option>         for the script's Node, as --node-option=--import=tsx; may be repeated
`;

const OPTIONS = {
  json: { type: 'boolean', default: false },
  html: { type: 'string' },
  'fail-over': { type: 'string' },
  every: { type: 'string' },
  'node-option': { type: 'string', multiple: true, default: [] as string[] },
} as const;

/** @returns the exit code. */
export async function doctorCommand(args: readonly string[]): Promise<number> {
  const options = doctorOptionsOf(args);
  for (const name of ownOptionsBehind(args)) {
    say(
      `doctor: ${name} stands behind the script, so the script gets it; before ${options.script} it is doctor's.`,
    );
  }
  return doctor(options);
}

/** Options of the doctor's that were given to the script, perhaps by mistake. After `--` they are intended. */
function ownOptionsBehind(args: readonly string[]): string[] {
  const end = scriptAt(args);
  if (args[end] === '--') return [];
  const names = args.slice(end + 1).map((arg) => arg.split('=')[0] ?? '');
  return names.filter((name) => name.startsWith('--') && Object.hasOwn(OPTIONS, name.slice(2)));
}

/** @throws {CannotRunError} that names the argument that is not understood. */
export function doctorOptionsOf(args: readonly string[]): DoctorOptions {
  const end = scriptAt(args);
  const values = parse(args.slice(0, end));
  const [script, ...scriptArguments] = args.slice(end).filter((arg, index) => index > 0 || arg !== '--');
  if (script === undefined) throw new CannotRunError(`doctor: no script given.\n\n${DOCTOR_USAGE}`);
  if (!isRunnable(script)) throw new CannotRunError(`doctor: there is no ${script}.`);
  return {
    script,
    scriptArguments,
    json: values.json,
    htmlFile: values.html,
    failOver: countOption('--fail-over', values['fail-over']),
    everyMs: durationOption('--every', values.every),
    nodeOptions: values['node-option'],
  };
}

/** Resolved as Node does: the extension may be left out, and a folder has an index. */
function isRunnable(script: string): boolean {
  if (existsSync(script)) return true;
  try {
    createRequire(import.meta.url).resolve(resolve(script));
    return true;
  } catch {
    return false;
  }
}

/** The index of the first argument that is not ours. */
function scriptAt(args: readonly string[]): number {
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? '';
    if (arg === '--' || !arg.startsWith('-')) return index;
    const option = OPTIONS[arg.slice(2) as keyof typeof OPTIONS];
    if (option?.type === 'string') index++; // Its value; `--name=value` has it inside.
  }
  return args.length;
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new CannotRunError(`${(error as Error).message}\n\n${DOCTOR_USAGE}`);
  }
}

export function countOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = Number(text);
  if (text.trim() === '' || !Number.isInteger(count) || count < 0) {
    throw new CannotRunError(`${name} must be a whole number from 0 on, got "${text}".`);
  }
  return count;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A number without a unit is in seconds. */
export function durationOption(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const duration = Math.round(Number(amount) * (UNITS[unit] ?? Number.NaN));
  if (!(duration >= 1 && duration <= LONGEST_TIMER_MS)) {
    throw new CannotRunError(`${name} must be a duration such as 10s, 500ms or 2m, got "${text}".`);
  }
  return duration;
}
