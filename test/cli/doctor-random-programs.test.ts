// Of a random script of 200 calls, over every public way to a handle, the doctor tells each line that leaves handles
// behind, and how many, exactly. RANDOM_PROGRAMS=1-100 runs the scripts of these seeds, RANDOM_PROGRAMS=7 that of one alone.
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Leak, undisposed } from '../../src/observe/leak-report.ts';
import { randomProgram } from '../support/random-leaks.ts';
import { PACKAGE } from '../support/script.ts';
import { sized } from '../support/sized.ts';
import { examine } from './examined.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-random-'));
  await symlink(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [first = 1, last = first] = (process.env.RANDOM_PROGRAMS ?? `1-${sized(1, 20)}`).split('-').map(Number);
const seeds = Array.from({ length: last - first + 1 }, (_, index) => first + index);

function byLine(leaks: readonly Leak[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const leak of leaks) {
    const line = Number(/:(\d+):\d+$/.exec(leak.line)?.[1]);
    counts[line] = (counts[line] ?? 0) + undisposed(leak);
  }
  return counts;
}

/** Scripts wait for a browser most of the time, so that two run at once. */
const pairs = Array.from({ length: Math.ceil(seeds.length / 2) }, (_, index) =>
  seeds.slice(2 * index, 2 * index + 2),
);

it.each(pairs.map((pair) => [pair.join(' and '), pair] as const))('seeds %s', async (_, pair) => {
  await Promise.all(pair.map(expectAllTold));
});

async function expectAllTold(seed: number): Promise<void> {
  const { source, leaks, thrown } = randomProgram(seed, 200);
  const file = join(folder, `seed-${seed}.mjs`);
  await writeFile(file, source);
  const { report, exitCode, stderr } = await examine(file);
  expect(exitCode, stderr).toBe(0);
  expect(byLine(report.leaks), `seed ${seed}`).toEqual(Object.fromEntries(leaks));
  expect(byLine(report.thrown), `seed ${seed}`).toEqual(Object.fromEntries(thrown));
  expect(report.leaked, `seed ${seed}`).toBe([...leaks.values()].reduce((sum, count) => sum + count, 0));
}
