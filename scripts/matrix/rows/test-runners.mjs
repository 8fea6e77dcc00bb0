// A test with `attach` in the runners that people have; a test that fails ends its runner with a code other than 0.
import { MAIN, PLAIN } from '../ordinary-script.mjs';

const PUPPETEER = { 'puppeteer-core': '24' };
const ATTACHED = { attached: { MATRIX_ATTACH: '1' }, plain: PLAIN };

const body = `
  const result = await main(puppeteer, process.env.MATRIX_ATTACH ? (browser) => attach(browser, { traceLeaks: true }) : undefined);
  process.stdout.write('\\nRESULT ' + JSON.stringify(result) + '\\n');`;
const required = `const puppeteer = require('puppeteer-core');
const { attach } = require('cdp-release-batcher/puppeteer');
require('cdp-release-batcher/testing');
${MAIN}`;
const imported = `import puppeteer from 'puppeteer-core';
import { attach } from 'cdp-release-batcher/puppeteer';
import 'cdp-release-batcher/testing';
${MAIN}`;

function row(name, packages, files, command) {
  return {
    name,
    packages: { ...PUPPETEER, ...packages },
    files,
    plain: command,
    attached: command,
    env: ATTACHED,
    expected: 'attached',
  };
}

export const rows = [
  row(
    'jest, CommonJS',
    { jest: 'latest' },
    {
      'leaks.test.js': `${required}\ntest('forgets', async () => {${body}\n}, 120000);\n`,
      'package.jest.json': '{}',
    },
    ['node', '--expose-gc', 'node_modules/jest/bin/jest.js', '--runInBand', 'leaks.test.js'],
  ),
  row(
    'jest through Babel',
    { jest: 'latest', 'babel-jest': 'latest', '@babel/core': '7', '@babel/preset-env': '7' },
    {
      'babel.config.js':
        "module.exports = { presets: [['@babel/preset-env', { targets: { node: 'current' } }]] };",
      'leaks.test.js': `${imported}\ntest('forgets', async () => {${body}\n}, 120000);\n`,
    },
    ['node', '--expose-gc', 'node_modules/jest/bin/jest.js', '--runInBand', 'leaks.test.js'],
  ),
  row(
    'vitest',
    { vitest: '4' },
    {
      'leaks.test.mjs': `import { test } from 'vitest';\n${imported}\ntest('forgets', async () => {${body}\n}, 120000);\n`,
    },
    [
      'node',
      '--expose-gc',
      'node_modules/vitest/vitest.mjs',
      'run',
      '--execArgv=--expose-gc',
      'leaks.test.mjs',
    ],
  ),
  row(
    'mocha',
    { mocha: '11' },
    { 'leaks.spec.cjs': `${required}\nit('forgets', async () => {${body}\n}).timeout(120000);\n` },
    ['node', '--expose-gc', 'node_modules/mocha/bin/mocha.js', '--exit', 'leaks.spec.cjs'],
  ),
  row(
    'node:test',
    {},
    {
      'node.test.mjs': `import { test } from 'node:test';\n${imported}\ntest('forgets', async () => {${body}\n});\n`,
    },
    ['node', '--expose-gc', 'node.test.mjs'],
  ),
];
