// What an import of the package costs is, above all, the files that it loads: each entry loads itself, the rooms that it
// is made of, and none of Node's larger parts that it does not need.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { lacking } from '../support/lacking.ts';
import { PACKAGE, runScript } from '../support/script.ts';

const BATCHER = ['rooms/batcher.js'];
const HANDLES = [...BATCHER, 'rooms/handles.js'];
const PUPPETEER = [...HANDLES, 'rooms/puppeteer.js'];
const PLAYWRIGHT = 'rooms/playwright.js';

/** Files of `dist`, by the name that is imported. */
const LOADED: Readonly<Record<string, readonly string[]>> = {
  '': ['index.js', ...BATCHER],
  '/puppeteer': ['clients/puppeteer/index.js', ...PUPPETEER],
  '/puppeteer-extra': ['clients/puppeteer-extra.js', ...PUPPETEER],
  '/chrome-remote-interface': ['clients/chrome-remote-interface.js', ...HANDLES],
  '/playwright': ['clients/playwright/index.js', PLAYWRIGHT, ...HANDLES],
  '/node-inspector': ['clients/node-inspector.js', ...HANDLES],
  '/session': ['clients/session.js', ...HANDLES],
  '/register': [
    'clients/puppeteer/register.js',
    'clients/puppeteer/register-hooks.js',
    'clients/puppeteer/register-orders.js',
    'clients/puppeteer/registration.js',
    'clients/playwright/registration.js',
    PLAYWRIGHT,
    ...PUPPETEER,
  ],
  '/single-flight': ['single-flight/index.js', ...BATCHER],
  '/threads': ['threads/index.js', ...BATCHER],
  '/testing': ['testing/index.js', PLAYWRIGHT, ...PUPPETEER],
  '/opentelemetry': ['observe/opentelemetry.js', 'rooms/metrics.js'],
  '/prometheus': ['observe/prometheus.js', 'rooms/metrics.js'],
};

/** Parts of Node that take a while to load, and which entry has need of them. */
const DEAR: Readonly<Record<string, readonly string[]>> = {
  child_process: [],
  crypto: ['/threads'],
  http: [],
  https: [],
  inspector: ['/node-inspector'],
  net: ['/register', '/testing'], // Within node:module's hooks, and node:assert.
  'timers/promises': [],
  tls: [],
};

async function builtinsLoadedBy(statement: string): Promise<string[]> {
  const { stdout, stderr } = await runScript(
    `${statement} console.log(JSON.stringify(process.moduleLoadList));`,
  );
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as string[]).map((entry) => entry.replace('NativeModule ', ''));
}

/** By V8's own account of the scripts that it has run. */
async function filesLoadedBy(statement: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), 'import-loads-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const { stderr } = await runScript(statement, { env: { NODE_V8_COVERAGE: folder } });
  expect(stderr).toBe('');
  const files = new Set<string>();
  for (const name of await readdir(folder)) {
    const { result } = JSON.parse(await readFile(join(folder, name), 'utf8')) as {
      result: { url: string }[];
    };
    for (const { url } of result) {
      const file = url.startsWith('file:') ? relative(join(PACKAGE, 'dist'), fileURLToPath(url)) : '..';
      if (!file.startsWith('..')) files.add(file); // Not the script itself.
    }
  }
  return [...files];
}

let bare: ReadonlySet<string>;
beforeAll(async () => {
  bare = new Set(await builtinsLoadedBy(''));
});

it('each entry of the package is looked at', async () => {
  const manifest: { exports: Record<string, unknown> } = JSON.parse(
    await readFile(join(PACKAGE, 'package.json'), 'utf8'),
  );
  const entries = Object.keys(manifest.exports).filter((name) => name !== './package.json');
  expect(Object.keys(LOADED).sort()).toEqual(entries.map((name) => name.slice(1)).sort());
});

const inModules =
  process.env.COVERAGE_OF_PROCESSES === undefined ? undefined : 'for coverage the build is left in modules';

it.each(Object.entries(LOADED))('cdp-release-batcher%s', lacking(inModules), async (entry, expected) => {
  const statement = `import 'cdp-release-batcher${entry}';`;
  expect((await filesLoadedBy(statement)).sort()).toEqual([...expected].sort());
  const dear = (await builtinsLoadedBy(statement)).filter((name) => name in DEAR && !bare.has(name));
  expect(dear.filter((name) => !DEAR[name]?.includes(entry))).toEqual([]);
});
