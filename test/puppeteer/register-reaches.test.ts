// `register` finds a Puppeteer by what it is, under whatever name and by whatever way a script loads it; says what it
// did where it is asked to; and leaves alone what it can't attach to.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { withCalls } from '../../src/clients/puppeteer/register-hooks.ts';
import { parseOrders } from '../../src/clients/puppeteer/register-orders.ts';
import { runNode } from '../support/processes.ts';
import { PACKAGE, runScript } from '../support/script.ts';

const REGISTERED = ['--import', 'cdp-release-batcher/register'];

/** By the name in the script's `node_modules`, what stands there of this package's own. */
const INSTALLED = {
  'cdp-release-batcher': '.',
  'puppeteer-core': 'node_modules/puppeteer-core',
  'an-alias': 'node_modules/puppeteer-core-24',
  'another-alias': 'node_modules/puppeteer-core-23',
  'rebrowser-puppeteer-core': 'node_modules/rebrowser-puppeteer-core',
  'playwright-alias': 'node_modules/playwright-core',
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'release-batcher-reaches-'));
  await mkdir(join(folder, 'node_modules'));
  for (const [name, path] of Object.entries(INSTALLED)) {
    await symlink(join(PACKAGE, path), join(folder, 'node_modules', name));
  }
  // As TypeScript's and Babel's loaders do with a script: they compile it, and hand it to Node themselves.
  await writeFile(
    join(folder, 'compiling.cjs'),
    `const fs = require('node:fs');
    require.extensions['.cts'] = (module, file) => module._compile(fs.readFileSync(file, 'utf8'), file);`,
  );
  await writeFile(join(folder, 'script.cts'), `module.exports = require('an-alias').default;`);
  // Or they hand it to Node as a hook of ES modules does.
  await writeFile(
    join(folder, 'hooks.mjs'),
    `import { readFileSync } from 'node:fs';
    export const load = (url, context, next) => url.endsWith('.hooked')
      ? { format: 'commonjs', source: readFileSync(new URL(url)), shortCircuit: true }
      : next(url, context);`,
  );
  await writeFile(
    join(folder, 'hooking.mjs'),
    `import { register } from 'node:module'; register(new URL('hooks.mjs', import.meta.url));`,
  );
  await writeFile(join(folder, 'script.hooked'), `module.exports = require('another-alias').default;`);
  await writeFile(
    join(folder, 'thread.mjs'),
    `import { parentPort, workerData } from 'node:worker_threads';
    import puppeteer from 'puppeteer-core';
    import { attach } from 'cdp-release-batcher/puppeteer';
    const browser = await puppeteer.launch(workerData);
    await (await browser.newPage()).evaluateHandle(() => ({}));
    parentPort.postMessage(attach(browser).stats().minted > 0);
    await browser.close();`,
  );
});
afterAll(() => rm(folder, { recursive: true }));

/** Each way gives something that launches; prints which of them gave a browser that was attached. */
const WAYS = `
  const { createRequire } = await import('node:module');
  const { Worker } = await import('node:worker_threads');
  const { once } = await import('node:events');
  const require = createRequire(import.meta.url);
  const { attach } = await import('cdp-release-batcher/puppeteer');
  const { attach: attachToPlaywright } = await import('cdp-release-batcher/playwright');
  const { PuppeteerNode } = await import('puppeteer-core/lib/puppeteer/node/PuppeteerNode.js');
  require('./compiling.cjs');
  const ways = {
    'require() of an alias': () => require('an-alias'),
    'import of an alias': async () => (await import('an-alias')).default,
    'CommonJS that a loader compiled': () => require('./script.cts'),
    'CommonJS that a hook compiled': async () => (await import('./script.hooked')).default,
    'require() of an ES module': () => require('puppeteer-core').default,
    'require() of an ES module, by the name of launch': () => ({ launch: require('puppeteer-core').launch }),
    'a subpath': () => import('puppeteer-core/lib/puppeteer/puppeteer-core.js'),
    'new PuppeteerNode()': () => new PuppeteerNode({ isPuppeteerCore: true }),
    'a fork': async () => (await import('rebrowser-puppeteer-core')).default,
    'an alias of Playwright': () => require('playwright-alias').chromium,
  };
  const found = {};
  const workerData = JSON.parse(process.env.TEST_LAUNCH_OPTIONS);
  for (const [way, give] of Object.entries(ways)) {
    const isPlaywright = way.includes('Playwright');
    const { executablePath, args, env } = launchOptions;
    const browser = await (await give()).launch(isPlaywright ? { executablePath, args, env } : launchOptions);
    const page = await browser.newPage();
    await page.evaluateHandle(() => ({}));
    found[way] = (isPlaywright ? attachToPlaywright : attach)(browser).stats().minted > 0;
    await browser.close();
  }
  const thread = new Worker(new URL('thread.mjs', import.meta.url), { execArgv: [], workerData });
  [found['a thread without arguments to Node']] = await once(thread, 'message');
  await once(thread, 'exit');
  console.log(JSON.stringify(found));
`;

it('attaches whatever way a script takes to a Puppeteer, and reports at the end', async () => {
  const { stdout, stderr, code } = await runScript(WAYS, {
    folder,
    execArgv: [...REGISTERED, '--import', join(folder, 'hooking.mjs')],
    env: { CDP_RELEASE_BATCHER: 'report' },
  });
  expect(code, stderr).toBe(0);
  expect(Object.entries(JSON.parse(stdout)).filter(([, attached]) => attached !== true)).toEqual([]);
  expect(stderr).toMatch(
    /^cdp-release-batcher \(thread \d+\): attached to 1 browser of puppeteer-core 25\./m,
  );
  expect(stderr).toMatch(
    /^cdp-release-batcher: attached to 10 browsers of .*\brebrowser-puppeteer-core 24\./m,
  );
  expect(stderr).toMatch(/: \d+ handles, .*gone with their page/);
});

/** As versions 1 to 15 are: an instance is exported, whose methods are its class's. */
const OLD = {
  'puppeteer/package.json': '{ "name": "puppeteer", "version": "13.7.0", "main": "index.js" }',
  'puppeteer/index.js': `
    const { EventEmitter } = require('node:events');
    const target = { type: () => 'browser' };
    class Browser extends EventEmitter {
      browserContexts() { return []; }
      targets() { return [target]; }
      target() { return target; }
      newPage() {}
    }
    class Puppeteer { connect() { return Promise.resolve(new Browser()); } defaultArgs() {} }
    const base = { Puppeteer };
    class PuppeteerNode extends base.Puppeteer {
      launch() { return Promise.resolve(new Browser()); }
    }
    module.exports = new PuppeteerNode();`,
};

it('runs a script with a Puppeteer that is too old as before, and says so where it is asked', async () => {
  const old = await mkdtemp(join(tmpdir(), 'release-batcher-old-'));
  try {
    await mkdir(join(old, 'node_modules', 'puppeteer'), { recursive: true });
    await symlink(PACKAGE, join(old, 'node_modules', 'cdp-release-batcher'));
    for (const [path, text] of Object.entries(OLD)) await writeFile(join(old, 'node_modules', path), text);
    const script = `
      const puppeteer = require('puppeteer');
      puppeteer.launch().then((browser) => console.log(browser.eventNames().length, puppeteer.connect.name));`;
    const run = (env: Record<string, string>) =>
      runScript(script, { folder: old, type: 'commonjs', execArgv: REGISTERED, env });
    expect(await run({})).toMatchObject({ stdout: '0 connect\n', stderr: '', code: 0 });
    expect((await run({ CDP_RELEASE_BATCHER: 'report' })).stderr).toContain(
      'saw puppeteer 13.7.0, but its browsers cannot be attached to: Puppeteer 16 or later can',
    );
  } finally {
    await rm(old, { recursive: true });
  }
});

it('says where nothing was seen', async () => {
  const env = { CDP_RELEASE_BATCHER: 'report' };
  const { stderr } = await runScript('', { folder, execArgv: REGISTERED, env });
  expect(stderr).toMatch(/^cdp-release-batcher: saw no Puppeteer: /);
});

it('reports once where it was given twice, as ES module and as CommonJS', async () => {
  const env = { CDP_RELEASE_BATCHER: 'report' };
  const execArgv = [...REGISTERED, '--require', 'cdp-release-batcher/register'];
  const { stderr } = await runScript('', { folder, execArgv, env });
  expect(stderr.match(/^cdp-release-batcher: /gm)).toHaveLength(1);
});

it.each([
  ['reprot', "expected report, or an option as consoleEntries=discard, got 'reprot'"],
  ['maxBatchSize=0', 'maxBatchSize must be a whole number from 1 to 1024, got 0'],
  ['batchSize=3', "there is no option 'batchSize'"],
])('refuses %s in the variable, before the script runs', async (value, message) => {
  expect(() => parseOrders(value)).toThrow(`CDP_RELEASE_BATCHER: ${message}`);
});

it('takes options from the variable', () => {
  expect(parseOrders(' report, consoleEntries=discard,maxBatchSize=8,groups=false')).toEqual({
    reports: true,
    options: { consoleEntries: 'discard', maxBatchSize: 8, groups: false },
  });
  expect(parseOrders(undefined)).toEqual({ reports: false, options: {} });
});

it('a bad variable ends the process with the reason', async () => {
  const env = { CDP_RELEASE_BATCHER: 'reprot' };
  const { code, stderr } = await runNode([...REGISTERED, '--eval', ''], { cwd: PACKAGE, env });
  expect(code).toBe(1);
  expect(stderr).toContain('CDP_RELEASE_BATCHER: expected report, or an option');
});

it('finds the minified copy in a bundle, and touches nothing else', () => {
  const bundle = 'class a extends b{constructor(e){super(e);this.launch=this.launch.bind(this),this.x=1}}';
  expect(withCalls(bundle, '/bundle.js')).toMatch(
    /;this\.launch = \(globalThis\[.*\]\?\.\(this, "\/bundle\.js"\), this\.launch\.bind\(this\)\),this\.x=1\}\}$/,
  );
  expect(withCalls('this.launched = this.launch.bind(this)', '/other.js')).toBe(undefined);
});
