// The ways to a Puppeteer that a name does not tell, and the loaders that stand before a script.
import { registerRow } from '../ordinary-script.mjs';

const IMPORTED = "import puppeteer from 'puppeteer-core';";
const TWICE = ['--import', 'cdp-release-batcher/register', '--require', 'cdp-release-batcher/register'];

/** Installs the folder's packages by Yarn, as Plug'n'Play, and runs Node in it. */
const YARN = `import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
const env = { ...process.env, YARN_NODE_LINKER: 'pnp', YARN_NPM_REGISTRY_SERVER: registry, YARN_ENABLE_TELEMETRY: '0',
  YARN_ENABLE_GLOBAL_CACHE: 'false', YARN_ENABLE_IMMUTABLE_INSTALLS: 'false', PUPPETEER_SKIP_DOWNLOAD: '1' };
const yarn = (...args) => {
  const { status } = spawnSync(process.execPath, ['../node_modules/@yarnpkg/cli-dist/bin/yarn.js', ...args], { cwd: 'pnp', env, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
};
if (!existsSync('pnp/.pnp.cjs')) {
  mkdirSync('pnp', { recursive: true });
  const { '@yarnpkg/cli-dist': _, ...installed } = dependencies;
  writeFileSync('pnp/package.json', JSON.stringify({ name: 'pnp', private: true, dependencies: installed }));
  writeFileSync('pnp/yarn.lock', '');
  yarn('install');
}
yarn('node', ...process.argv.slice(2));
`;

/** The script lies where Yarn has installed; Node is Yarn's. */
function yarnRow(name) {
  const row = registerRow({
    name,
    packages: { '@yarnpkg/cli-dist': '4', 'puppeteer-core': '24' },
    getting: IMPORTED,
    ending: 'mjs',
  });
  const scripts = Object.entries(row.files).map(([path, text]) => [`pnp/${path}`, text]);
  const byYarn = ([, ...args]) => ['node', 'yarn.mjs', ...args];
  return {
    ...row,
    files: { ...Object.fromEntries(scripts), 'yarn.mjs': YARN },
    plain: byYarn(row.plain),
    attached: byYarn(row.attached),
  };
}

export const rows = [
  registerRow({
    name: 'npm alias, require',
    packages: { pptr: 'npm:puppeteer-core@24' },
    getting: "const puppeteer = require('pptr');",
    ending: 'cjs',
  }),
  registerRow({
    name: 'npm alias, import',
    packages: { pptr: 'npm:puppeteer-core@25' },
    getting: "import puppeteer from 'pptr';",
    ending: 'mjs',
  }),
  registerRow({
    name: 'require() of an ES module',
    packages: { 'puppeteer-core': '25' },
    getting: "const { launch } = require('puppeteer-core'); const puppeteer = { launch };",
    ending: 'cjs',
  }),
  registerRow({
    name: 'subpath',
    packages: { 'puppeteer-core': '25' },
    getting: "import puppeteer from 'puppeteer-core/lib/puppeteer/puppeteer-core.js';",
    ending: 'mjs',
  }),
  registerRow({
    name: 'new PuppeteerNode()',
    packages: { 'puppeteer-core': '25' },
    getting:
      "import { PuppeteerNode } from 'puppeteer-core'; const puppeteer = new PuppeteerNode({ isPuppeteerCore: true });",
    ending: 'mjs',
  }),
  ...['cts', 'mts', 'ts'].map((ending) =>
    registerRow({
      name: `tsx .${ending}`,
      packages: { tsx: 'latest', 'puppeteer-core': '24' },
      getting: `// @ts-nocheck\n${IMPORTED}`,
      ending,
      node: ['--import', 'tsx'],
    }),
  ),
  registerRow({
    name: 'ts-node',
    packages: { 'ts-node': '10', typescript: '5.9', 'puppeteer-core': '24' },
    files: {
      'tsconfig.json': JSON.stringify({
        compilerOptions: { module: 'commonjs', target: 'es2022', esModuleInterop: true },
      }),
    },
    getting: `// @ts-nocheck\n${IMPORTED}`,
    ending: 'ts',
    node: ['--require', 'ts-node/register/transpile-only'],
    preload: ['--require', 'cdp-release-batcher/register'],
  }),
  yarnRow("Yarn Plug'n'Play"),
  registerRow({
    name: 'register given twice',
    packages: { 'puppeteer-core': '25' },
    getting: IMPORTED,
    ending: 'mjs',
    preload: TWICE,
  }),
  registerRow({
    name: 'rebrowser-puppeteer-core',
    packages: { 'rebrowser-puppeteer-core': 'latest' },
    getting: "import puppeteer from 'rebrowser-puppeteer-core';",
    ending: 'mjs',
  }),
];
