#!/usr/bin/env node
/**
 * The command line. Exit codes: 0 done; 1 something went wrong; 2 only the user can correct it. The doctor exits as the
 * script did; after a signal with 128 and its number.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { BENCH_USAGE, benchCommand } from './bench.ts';
import { CannotRunError } from './cannot-run-error.ts';
import { demo } from './demo.ts';
import { DOCTOR_USAGE, doctorCommand } from './doctor/command.ts';
import { asksForLook, LOOK_USAGE, lookCommand } from './look/command.ts';
import { ignoreClosedPipes, print, say } from './output.ts';

const USAGE = `Usage: cdp-release-batcher <command> [options]

Commands:
  demo         run the same work on a real Chromium, plain and attached, and count what is left in the page
    --quick    fewer operations: some 25 seconds, and no crash to see
    --json     print the outcome as JSON (progress goes to stderr)
${BENCH_USAGE}${DOCTOR_USAGE}${LOOK_USAGE}
Options:
  --help       print this
  --version    print the version

The browser: CHROME_PATH or PUPPETEER_EXECUTABLE_PATH, else an installed Chrome or Chromium, else @sparticuz/chromium.`;

ignoreClosedPipes();

try {
  await main(process.argv.slice(2));
} catch (error) {
  const isUsersToMend = error instanceof CannotRunError;
  say(isUsersToMend ? error.message : String((error as Error)?.stack ?? error));
  process.exitCode = isUsersToMend ? 2 : 1;
}

async function main(args: string[]): Promise<void> {
  if (args[0] === 'bench' && !args.includes('--help') && !args.includes('-h')) {
    process.exitCode = await benchCommand(args.slice(1));
    return;
  }
  if (args[0] === 'doctor' && !['--help', '-h'].includes(args[1] ?? '')) {
    const rest = args.slice(1);
    process.exitCode = asksForLook(rest) ? await lookCommand(rest) : await doctorCommand(rest);
    return;
  }
  const { values, positionals } = parse(args);
  const [command, ...rest] = positionals;
  if (values.help) print(USAGE);
  else if (values.version) print(version());
  else if (command === undefined) throw usageError('No command given.');
  else if (command !== 'demo') throw usageError(`Unknown command: ${command}`);
  else if (rest.length > 0) throw usageError(`Too many arguments: ${rest.join(' ')}`);
  else await demo({ quick: values.quick, json: values.json });
}

function parse(args: string[]): {
  values: Record<'help' | 'version' | 'quick' | 'json', boolean>;
  positionals: string[];
} {
  const flag = { type: 'boolean', default: false } as const;
  const options = {
    help: { ...flag, short: 'h' },
    version: { ...flag, short: 'v' },
    quick: flag,
    json: flag,
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw usageError((error as Error).message);
  }
}

function usageError(message: string): CannotRunError {
  return new CannotRunError(`${message}\n\n${USAGE}`);
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
