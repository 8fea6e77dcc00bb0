// `npm run matrix`: packs the package, installs the tarball into folders of their own beside what people use it with, runs an
// ordinary script in each, plain and attached, and prints a table. The exit code is 1 where a row is not as expected.
//   npm run matrix -- puppeteer esbuild     rows whose name has one of these words
//   npm run matrix -- --list                the names, and nothing else
//   npm run matrix -- --keep                leaves the folders, and says where they are
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inflateBundledChromium } from '../../dist/cli/bundled-chromium.js';
import { Folders, run } from './folders.mjs';
import { rows as bundlers } from './rows/bundlers.mjs';
import { rows as clients } from './rows/clients.mjs';
import { rows as examples } from './rows/examples.mjs';
import { rows as loaders } from './rows/loaders.mjs';
import { rows as puppeteers } from './rows/puppeteers.mjs';
import { rows as testRunners } from './rows/test-runners.mjs';
import { rows as types } from './rows/types.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'boolean' }, keep: { type: 'boolean' } },
});
const all = [...puppeteers, ...loaders, ...clients, ...examples, ...testRunners, ...bundlers, ...types];
const rows = all.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);

if (values.list) {
  for (const { name } of rows) console.log(name);
} else if (rows.length === 0) {
  console.error(`No row's name has ${positionals.join(' or ')}; npm run matrix -- --list prints them.`);
  process.exitCode = 2;
} else {
  process.exitCode = await runAll();
}

async function runAll() {
  const folder = await mkdtemp(join(tmpdir(), 'matrix-'));
  try {
    const { stdout } = await run(
      'npm',
      ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder],
      root,
    );
    const folders = new Folders(folder, join(folder, stdout.trim().split('\n').at(-1)));
    const env = await environment();
    const results = [];
    for (const row of rows) {
      const result = await runRow(row, folders, env);
      results.push(result);
      console.error(`${result.problem === undefined ? 'ok    ' : 'FAILED'} ${row.name}`);
    }
    return print(results);
  } finally {
    if (values.keep) console.error(`Left in ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

/** What all scripts find: how to launch the browser that this checkout has. */
async function environment() {
  const chromium = await inflateBundledChromium();
  if (chromium === undefined) throw new Error('no Chromium: npm install @sparticuz/chromium');
  const launch = {
    executablePath: chromium.executablePath,
    headless: true,
    args: ['--no-sandbox', '--headless=new'],
    env: { ...process.env, ...chromium.environment },
  };
  return { MATRIX_LAUNCH: JSON.stringify(launch), LAUNCH_OPTIONS: JSON.stringify(launch), NO_COLOR: '1' };
}

/**
 * A row has `packages`, `files`, what is to be run (`plain`, `attached`: a command with its arguments, and `env`), and
 * `expected`: `attached`, or `as before` where nothing is to be attached. Without `plain` there is only a command to pass.
 */
async function runRow(row, folders, env) {
  const result = { name: row.name, plain: '', attached: '', expected: row.expected };
  try {
    const folder = await folders.of(row);
    for (const which of ['plain', 'attached']) {
      const command = row[which];
      if (command === undefined) continue;
      const [file, ...args] = command;
      const given = { ...env, ...row.env?.[which] };
      const { stdout } = await run(file, args, folder, given);
      result[which] = row.plain === undefined ? 'passes' : resultOf(stdout);
    }
  } catch (error) {
    return { ...result, problem: error.message };
  }
  return { ...result, problem: problemOf(result, row) };
}

/** What the script says by `RESULT {"alive": 50}`; see ordinary-script.mjs. */
function resultOf(stdout) {
  const line = stdout.split('\n').findLast((text) => text.includes('RESULT '));
  if (line === undefined) throw new Error(`no result in: ${stdout.slice(-300)}`);
  return JSON.parse(line.slice(line.indexOf('RESULT ') + 'RESULT '.length));
}

function problemOf({ plain, attached }, { plain: hasPlain, expected, made = 50, checks }) {
  if (hasPlain === undefined) return undefined;
  if (plain.alive !== made) return `plain: ${plain.alive} of ${made} alive`;
  const wanted = expected === 'attached' ? 0 : made;
  if (attached.alive !== wanted) return `attached: ${attached.alive} of ${made} alive, ${wanted} expected`;
  return checks?.(attached);
}

function print(results) {
  const shown = (value) => (value === '' || typeof value === 'string' ? value : `${value.alive} alive`);
  const head = ['row', 'plain', 'attached', 'expected', ''];
  const cells = results.map(({ name, plain, attached, expected, problem }) => [
    name,
    shown(plain),
    shown(attached),
    expected ?? 'passes',
    problem === undefined ? 'ok' : 'FAILED',
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...cells].map((row) => row[column].length)));
  for (const row of [head, ...cells]) {
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
  }
  const failed = results.filter(({ problem }) => problem !== undefined);
  for (const { name, problem } of failed) console.log(`\n${name}:\n${problem}`);
  console.log(
    `\n${results.length - failed.length} of ${results.length} rows are as expected. Node ${process.versions.node}.`,
  );
  return failed.length === 0 ? 0 : 1;
}
