/** What users read, and the code that stands in it. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PACKAGE } from './script.ts';

/** A code block, with the place where it stands. */
export interface CodeBlock {
  /** `README.md`, `docs/clients.md`. */
  readonly document: string;
  /** Of the first line of code; from 1. */
  readonly line: number;
  /** What stands behind the opening fence. */
  readonly language: string;
  readonly text: string;
}

/** The README, and all that lies in `docs`. */
export async function documents(): Promise<string[]> {
  const names = await readdir(join(PACKAGE, 'docs'));
  return ['README.md', ...names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)];
}

export async function codeBlocks(document: string): Promise<CodeBlock[]> {
  const source = await readFile(join(PACKAGE, document), 'utf8');
  return [...source.matchAll(/^```(\w+)(?: fragment)?\n([\s\S]*?)^```$/gm)].map(
    ({ 1: language = '', 2: text = '', index }) => ({
      document,
      line: source.slice(0, index).split('\n').length + 1,
      language,
      text,
    }),
  );
}
