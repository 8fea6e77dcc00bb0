// Playwright by version, and what stands above Puppeteer.
import { registerRow, scriptOf } from '../ordinary-script.mjs';

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
];
