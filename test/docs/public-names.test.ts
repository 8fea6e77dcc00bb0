/** Whatever the package exports says in a comment of its own what it is: an editor shows nothing else of the documents. */
import { readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';
import { codeBlocks, documents } from '../support/documents.ts';
import { PACKAGE } from '../support/script.ts';

interface PublicName {
  readonly name: string;
  /** Whether there is something of it when the program runs. */
  readonly isValue: boolean;
  /** Where it is declared, from the package's folder. */
  readonly file: string;
}

const manifest: { exports: Record<string, { import?: { types: string } }> } = JSON.parse(
  await readFile(join(PACKAGE, 'package.json'), 'utf8'),
);
const entries = Object.values(manifest.exports).flatMap(({ import: entry }) =>
  entry === undefined ? [] : [entry.types.replace('./dist/', 'src/').replace('.d.ts', '.ts')],
);

const DECLARATION = 'export (?:async |abstract )?(?:class|function|interface|type|const)';
/** Nobody makes these by hand: other functions give them, and they are exported for `instanceof`. */
const GIVEN = ['ReleasePort', 'SharedRingQueue', 'TrackedRelease', 'WorkerReleasePort'];

async function namesOf(entry: string): Promise<PublicName[]> {
  const source = await readFile(join(PACKAGE, entry), 'utf8');
  const own = [...source.matchAll(new RegExp(`^${DECLARATION} (\\w+)`, 'gm'))].map(
    ([declaration, name = '']): PublicName => ({
      name,
      isValue: !/ (?:interface|type) /.test(declaration),
      file: entry,
    }),
  );
  const handedOn = [...source.matchAll(/export (type )?\{([^}]*)\} from '([^']+)'/g)].flatMap(
    ([, type, list = '', from = '']) =>
      list
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')
        .map(
          (item): PublicName => ({
            name: item.replace('type ', ''),
            isValue: type === undefined && !item.startsWith('type '),
            file: normalize(join(dirname(entry), from)),
          }),
        ),
  );
  const whole = [...source.matchAll(/export (?:type )?\* from '([^']+)'/g)].map(([, from = '']) =>
    namesOf(normalize(join(dirname(entry), from))),
  );
  return [...own, ...handedOn, ...(await Promise.all(whole)).flat()];
}

it('each public name is documented', async () => {
  const names = (await Promise.all(entries.map(namesOf))).flat();
  const undocumented: string[] = [];
  for (const { name, file } of names) {
    const source = await readFile(join(PACKAGE, file), 'utf8');
    if (!new RegExp(`\\*/\\n${DECLARATION} ${name}\\b`).test(source)) undocumented.push(`${name}, ${file}`);
  }
  expect(undocumented).toEqual([]);
  expect(names.length).toBeGreaterThan(60);
});

it('each that a program can call, make or compare with stands in code that is checked', async () => {
  const blocks = (await Promise.all((await documents()).map(codeBlocks))).flat();
  const shown = blocks.filter(({ language }) => language === 'ts').map(({ text }) => text);
  const values = (await Promise.all(entries.map(namesOf))).flat().filter(({ isValue }) => isValue);
  const names = new Set(values.map(({ name }) => name));
  const absent = [...names].filter((name) => !shown.some((text) => new RegExp(`\\b${name}\\b`).test(text)));
  expect(absent.sort()).toEqual(GIVEN);
  expect(names.size).toBeGreaterThan(15);
});
