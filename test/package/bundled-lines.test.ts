// A program that a bundler has put into one file with this package and Puppeteer: `leaks()` tells the program's own lines
// where a source map names them, says why not where none does, and nothing throws in the program's calls.
import { cp, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromiumLaunchOptions } from '../support/chromium.ts';
import { runNode } from '../support/processes.ts';
import { PACKAGE } from '../support/script.ts';

const PROGRAM = `import puppeteer from 'puppeteer-core';
import { attach } from 'cdp-release-batcher/puppeteer';
const launchOptions = JSON.parse(process.env.TEST_LAUNCH_OPTIONS ?? '{}');
void (async () => {
  const browser = await puppeteer.launch(launchOptions);
  const releases = attach(browser, { traceLeaks: true });
  const page = await browser.newPage();
  for (let count = 0; count < 3; count++) {
    await page.evaluateHandle(() => ({}));
  }
  console.log(JSON.stringify(releases.leaks().filter(({ kind }) => kind === 'object').map(({ line }) => line)));
  await browser.close();
})();
`;
/** Where the program asks for its handles. */
const LINE = 9;

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'bundled-lines-')));
  const installed = join(folder, 'node_modules', 'cdp-release-batcher');
  await mkdir(installed, { recursive: true });
  await cp(join(PACKAGE, 'dist'), join(installed, 'dist'), { recursive: true });
  await cp(join(PACKAGE, 'package.json'), join(installed, 'package.json'));
  await writeFile(join(folder, 'program.mjs'), PROGRAM);
});
afterAll(() => rm(folder, { recursive: true }));

it.each([
  ['esm', 'with', '--enable-source-maps'],
  ['cjs', 'with', '--enable-source-maps'],
  ['esm', 'without', '--no-warnings'],
  ['cjs', 'without', '--no-warnings'],
] as const)('one file, %s, %s a source map', async (format, maps, flag) => {
  const bundle = await rolldown({
    input: join(folder, 'program.mjs'),
    platform: 'node',
    logLevel: 'silent',
    resolve: { modules: [join(folder, 'node_modules'), join(PACKAGE, 'node_modules')] },
  });
  const out = join(folder, `${format}-${maps}`);
  await bundle.write({
    dir: out,
    format,
    sourcemap: maps === 'with',
    minify: maps === 'without',
    codeSplitting: false,
    entryFileNames: format === 'esm' ? 'bundle.mjs' : 'bundle.cjs',
  });
  const script = join(out, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs');
  const env = { TEST_LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()) };
  const { code, stdout, stderr } = await runNode([flag, script], { env });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = JSON.parse(stdout) as string[];
  if (maps === 'with')
    expect(lines).toEqual([expect.stringMatching(new RegExp(`program\\.mjs:${LINE}:\\d+$`))]);
  else expect(lines).toEqual(['unknown: bundled, and without a source map or --enable-source-maps']);
});
