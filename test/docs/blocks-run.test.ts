/**
 * Each JavaScript block of docs/ runs as it stands, in a folder with what it imports; the README's has a test of its own. What
 * does not run by itself is TypeScript, and is marked as a fragment.
 */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chromiumLaunchOptions } from '../support/chromium.ts';
import { codeBlocks, documents } from '../support/documents.ts';
import { runNode } from '../support/processes.ts';
import { PACKAGE } from '../support/script.ts';

const all = await documents();
const blocks = (await Promise.all(all.filter((document) => document !== 'README.md').map(codeBlocks)))
  .flat()
  .filter(({ language }) => language === 'js')
  .map((block) => ({ ...block, place: `${block.document}:${block.line}` }));

const INSTALLED = ['puppeteer-core', 'puppeteer-cluster', 'puppeteer-extra'];

/** Stands for the package of this name, which brings a browser: this one launches the browser that is here. */
const PUPPETEER = `
  const core = require('puppeteer-core').default;
  const launch = (options) => core.launch({ ...JSON.parse(process.env.LAUNCH_OPTIONS), ...options });
  module.exports = { launch, connect: core.connect, defaultArgs: core.defaultArgs, executablePath: core.executablePath };
`;

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blocks-run-'));
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'puppeteer'), { recursive: true });
  await writeFile(join(modules, 'puppeteer', 'index.js'), PUPPETEER);
  await symlink(PACKAGE, join(modules, 'cdp-release-batcher'));
  for (const name of INSTALLED) await symlink(join(PACKAGE, 'node_modules', name), join(modules, name));
  env = { LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()) };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('there are some', () => {
  expect(blocks.length).toBeGreaterThan(4);
});

it.each(blocks)('the block at $place runs', async ({ line, text }) => {
  const file = join(folder, `block-${line}.mjs`);
  await writeFile(file, text);
  const { code, stdout, stderr } = await runNode([file], { env });
  expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' });
});

it.each(all)('%s marks what does not run by itself', async (document) => {
  const text = await readFile(join(PACKAGE, document), 'utf8');
  expect(text.match(/^```ts$/gm)).toBeNull();
});
