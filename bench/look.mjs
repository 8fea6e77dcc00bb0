// What `doctor --browser-url` needs for a page with a large heap: time, memory, and how long the page stands still. A client
// holds an array of objects in the page, by default some 400 MB and 6 million nodes of V8's heap snapshot. Where there is a
// `taskset`, the doctor gets the first core and the browser the others.
//
//     npm run build && node bench/look.mjs [--objects 920000] [--json]
import { execFileSync, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';
import { findBrowser, launchOptions } from '../dist/cli/browser-finder.js';

const { values } = parseArgs({
  options: { objects: { type: 'string', default: '920000' }, json: { type: 'boolean', default: false } },
});
const objects = Number(values.objects);
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

/** Runs in the doctor's process, and in the one that it may start in its place: each tells what it has used as it ends. */
const tellsUsage = `--import=data:text/javascript,${encodeURIComponent(
  "process.on('exit', () => process._rawDebug('usage ' + JSON.stringify(process.resourceUsage())))",
)}`;

const canPin = availableParallelism() > 1 && hasTaskset();

function hasTaskset() {
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** A process on the cores named, with all its threads and whatever it starts from now on. */
function pin(pid, cores) {
  if (canPin) execFileSync('taskset', ['-apc', cores, String(pid)], { stdio: 'ignore' });
}

const browser = await puppeteer.launch({
  ...launchOptions(await findBrowser()),
  protocolTimeout: 600_000,
});
try {
  pin(browser.process().pid, `1-${availableParallelism() - 1}`);
  const page = await browser.newPage();
  const held = await page.evaluateHandle((count) => {
    const doubles = Array.from({ length: 40 }, (_, index) => index + 0.5);
    return Array.from({ length: count }, (_, index) => ({
      index,
      inner: { half: index + 0.5, pair: [index, index], doubles: doubles.slice() },
    }));
  }, objects);
  const session = await page.createCDPSession();
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  const usedBefore = await cpuSecondsOf(browser);
  const look = await doctor(browser.wsEndpoint());
  const browserCpuSeconds = (await cpuSecondsOf(browser)) - usedBefore;
  await held.dispose();
  const {
    held: counted,
    retainedBytes,
    pauseMs,
  } = look.report.targets.find(({ type }) => type === 'page') ?? {};
  const figures = {
    browser: look.report.browser,
    node: process.version,
    objects,
    heapMB: Math.round(usedSize / 1e6),
    held: counted,
    retainedMB: Math.round(retainedBytes / 1e6),
    elapsedSeconds: rounded(look.elapsedMs / 1_000),
    cpuSeconds: rounded(look.cpuSeconds),
    browserCpuSeconds: rounded(browserCpuSeconds),
    peakMemoryMB: Math.round(look.peakBytes / 1e6),
    pauseSeconds: rounded(pauseMs / 1_000),
    oneCore: canPin,
  };
  if (values.json) console.log(JSON.stringify(figures));
  else console.table(figures);
} finally {
  await browser.close();
}

/** Of all the browser's processes, all threads together. */
async function cpuSecondsOf(browser) {
  const session = await browser.target().createCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0);
}

function rounded(seconds) {
  return Number(seconds.toFixed(1));
}

async function doctor(endpoint) {
  const command = canPin ? ['taskset', '-c', '0', process.execPath] : [process.execPath];
  const [file, ...args] = [...command, main, 'doctor', '--browser-ws-endpoint', endpoint];
  const start = performance.now();
  const child = spawn(file, [...args, '--json', '--timeout', '120s', '--max-heap', '4000'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: tellsUsage },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => {
    stdout += text;
  });
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  const exitCode = await new Promise((resolve) => child.once('close', resolve));
  const elapsedMs = performance.now() - start;
  const usages = [...stderr.matchAll(/^usage (.*)$/gm)].map(([, usage]) => JSON.parse(usage));
  if (exitCode !== 0 || usages.length === 0) throw new Error(`exit code ${exitCode}: ${stderr}${stdout}`);
  return {
    report: JSON.parse(stdout),
    elapsedMs,
    cpuSeconds:
      usages.reduce((sum, { userCPUTime, systemCPUTime }) => sum + userCPUTime + systemCPUTime, 0) / 1e6,
    // Told in KiB.
    peakBytes: Math.max(...usages.map(({ maxRSS }) => maxRSS)) * 1_024,
  };
}
