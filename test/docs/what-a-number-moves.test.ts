// Each number of src/policy.ts says which test or bench row moves when it changes: these are there, under that name.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect, it } from 'vitest';
import { MEASUREMENTS } from '../../bench/measurements.ts';
import { TARGETS } from '../../bench/report/targets.ts';

const policy = readFileSync('src/policy.ts', 'utf8').replaceAll(/\n *(?:\*|\/\/) ?/g, ' ');
const moves = [...policy.matchAll(/Moves: (.*?)(?:\.(?=\s)| \*\/)/g)].map(([, names = '']) => names);
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const tests = new Set(
  readdirSync('test', { recursive: true }).map((path) => basename(String(path), '.test.ts')),
);
const rows = new Set([...TARGETS, ...MEASUREMENTS].map(({ id }) => id));

it.each(moves)('%s', (names) => {
  const quoted = [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  if (names !== 'the tests named with each') expect(quoted).not.toEqual([]);
  expect(quoted.filter((name) => !isThere(name))).toEqual([]);
  expect(names).not.toContain('"'); // A title in words is found by nobody.
});

it('is said of many', () => {
  expect(moves.length).toBeGreaterThan(20);
});

function isThere(name: string): boolean {
  const [program, argument = '', script = ''] = name.split(' ');
  if (program === 'npm') return argument === 'run' && script in scripts;
  if (program === 'node') return existsSync(argument);
  return rows.has(name) || tests.has(name) || existsSync(name);
}
