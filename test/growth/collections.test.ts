// Every collection of the rooms that keep the books stands in COLLECTIONS.md, with what bounds it.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PACKAGE } from '../support/script.ts';

const ROOMS = ['runtime', 'batcher', 'handles', 'single-flight', 'threads'];
const MAKING = String.raw`(?::[^=\n]+)? = (?:new (?:Weak)?(?:Map|Set)\b|new (?:RingQueue|Waiters|FinalizationRegistry)\b|\[\])`;
const MEMBER = new RegExp(`^ {2}(?:readonly )?(#?\\w+)${MAKING}`, 'gm');
const OF_MODULE = new RegExp(`^(?:const|let) (\\w+)(?!: [Rr]eadonly)${MAKING}`, 'gm');

async function collectionsOf(room: string): Promise<string[]> {
  const files = await readdir(join(PACKAGE, 'src', room), { recursive: true });
  const found = files
    .filter((file) => file.endsWith('.ts'))
    .map(async (file) => {
      const source = await readFile(join(PACKAGE, 'src', room, file), 'utf8');
      const names = [MEMBER, OF_MODULE].flatMap((form) =>
        [...source.matchAll(form)].map((match) => match[1]),
      );
      return names.map((name) => `${room}/${file} ${name}`);
    });
  return (await Promise.all(found)).flat();
}

test('each collection is listed with what bounds it', async () => {
  const table = await readFile(join(PACKAGE, 'test/growth/COLLECTIONS.md'), 'utf8');
  const listed = [...table.matchAll(/^\| `([^`]+)` \| (.+?) \| .+ \|$/gm)].flatMap(([, file, names = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name]) => `${file} ${name}`),
  );
  const collections = (await Promise.all(ROOMS.map(collectionsOf))).flat();
  expect(collections.length).toBeGreaterThan(20);
  expect(collections.filter((each) => !listed.includes(each))).toEqual([]);
});

test('no registry lives for less than the process: V8 would tell nobody of collections any more', async () => {
  const files = await readdir(join(PACKAGE, 'src'), { recursive: true });
  for (const file of files.filter((name) => name.endsWith('.ts'))) {
    const source = await readFile(join(PACKAGE, 'src', file), 'utf8');
    // A constant of the module's, or made once.
    const others = source.replaceAll(
      /^const \w+(?:: \S+)? = (?:\/\* @__PURE__ \*\/ )?new FinalizationRegistry|registry \?\?= new FinalizationRegistry/gm,
      '',
    );
    expect(others, file).not.toContain('new FinalizationRegistry');
  }
});
