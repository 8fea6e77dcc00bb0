import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Run, tableOf } from '../../scripts/versions/table.mjs';
import { expectFigures } from '../support/figures.ts';

it('the table of versions in the documents is that of the checked-in results', () => {
  const runs: Run[] = JSON.parse(readFileSync(new URL('latest.json', import.meta.url), 'utf8'));
  expectFigures('docs/versions.md', 'versions', tableOf(runs));
});

it('a run that failed is shown as failed, with the reason', () => {
  const run = { runtime: 'Node 1', puppeteer: 'puppeteer-core 1', browser: 'HeadlessChrome/1' };
  const table = tableOf([
    { ...run, outcomes: { one: 'passed', other: 'failed: 2 objects alive' } },
    { ...run, runtime: 'Bun 1', error: 'Error: no such runtime' },
    { ...run, runtime: 'Deno 1', outcomes: { one: 'passed', other: 'passed' } },
  ]);
  expect(table).toContain('| puppeteer-core 1 | 1 of 2 (1) | does not run (2) | 2 of 2 |');
  expect(table).toContain('1. other: failed: 2 objects alive\n2. Error: no such runtime\n');
});
