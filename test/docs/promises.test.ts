// Each row of docs/promises.md names a test; the test named must be there, in the file named.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE } from '../support/script.ts';
import { testNames } from '../support/test-names.ts';

interface Row {
  readonly line: string;
  readonly test: string;
  readonly file: string;
}

const text = await readFile(join(PACKAGE, 'docs', 'promises.md'), 'utf8');
const lines = text
  .split('\n')
  .filter((line) => /^\| (?!when |what \||---)/.test(line) && !line.startsWith('|---'));

function parse(line: string): Row {
  const match = /\| (?<test>[^|]+), in `(?<file>test\/[^`]+)` \|$/.exec(line);
  if (match?.groups === undefined) throw new Error(`no test backs this row: ${line}`);
  return { line, test: match.groups.test ?? '', file: match.groups.file ?? '' };
}

describe('what docs/promises.md promises', () => {
  it('has rows', () => {
    expect(lines.length).toBeGreaterThan(25);
  });

  it.each(lines)('%s', async (line) => {
    const { test, file } = parse(line);
    expect(await testNames(join(PACKAGE, file))).toContain(test);
  });
});
