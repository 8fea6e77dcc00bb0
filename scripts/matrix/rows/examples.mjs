// Each example from a copied folder, with what `npm install` gives today.
import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../../examples/', import.meta.url);
const SHARED = 'launch.mjs';
const names = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
const files = Object.fromEntries(
  names.map((name) => [`examples/${name}`, readFileSync(new URL(name, folder), 'utf8')]),
);
/** What the examples import, each by its own name. */
const packages = Object.fromEntries(
  [
    'puppeteer',
    'playwright-core',
    'chrome-remote-interface',
    'ws',
    'prom-client',
    '@opentelemetry/api',
    '@opentelemetry/sdk-metrics',
  ].map((name) => [name, 'latest']),
);

export const rows = names
  .filter((name) => name !== SHARED)
  .map((name) => ({ name: `example ${name}`, packages, files, attached: ['node', `examples/${name}`] }));
