// The modules of src that are loaded by their paths, each a file of its own below dist/ and dist/cjs/: `clients/session.js`.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** What the package exports. */
const EXPORTED = Object.values(manifest.exports).flatMap((entry) =>
  entry.import === undefined ? [] : [entry.import.default.slice('./dist/'.length)],
);

/** Loaded by their paths, at run time. */
const HOOKS = [
  'clients/puppeteer/register-hooks.js',
  'clients/puppeteer/registration.js',
  'clients/playwright/registration.js',
];

export const ENTRIES = [...EXPORTED, ...HOOKS];

/** What the files below dist/cjs are, by the nearest manifest: to Node, to TypeScript, and to bundlers. */
export const MANIFEST_OF_COMMONJS = {
  type: 'commonjs',
  sideEffects: manifest.sideEffects.map((path) => path.replace('./dist/', './')),
};
