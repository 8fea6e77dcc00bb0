// Playwright by version, and what stands above Puppeteer.
import { registerRow } from '../ordinary-script.mjs';

const EXTRA = { 'puppeteer-extra': '3', 'puppeteer-extra-plugin-stealth': '2', puppeteer: '24' };
const WITH_STEALTH =
  "const puppeteer = require('puppeteer-extra'); puppeteer.use(require('puppeteer-extra-plugin-stealth')());";

const withPlugin = registerRow({
  name: 'puppeteer-extra, use(releases()), with stealth',
  packages: EXTRA,
  getting: `${WITH_STEALTH} if (process.env.MATRIX_ATTACH) puppeteer.use(require('cdp-release-batcher/puppeteer-extra').releases());`,
  ending: 'cjs',
  preload: [],
});

export const rows = [
  ...['1.40', '1.50', '1.59', '1.60', 'latest'].map((version) =>
    registerRow({
      name: `playwright-core ${version}`,
      packages: { 'playwright-core': version },
      getting: "const { chromium: puppeteer } = require('playwright-core');",
      ending: 'cjs',
    }),
  ),
  registerRow({
    name: 'playwright, npm alias, import',
    packages: { pw: 'npm:playwright-core@latest' },
    getting: "import { chromium as puppeteer } from 'pw';",
    ending: 'mjs',
  }),
  registerRow({
    name: 'puppeteer-extra with stealth',
    packages: EXTRA,
    getting: WITH_STEALTH,
    ending: 'cjs',
  }),
  { ...withPlugin, env: { ...withPlugin.env, attached: { MATRIX_ATTACH: '1' } } },
];
