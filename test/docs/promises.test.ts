// Each row of docs/promises.md names a test; the test named must be there, in the file named.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PACKAGE } from '../support/script.ts';

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
  const match = /\| \[(?<test>.+)\]\((?<file>[^)]+)\) \|$/.exec(line);
  if (match?.groups === undefined) throw new Error(`no test backs this row: ${line}`);
  return { line, test: match.groups.test ?? '', file: match.groups.file ?? '' };
}

/** Names of tests as they stand in a file, in whichever quotes, parameters and all. */
async function testNames(file: string): Promise<string[]> {
  const source = await readFile(join(PACKAGE, 'docs', file), 'utf8');
  const calls =
    /\b(?:it|test)(?:\.\w+)*(?:\([^'"`]*?\))?\(\s*(?<quote>['"`])(?<name>(?:\\.|(?!\k<quote>).)*)\k<quote>/gs;
  const plain = [...source.matchAll(calls)].map(({ groups }) => groups?.name ?? '');
  // A table of cases may have quotes of its own: then the name opens the call that follows it.
  const tables = [
    ...source.matchAll(/\)\(\s*(?<quote>['"`])(?<name>(?:\\.|(?!\k<quote>).)*)\k<quote>\s*,/gs),
  ];
  return [...plain, ...tables.map(({ groups }) => groups?.name ?? '')].map((name) =>
    name.replace(/\\(.)/g, '$1'),
  );
}

describe('what docs/promises.md promises', () => {
  it('has rows', () => {
    expect(lines.length).toBeGreaterThan(25);
  });

  it.each(lines)('%s', async (line) => {
    const { test, file } = parse(line);
    expect(await testNames(file)).toContain(test);
  });
});
