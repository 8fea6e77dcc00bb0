/**
 * `cdp-release-batcher doctor --browser-url …`: what the clients of a running browser hold in it, whatever drives it. The
 * exit code: 0 done; 1 more than `--fail-over` allows, or nothing could be looked into; 2 only the user can correct it.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { type LookTarget, lookIntoBrowser } from '../../observe/browser-look.ts';
import type { LookLimits } from '../../observe/heap-look.ts';
import { clearTimeout, monotonicNow, setTimeout } from '../../timers.ts';
import { CannotRunError } from '../cannot-run-error.ts';
import { countOption, durationOption } from '../doctor/command.ts';
import { print, printJson, say } from '../output.ts';
import { writeReportFile } from '../report-file.ts';
import { BrowserConnection, endpointOf } from './connection.ts';
import { htmlOfLook } from './html-report.ts';
import { type BrowserReport, browserReportOf, Courses, failureOf } from './report.ts';
import { formatLook } from './terminal.ts';

export const LOOK_USAGE = `  doctor --browser-url <url> [options]
               look into a running browser, whatever drives it: what its clients hold in each page, frame and worker
    --browser-ws-endpoint <url>    its WebSocket address, in place of --browser-url
    --target <part of an address>  only pages, frames and workers whose address has this in it
    --every <duration>             look again and again, and show growth: 30s, 5m
    --max-heap <megabytes>         larger heaps are not looked into (default: 512)
    --timeout <duration>           give up on a page that shows no sign of life for so long (default: 20s)
    --json, --html <file>          as below; with --every one JSON document a look
    --fail-over <number>           exit with 1 where more than that is held for clients, the console's own left out
`;

const OPTIONS = {
  'browser-url': { type: 'string' },
  'browser-ws-endpoint': { type: 'string' },
  target: { type: 'string' },
  every: { type: 'string' },
  'max-heap': { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean', default: false },
  html: { type: 'string' },
  'fail-over': { type: 'string' },
} as const;

const DEFAULT_MAX_HEAP = 512e6;
const DEFAULT_TIMEOUT_MS = 20_000;

/** Whether these arguments ask for a look into a browser, and not for a script's examination. */
export function asksForLook(args: readonly string[]): boolean {
  const first = args[0] ?? '';
  const known = args.some((arg) => /^--browser-(?:url|ws-endpoint)(?:=|$)/.test(arg));
  return known && first.startsWith('--');
}

interface LookOptions extends LookLimits {
  /** Only targets whose address contains this. */
  readonly urlPart: string | undefined;
  readonly browserUrl: string | undefined;
  readonly endpoint: string | undefined;
  readonly everyMs: number | undefined;
  readonly json: boolean;
  readonly htmlFile: string | undefined;
  readonly failOver: number | undefined;
}

/** @returns the exit code. */
export async function lookCommand(args: readonly string[]): Promise<number> {
  const options = lookOptionsOf(args);
  if (typeof WebSocket === 'undefined') return againWithWebSocket();
  const endpoint = options.endpoint ?? (await endpointOf(options.browserUrl ?? ''));
  const connection = await BrowserConnection.open(endpoint);
  try {
    return await lookAgainAndAgain(connection, endpoint, options);
  } finally {
    await connection.close();
  }
}

/** @throws {CannotRunError} that names the argument that is not understood. */
function lookOptionsOf(args: readonly string[]): LookOptions {
  const values = parse(args);
  const browserUrl = values['browser-url'];
  const endpoint = values['browser-ws-endpoint'];
  if (browserUrl !== undefined && endpoint !== undefined) {
    throw new CannotRunError('Give --browser-url or --browser-ws-endpoint, not both.');
  }
  checkAddress('--browser-url', browserUrl, ['http:', 'https:'], 'http://127.0.0.1:9222');
  checkAddress('--browser-ws-endpoint', endpoint, ['ws:', 'wss:'], 'ws://127.0.0.1:9222/devtools/browser/…');
  const maxHeapMegabytes = countOption('--max-heap', values['max-heap']);
  return {
    browserUrl,
    endpoint,
    urlPart: values.target,
    everyMs: durationOption('--every', values.every),
    maxHeapBytes: maxHeapMegabytes === undefined ? DEFAULT_MAX_HEAP : maxHeapMegabytes * 1e6,
    timeoutMs: durationOption('--timeout', values.timeout) ?? DEFAULT_TIMEOUT_MS,
    json: values.json,
    htmlFile: values.html,
    failOver: countOption('--fail-over', values['fail-over']),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (error) {
    throw new CannotRunError(`${(error as Error).message}\n\n${LOOK_USAGE}`);
  }
}

function checkAddress(
  name: string,
  text: string | undefined,
  protocols: readonly string[],
  example: string,
): void {
  if (text === undefined) return;
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return;
  throw new CannotRunError(`${name} must be an address such as ${example}, got "${text}".`);
}

async function lookAgainAndAgain(
  connection: BrowserConnection,
  endpoint: string,
  options: LookOptions,
): Promise<number> {
  const { product } = (await connection.send('Browser.getVersion')) as { product: string };
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  const stopped = new Promise<'stopped'>((resolve) => {
    stop.signal.addEventListener('abort', () => resolve('stopped'));
  });
  const closed = connection.closed.then(() => 'closed' as const);
  for (const name of STOPPING) process.on(name, onSignal);
  const courses = new Courses();
  const startedAt = monotonicNow();
  const { urlPart = '', maxHeapBytes, timeoutMs } = options;
  const limits = { maxHeapBytes, timeoutMs, isWanted: ({ url }: LookTarget) => url.includes(urlPart) };
  let last: BrowserReport | undefined;
  try {
    for (;;) {
      const lookedAt = { browser: product, endpoint, failOver: options.failOver };
      const begunAt = monotonicNow();
      const looked = await Promise.race([lookIntoBrowser(connection, limits), stopped]);
      if (looked === 'stopped') break;
      last = browserReportOf(looked, { ...lookedAt, elapsedMs: begunAt - startedAt });
      if (last.targets.length + last.unseen.length === 0) throw nothingThere(options);
      courses.add(last);
      show(last, courses, options);
      if (connection.isClosed) throw new Error('the browser closed the connection');
      if (options.everyMs === undefined) break;
      const end = await Promise.race([wait(options.everyMs, stop.signal), stopped, closed]);
      if (end === 'closed') throw new Error('the browser closed the connection');
      if (end === 'stopped') break;
    }
  } catch (error) {
    if (error instanceof CannotRunError) throw error;
    say(`The look has ended: ${(error as Error).message}.`);
    return 1;
  } finally {
    for (const name of STOPPING) process.off(name, onSignal);
    stop.abort();
  }
  return last === undefined || last.targets.length === 0 || failureOf(last) !== undefined ? 1 : 0;
}

const STOPPING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function wait(ms: number, signal: AbortSignal): Promise<'time'> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('time'), ms);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}

function nothingThere({ urlPart }: LookOptions): CannotRunError {
  return new CannotRunError(
    urlPart === undefined
      ? 'The browser has no page, frame or worker open.'
      : `No page, frame or worker has "${urlPart}" in its address.`,
  );
}

function show(report: BrowserReport, courses: Courses, { json, htmlFile, everyMs }: LookOptions): void {
  if (json) printJson(report, everyMs === undefined ? 2 : undefined);
  else print(`${formatLook(report, courses)}\n`);
  if (htmlFile !== undefined) writeReportFile(htmlFile, htmlOfLook(report, courses));
}

/** Node has a WebSocket from 22 on. Node 20 has one behind a flag, which needs a new process. */
function againWithWebSocket(): Promise<number> {
  const [script = '', ...args] = process.argv.slice(1);
  const child = spawn(process.execPath, ['--experimental-websocket', ...process.execArgv, script, ...args], {
    stdio: 'inherit',
  });
  const passOn = (name: NodeJS.Signals): void => void child.kill(name);
  for (const name of STOPPING) process.on(name, passOn);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => {
      for (const name of STOPPING) process.off(name, passOn);
      resolve(exitCode ?? 1);
    });
  });
}
