// The same work comes to the same under every switch of Node's that changes the ground under a library.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { PACKAGE, runScript } from '../support/script.ts';
import { sized } from '../support/sized.ts';
import { RAW_WORK, RAW_WORK_DONE, WORK, WORK_DONE } from './work.ts';

const COUNTS = `${WORK}\nconsole.log(JSON.stringify(await work(await puppeteer.launch(launchOptions), attach)));`;
const FREEZE = `for (const it of [Object, Array, Map, Set, WeakMap, WeakRef, Promise, FinalizationRegistry, Function, Error, String]) {
  Object.freeze(it); Object.freeze(it.prototype); }`;
const IMPORTS =
  "import puppeteer from 'puppeteer-core'; import { attach } from 'cdp-release-batcher/puppeteer';\n";

/** One does not hide the other, so that one process has them all; the long tests have one for each. */
const TOGETHER = [
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '--enable-source-maps',
  '--unhandled-rejections=strict',
  '--no-warnings',
  '--max-old-space-size=64',
];
/** Two that cannot go with those above. */
const APART = ['--disable-proto=throw', '--jitless'];
const RAW = ['--frozen-intrinsics', '--stack-trace-limit=0'];
const eachAlone = (flags: readonly string[]): string[][] => flags.map((flag) => [flag]);

it.each([...sized([TOGETHER, APART], eachAlone([...TOGETHER, ...APART]))])(
  'under %s %s %s %s %s %s',
  async (...flags) => {
    const execArgv = ['--expose-gc', ...flags];
    const { stdout, stderr, ...rest } = await runScript(IMPORTS + COUNTS, { execArgv });
    expect({ ...rest, stderr: withoutNodesOwn(stderr) }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(JSON.parse(stdout)).toEqual(WORK_DONE);
  },
);

// Under these Puppeteer itself does not start: the client is a session of a few lines, over the browser's WebSocket.
it.each([
  ...sized([RAW], eachAlone(RAW)).map((flags) => [flags.join(' '), flags, ''] as const),
  ['all prototypes frozen by the script itself', ['--no-warnings'], FREEZE] as const,
])('under %s', async (_, flags, source) => {
  const { stdout, stderr, ...rest } = await runScript(`${RAW_WORK}\n${source}\nawait rawWork();`, {
    execArgv: ['--expose-gc', ...flags],
  });
  expect({ ...rest, stderr: withoutNodesOwn(stderr) }).toEqual({ code: 0, signal: null, stderr: '' });
  expect(JSON.parse(stdout)).toEqual(RAW_WORK_DONE);
});

it('under coverage, which is written and knows our files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'coverage-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { stdout, stderr, code } = await runScript(IMPORTS + COUNTS, {
    execArgv: ['--expose-gc'],
    env: { NODE_V8_COVERAGE: folder },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toEqual(WORK_DONE);
  const [file] = await readdir(folder);
  const { result } = JSON.parse(await readFile(join(folder, String(file)), 'utf8')) as {
    result: { url: string }[];
  };
  const covered = result.filter(({ url }) => url.startsWith('file:')).map(({ url }) => fileURLToPath(url));
  expect(covered.some((file) => file.startsWith(join(PACKAGE, 'dist')))).toBe(true);
});

it('under source maps, by which a leak’s line is that of the source', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'source-maps-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const map = {
    version: 3,
    sources: ['original.ts'],
    names: [],
    // The generated module's fourth line is line 42 of the original.
    mappings: ';;;AAyCA',
  };
  const generated = `import puppeteer from 'file://${PACKAGE}/node_modules/puppeteer-core/lib/puppeteer/puppeteer-core.js';
import { attach } from 'file://${PACKAGE}/dist/clients/puppeteer/index.js';
const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS)); const releases = attach(browser, { traceLeaks: true }); const page = await browser.newPage();
await page.evaluateHandle(() => ({})); console.log(releases.leaks().map(({ line }) => line).join()); await browser.close();
${'//'}# sourceMappingURL=generated.mjs.map
`;
  await writeFile(join(folder, 'generated.mjs'), generated);
  await writeFile(join(folder, 'generated.mjs.map'), JSON.stringify(map));
  const { stdout, stderr } = await runScript(
    `await import(${JSON.stringify(join(folder, 'generated.mjs'))});`,
    {
      execArgv: ['--enable-source-maps'],
    },
  );
  expect(stderr).toBe('');
  expect(stdout).toMatch(/original\.ts:42:\d+/);
});

/** What Node says of its own switches. */
function withoutNodesOwn(stderr: string): string {
  return stderr
    .replace(/^.*(ExperimentalWarning|disabling flag).*\n/gm, '')
    .replace(/^\(Use `node --trace-warnings.*\n/gm, '');
}
