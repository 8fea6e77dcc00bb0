/**
 * Each TypeScript block of the README and of docs/ is a module that type-checks as it stands, against the package as it
 * is built and the clients as they are installed; `reader/` has what they leave to the reader. JavaScript is parsed.
 */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { codeBlocks, documents } from '../support/documents.ts';
import { PACKAGE } from '../support/script.ts';

const EXTENSIONS: Readonly<Record<string, string>> = { ts: '.mts', js: '.mjs' };

const blocks = (await Promise.all((await documents()).map(codeBlocks)))
  .flat()
  .filter(({ language }) => language in EXTENSIONS)
  .map((block) => ({ ...block, place: `${block.document}:${block.line}` }));

let folder: string;
let complaints: readonly string[];

/** Where a block is checked: the complaint's line is that of the document. */
function fileOf({ document, line, language }: (typeof blocks)[number]): string {
  return `${document.replace(/\W/g, '-')}-${line}${EXTENSIONS[language]}`;
}

beforeAll(async () => {
  // Within the package, so that its own name resolves; and nobody looks into all of build, or copies it.
  folder = await mkdtemp(join(PACKAGE, 'build', 'documents-'));
  await cp(join(PACKAGE, 'test', 'docs', 'reader'), folder, { recursive: true });
  for (const block of blocks) {
    const above = '\n'.repeat(block.line - 1);
    await writeFile(join(folder, fileOf(block)), `${above}${block.text}\nexport {};\n`);
  }
  const compilerOptions = {
    allowJs: true,
    noUnusedLocals: false,
    declaration: false,
    isolatedDeclarations: false,
  };
  const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*'] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(PACKAGE, 'node_modules', '.bin', 'tsc');
  const { stdout } = await promisify(execFile)(tsc, ['-p', folder, '--pretty', 'false']).catch(
    (failure) => failure,
  );
  complaints = stdout.split('\n').filter((line: string) => line !== '');
});
afterAll(() => rm(folder, { recursive: true }));

it('there are blocks in all places that show code', () => {
  const places = new Set(blocks.map(({ document }) => document));
  for (const name of [
    'README',
    'docs/clients',
    'docs/single-flight',
    'docs/threads',
    'docs/testing',
    'docs/monitoring',
  ])
    expect([...places]).toContain(`${name}.md`);
});

it.each(blocks)('the code at $place type-checks', (block) => {
  expect(complaints.filter((complaint) => complaint.includes(`${fileOf(block)}(`))).toEqual([]);
});

it('and nothing else is wrong', () => {
  const known = blocks.map(fileOf);
  expect(complaints.filter((complaint) => !known.some((file) => complaint.includes(`${file}(`)))).toEqual([]);
});
