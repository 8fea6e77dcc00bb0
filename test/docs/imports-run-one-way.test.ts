import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';

/** A room imports what stands after it here, and nothing before. */
const ROOMS = ['bench', 'testing', 'cli', 'clients', 'index.ts', 'handles', 'observe', 'threads', 'batcher'];
const BELOW = ['single-flight', 'runtime', 'policy.ts', 'timers.ts', 'builtins.ts'];

const imports = new Map(
  ['src', 'bench']
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    )
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const source = readFileSync(file, 'utf8');
      const found = [...source.matchAll(/(?:from|import\() ?'(\.[^']+\.ts)'/g)];
      return [file, found.map(([, path = '']) => join(dirname(file), path))] as const;
    }),
);

it('no room imports one that stands above it', () => {
  const order = [...ROOMS, ...BELOW];
  const wrong = [...imports].flatMap(([file, imported]) => {
    const from = order.indexOf(roomOf(file));
    return imported
      .filter((other) => from >= 0 && order.indexOf(roomOf(other)) < from)
      .map((other) => `${file} → ${other}`);
  });
  expect(imports.size).toBeGreaterThan(100);
  expect(wrong).toEqual([]);
});

it('no file leads back to itself, types included', () => {
  const known = new Set<string>();
  const circles: string[] = [];
  const follow = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) circles.push([...way.slice(start), file].join(' → '));
    if (known.has(file)) return;
    known.add(file);
    for (const other of imports.get(file) ?? []) follow(other, [...way, file]);
  };
  for (const file of imports.keys()) follow(file, []);
  expect(circles).toEqual([]);
});

/** `bench`, or the folder of `src` that a file lies in, or the file itself where it lies in `src`. */
function roomOf(file: string): string {
  const [top = '', room = ''] = file.split('/');
  return top === 'src' ? room : top;
}
