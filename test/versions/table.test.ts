import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { type Run, tableOf } from '../../scripts/versions/table.mjs';

const BLOCK = /<!-- versions -->\n([\s\S]*?)<!-- \/versions -->/;
const readme = new URL('../../README.md', import.meta.url);

it("the README's table of versions is that of the checked-in results", () => {
  const runs: Run[] = JSON.parse(readFileSync(new URL('latest.json', import.meta.url), 'utf8'));
  const text = readFileSync(readme, 'utf8');
  const block = `<!-- versions -->\n${tableOf(runs)}<!-- /versions -->`;
  if (process.env.UPDATE_FIGURES)
    writeFileSync(
      readme,
      text.replace(BLOCK, () => block),
    );
  else expect(BLOCK.exec(text)?.[0]).toBe(block);
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
