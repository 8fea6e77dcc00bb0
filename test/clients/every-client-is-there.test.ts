// Each client that the package has an entry for is in the tests that hold for all of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE } from '../support/script.ts';

/** Entries that attach in the way of another client. */
const IN_ANOTHERS_WAY = ['./register', './puppeteer-extra'];
const { exports } = JSON.parse(read('package.json')) as { exports: Record<string, unknown> };
const clients = Object.entries(exports)
  .filter(
    ([entry, files]) => JSON.stringify(files).includes('/dist/clients/') && !IN_ANOTHERS_WAY.includes(entry),
  )
  .map(([entry]) => entry.slice(1));
const conforming = readdirSync(join(PACKAGE, 'test/clients'))
  .map((name) => read(`test/clients/${name}`))
  .filter((text) => /\bconform\(/.test(text))
  .join();
const FILES = [
  'test/clients/what-has-ended-is-gone.test.ts',
  'test/mistakes.test.ts',
  'test/package/bundled-for-commonjs.test.ts',
  'test/package/import-loads-little.test.ts',
  'test/package/tree-shaking.test.ts',
  'scripts/matrix/rows/types.mjs',
];
const places = [['a test that runs conformance.ts', conforming], ...FILES.map((file) => [file, read(file)])];

function read(file: string): string {
  return readFileSync(join(PACKAGE, file), 'utf8');
}

it('finds the clients', () => {
  expect(clients).toContain('/playwright');
  expect(clients.length).toBeGreaterThanOrEqual(5);
});

describe.each(clients)('the client of cdp-release-batcher%s', (client) => {
  const named = new RegExp(`[/'"]${client.slice(1)}\\b`);
  it.each(places)('is in %s', (_, text = '') => {
    expect(named.test(text)).toBe(true);
  });
});
