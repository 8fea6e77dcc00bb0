// Each row of CONTRIBUTING's table "Where to look" names files and what stands in them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const text = readFileSync('CONTRIBUTING.md', 'utf8');
const start = text.indexOf('### Where to look');
const rows = text.slice(start, text.indexOf('\n## ', start)).match(/^\| [A-Z].*$/gm) ?? [];

it.each(rows)('%s', (row) => {
  const [, , files = '', names = ''] = row.split('|');
  const sources = quotedIn(files).map((file) => readFileSync(join('src', file), 'utf8'));
  const found = quotedIn(names).map((name) =>
    sources.some((source) => new RegExp(`\\b${name}\\b`).test(source)),
  );
  expect(found.length).toBeGreaterThan(0);
  expect(found).not.toContain(false);
});

it('has a row for each question that newcomers have asked', () => {
  expect(rows.length).toBeGreaterThanOrEqual(17);
});

function quotedIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted);
}
