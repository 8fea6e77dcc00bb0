// Playwright by version, and what stands above Puppeteer.
import { PLAIN, registerRow, scriptOf } from '../ordinary-script.mjs';

export const rows = [
  ...['1.40', '1.50', '1.59', '1.60', 'latest'].map((version) =>
    registerRow({
      name: `playwright-core ${version}`,
      packages: { 'playwright-core': version },
      files: { 'scrape.cjs': scriptOf("const { chromium: puppeteer } = require('playwright-core');") },
      script: 'scrape.cjs',
    }),
  ),
  registerRow({
    name: 'playwright, npm alias, import',
    packages: { pw: 'npm:playwright-core@latest' },
    files: { 'scrape.mjs': scriptOf("import { chromium as puppeteer } from 'pw';") },
    script: 'scrape.mjs',
  }),
  registerRow({
    name: 'puppeteer-extra with stealth',
    packages: { 'puppeteer-extra': '3', 'puppeteer-extra-plugin-stealth': '2', puppeteer: '24' },
    files: {
      'scrape.cjs': scriptOf(
        "const puppeteer = require('puppeteer-extra'); puppeteer.use(require('puppeteer-extra-plugin-stealth')());",
      ),
    },
    script: 'scrape.cjs',
  }),
  {
    name: 'puppeteer-extra, use(releases()), with stealth',
    packages: { 'puppeteer-extra': '3', 'puppeteer-extra-plugin-stealth': '2', puppeteer: '24' },
    files: {
      'plugin.cjs': scriptOf(
        "const puppeteer = require('puppeteer-extra'); puppeteer.use(require('puppeteer-extra-plugin-stealth')()); if (process.env.MATRIX_ATTACH) puppeteer.use(require('cdp-release-batcher/puppeteer-extra').releases());",
      ),
    },
    plain: ['node', '--expose-gc', 'plugin.cjs'],
    attached: ['node', '--expose-gc', 'plugin.cjs'],
    env: { plain: PLAIN, attached: { MATRIX_ATTACH: '1' } },
    expected: 'attached',
  },
];
