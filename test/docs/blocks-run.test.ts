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

/** The same for Playwright. */
const PLAYWRIGHT = `
  const core = require(process.env.PLAYWRIGHT);
  const { executablePath, args, env } = JSON.parse(process.env.LAUNCH_OPTIONS);
  const launch = (options) => core.chromium.launch({ executablePath, args, env, ...options });
  exports.chromium = { launch };
`;

let folder: string;
let env: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'blocks-run-'));
  const modules = join(folder, 'node_modules');
  await mkdir(join(modules, 'puppeteer'), { recursive: true });
  await writeFile(join(modules, 'puppeteer', 'index.js'), PUPPETEER);
  await mkdir(join(modules, 'playwright-core'));
  await writeFile(join(modules, 'playwright-core', 'index.js'), PLAYWRIGHT);
  await symlink(PACKAGE, join(modules, 'cdp-release-batcher'));
  for (const name of INSTALLED) await symlink(join(PACKAGE, 'node_modules', name), join(modules, name));
  env = {
    LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()),
    PLAYWRIGHT: join(PACKAGE, 'node_modules', 'playwright-core'),
  };
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

it('the test in docs/testing.md fails without its disposal, with the message that stands there', async () => {
  const [block, message] = await codeBlocks('docs/testing.md');
  await writeFile(join(folder, 'list.test.mjs'), block?.text.replace(/await button\.dispose\(\);/, '') ?? '');
  const { code, stdout } = await runNode([join(folder, 'list.test.mjs')], { env });
  expect(code).toBe(1);
  const [sentence = '', line = ''] = message?.text.trimEnd().split('\n') ?? [];
  expect(stdout).toContain(sentence);
  const [kind = '', place = ''] = line.trim().split(' asked for at ');
  expect(stdout).toContain(kind);
  expect(stdout).toContain(`/${place}`);
});

it.each(all)('%s marks what does not run by itself', async (document) => {
  const text = await readFile(join(PACKAGE, document), 'utf8');
  expect(text.match(/^```ts$/gm)).toBeNull();
});
