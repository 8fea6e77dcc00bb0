/** Figures that a document has between two comments, from a result that is checked in. `UPDATE_FIGURES=1` writes them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { PACKAGE } from './script.ts';

export function expectFigures(document: string, name: string, figures: string): void {
  const file = join(PACKAGE, document);
  const text = readFileSync(file, 'utf8');
  const [before, rest] = parted(text, `<!-- ${name} -->\n`);
  const [shown, behind] = parted(rest, `<!-- /${name} -->`);
  if (process.env.UPDATE_FIGURES) {
    writeFileSync(file, `${before}<!-- ${name} -->\n${figures}<!-- /${name} -->${behind}`);
  } else expect(shown).toBe(figures);
}

function parted(text: string, mark: string): readonly [before: string, behind: string] {
  const parts = text.split(mark);
  expect(parts, `once: ${mark}`).toHaveLength(2);
  return [parts[0] ?? '', parts[1] ?? ''];
}
