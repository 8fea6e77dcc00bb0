/** The names of tests as they stand in a file, in whichever quotes, parameters and all: for documents that name them. */
import { readFile } from 'node:fs/promises';

export async function testNames(file: string): Promise<string[]> {
  const source = await readFile(file, 'utf8');
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
