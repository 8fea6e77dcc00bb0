// `node --import cdp-release-batcher/register script` attaches whatever a script launches that knows nothing of it.
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PACKAGE, runScript } from '../support/script.ts';
import { sized } from '../support/sized.ts';

/** Ends with how many of 50 forgotten objects are still alive in the page after so many `COLLECTIONS`, or once none is. */
const COUNT_FORGOTTEN = `
  const browser = await puppeteer.launch(launchOptions);
  const page = await browser.newPage();
  const meter = await page.createCDPSession();
  const evaluate = async (expression) => (await meter.send('Runtime.evaluate', { expression, returnByValue: true })).result.value;
  await evaluate('globalThis.refs = []; globalThis.mk = () => { const object = { big: new Array(1000).fill(1) }; refs.push(new WeakRef(object)); return object; }; 1');
  const forget = async () => { for (let count = 0; count < 50; count++) await page.evaluateHandle(() => mk()); };
  await forget();
  let alive;
  // The last few of a generation are released when it closes, a second or two after it was opened.
  for (let collections = 0; alive !== 0 && collections < Number(process.env.COLLECTIONS); collections++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await page.evaluate('1');
    await meter.send('HeapProfiler.collectGarbage');
    alive = await evaluate('refs.filter((ref) => ref.deref()).length');
  }
  console.log(alive);
  await browser.close();
`;

const SCRIPTS = {
  'a module that imports the default': {
    type: 'module',
    source: `import puppeteer from 'puppeteer-core';${COUNT_FORGOTTEN}`,
  },
  'a module that imports launch by name': {
    type: 'module',
    source: `import { launch } from 'puppeteer-core'; const puppeteer = { launch };${COUNT_FORGOTTEN}`,
  },
  'a module that imports dynamically': {
    type: 'module',
    source: `const { default: puppeteer } = await import('puppeteer-core');${COUNT_FORGOTTEN}`,
  },
  'a script that requires': {
    type: 'commonjs',
    source: `(async () => { const required = require('puppeteer-core'); const puppeteer = required.default ?? required;${COUNT_FORGOTTEN} })();`,
  },
} as const;

/** The folders of the versions in this package's \`node_modules\`. */
const VERSIONS = sized<Readonly<Record<number, string>>>(
  { 25: 'puppeteer-core' },
  { 25: 'puppeteer-core', 24: 'puppeteer-core-24' },
);

describe.each(Object.entries(VERSIONS))('with puppeteer-core %s', (_version, installed) => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'release-batcher-register-'));
    await mkdir(join(folder, 'node_modules'));
    await symlink(join(PACKAGE, 'node_modules', installed), join(folder, 'node_modules', 'puppeteer-core'));
    await symlink(PACKAGE, join(folder, 'node_modules', 'cdp-release-batcher'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const run = (
    { source, type }: (typeof SCRIPTS)[keyof typeof SCRIPTS],
    execArgv: readonly string[],
    collections: number,
  ) =>
    runScript(source, {
      folder,
      type,
      execArgv: ['--expose-gc', ...execArgv],
      env: { COLLECTIONS: String(collections) },
    });

  it('the script leaks without the hook', async () => {
    expect(await run(SCRIPTS['a module that imports the default'], [], 10)).toEqual({
      code: 0,
      signal: null,
      stdout: '50\n',
      stderr: '',
    });
  });

  const dynamic = 'a module that imports dynamically'; // Which goes the way of a static import.
  const scripts = Object.entries(SCRIPTS).filter(([name]) => sized(name !== dynamic, true));
  it.each(scripts)('the hook attaches %s', async (_name, script) => {
    expect(await run(script, ['--import', 'cdp-release-batcher/register'], 1_000)).toEqual({
      code: 0,
      signal: null,
      stdout: '0\n',
      stderr: '',
    });
  });
});
