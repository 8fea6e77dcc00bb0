// The ways to a Puppeteer that a name does not tell.
import { registerRow, scriptOf } from '../ordinary-script.mjs';

const TYPESCRIPT = { tsx: 'latest', 'puppeteer-core': '24' };

export const rows = [
  registerRow({
    name: 'npm alias, require',
    packages: { pptr: 'npm:puppeteer-core@24' },
    files: { 'scrape.cjs': scriptOf("const puppeteer = require('pptr');") },
    script: 'scrape.cjs',
  }),
  registerRow({
    name: 'npm alias, import',
    packages: { pptr: 'npm:puppeteer-core@25' },
    files: { 'scrape.mjs': scriptOf("import puppeteer from 'pptr';") },
    script: 'scrape.mjs',
  }),
  registerRow({
    name: 'require() of an ES module',
    packages: { 'puppeteer-core': '25' },
    files: {
      'scrape.cjs': scriptOf("const { launch } = require('puppeteer-core'); const puppeteer = { launch };"),
    },
    script: 'scrape.cjs',
  }),
  registerRow({
    name: 'subpath',
    packages: { 'puppeteer-core': '25' },
    files: {
      'subpath.mjs': scriptOf("import puppeteer from 'puppeteer-core/lib/puppeteer/puppeteer-core.js';"),
    },
    script: 'subpath.mjs',
  }),
  registerRow({
    name: 'new PuppeteerNode()',
    packages: { 'puppeteer-core': '25' },
    files: {
      'instance.mjs': scriptOf(
        "import { PuppeteerNode } from 'puppeteer-core'; const puppeteer = new PuppeteerNode({ isPuppeteerCore: true });",
      ),
    },
    script: 'instance.mjs',
  }),
  ...['cts', 'mts', 'ts'].map((ending) =>
    registerRow({
      name: `tsx .${ending}`,
      packages: TYPESCRIPT,
      files: {
        [`scrape.${ending}`]: `// @ts-nocheck\n${scriptOf("import puppeteer from 'puppeteer-core';")}`,
      },
      node: ['--import', 'tsx'],
      script: `scrape.${ending}`,
    }),
  ),
  registerRow({
    name: 'rebrowser-puppeteer-core',
    packages: { 'rebrowser-puppeteer-core': 'latest' },
    files: { 'scrape.mjs': scriptOf("import puppeteer from 'rebrowser-puppeteer-core';") },
    script: 'scrape.mjs',
  }),
];
