// `npm run versions`: runs test/versions/compatibility.mjs with each Puppeteer on each runtime, and with each Chromium
// that is here, prints what came of it as one table, and writes it to test/versions/latest.json. The runtimes other
// than this Node come from npm, into a temporary folder. The README's table is brought up to date from the file by
//   UPDATE_FIGURES=1 npx vitest run test/versions
import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inflateBundledChromium } from '../dist/cli/bundled-chromium.js';
import { tableOf } from './versions/table.mjs';

const execute = promisify(execFile);
const root = new URL('../', import.meta.url);
const suite = fileURLToPath(new URL('test/versions/compatibility.mjs', root));
const RUN_TIMEOUT_MS = 240_000;

const PUPPETEERS = [
  'puppeteer-core-22',
  'puppeteer-core-23',
  'puppeteer-core-24',
  'puppeteer-core',
  'rebrowser-puppeteer-core',
  '@cloudflare/puppeteer',
];
const NODES = [20, 22, 24, 26];

const isThere = (path) =>
  access(path).then(
    () => true,
    () => false,
  );

/** The browsers that are here: the first is the one for all runtimes. */
async function findBrowsers() {
  const browsers = [];
  // Unpacked by this process, since it takes a Node.
  if ((await inflateBundledChromium()) !== undefined) browsers.push('@sparticuz/chromium');
  for (const path of ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium']) {
    if (await isThere(path)) browsers.push(path);
  }
  if (browsers.length === 0) throw new Error('no Chromium: npm install @sparticuz/chromium');
  return browsers;
}

/** Installs a runtime from npm, and gives the command that runs a script by it. */
async function install(folder, name, version, command) {
  const label = command === 'node' ? `Node ${version}` : command === 'bun' ? 'Bun' : 'Deno';
  try {
    const prefix = join(folder, label.replace(' ', '-').toLowerCase());
    const options = ['--no-audit', '--no-fund', '--no-save', '--prefix', prefix];
    await execute('npm', ['install', ...options, `${name}@${version}`]);
    const file = join(prefix, 'node_modules', '.bin', command);
    await execute(file, ['--version']);
    return { label, file, args: ARGS[command] };
  } catch (error) {
    return { label, error: `not to be had from npm: ${firstLine(error)}` };
  }
}

const ARGS = {
  node: ['--expose-gc'],
  bun: [],
  deno: ['run', '--allow-all', '--node-modules-dir=manual', '--v8-flags=--expose-gc'],
};

async function run(runtime, puppeteer, browser) {
  const failed = (error) => ({ runtime: runtime.label, puppeteer, browser, error });
  if (runtime.error !== undefined) return failed(runtime.error);
  try {
    const { stdout } = await execute(runtime.file, [...runtime.args, suite], {
      cwd: fileURLToPath(root),
      env: { ...process.env, NO_COLOR: '1', PUPPETEER: puppeteer, BROWSER: browser },
      timeout: RUN_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    return JSON.parse(stdout.trim().split('\n').at(-1));
  } catch (error) {
    return failed(error.killed ? `no end within ${RUN_TIMEOUT_MS / 1000} s` : firstLine(error));
  }
}

/** Of an error, the line that says what it is, not how Node was started. */
function firstLine({ stderr, message }) {
  const lines = `${stderr ?? ''}\n${message}`.split('\n');
  return (lines.find((line) => /error/i.test(line)) ?? message).trim();
}

/** A run that printed nothing goes where its neighbours are. */
function fillIn(runs) {
  const complete = runs.filter(({ error }) => error === undefined);
  return runs.map((each) => {
    if (each.error === undefined) return each;
    const sameRuntime = complete.find(({ runtime }) => runtime.startsWith(each.runtime));
    const sameBrowser = complete.find(({ asked }) => asked.browser === each.asked.browser);
    const samePuppeteer = complete.find(({ asked }) => asked.puppeteer === each.asked.puppeteer);
    return {
      ...each,
      runtime: sameRuntime?.runtime ?? each.runtime,
      browser: sameBrowser?.browser ?? each.browser,
      puppeteer: samePuppeteer?.puppeteer ?? each.puppeteer,
    };
  });
}

const folder = await mkdtemp(join(tmpdir(), 'matrix-'));
try {
  const [firstBrowser, ...otherBrowsers] = await findBrowsers();
  const system = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const runtimes = [];
  for (const version of NODES) runtimes.push(await install(folder, `node-${system}`, version, 'node'));
  runtimes.push(
    await install(folder, 'bun', 'latest', 'bun'),
    await install(folder, 'deno', 'latest', 'deno'),
  );
  const here = { label: `Node ${process.versions.node}`, file: process.execPath, args: ARGS.node };

  const plan = [
    ...runtimes.map((runtime) => ({ runtime, browser: firstBrowser })),
    ...otherBrowsers.map((browser) => ({ runtime: here, browser })),
  ].flatMap((column) => PUPPETEERS.map((puppeteer) => ({ ...column, puppeteer })));
  const runs = [];
  for (const { runtime, puppeteer, browser } of plan) {
    process.stderr.write(`${puppeteer}, ${runtime.label}, ${browser}\n`);
    runs.push({ ...(await run(runtime, puppeteer, browser)), asked: { puppeteer, browser } });
  }
  const results = fillIn(runs).map(({ asked: _, ...result }) => result);
  await writeFile(new URL('test/versions/latest.json', root), `${JSON.stringify(results, undefined, 2)}\n`);
  process.stdout.write(tableOf(results));
} finally {
  await rm(folder, { recursive: true, force: true });
}
