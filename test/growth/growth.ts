/** What each of the library's collections leaves of a great many uses: measured in a process of its own. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { PACKAGE, runScript } from '../support/script.ts';

/** What the program keeps itself: an object, its id, and a record of it. */
const MAY_LEAVE: Readonly<Record<string, number>> = {
  'a document, of which one of many handles is kept': 900,
};

/**
 * Bytes that a use may leave. A map entry alone is 40 to 100 with its key, and what it holds comes to that; the rest is
 * the noise of a heap, which is the less the more uses it is divided by.
 */
export async function expectNothingGrows(times: number, mostBytes: number, timeoutMs: number): Promise<void> {
  const bytes = await measured({ times }, timeoutMs);
  expect(Object.keys(bytes).length).toBeGreaterThan(25);
  const only = Object.keys(growing(bytes, mostBytes));
  if (only.length === 0) return;
  // What is kept once is a tenth as much of ten times as many uses; what grows stays as it is.
  const again = await measured({ times: 10 * times, only }, timeoutMs);
  expect(growing(again, mostBytes), 'bytes for each use').toEqual({});
}

function growing(bytes: Readonly<Record<string, number>>, mostBytes: number): Record<string, number> {
  return Object.fromEntries(
    Object.entries(bytes).filter(([name, each]) => each > (MAY_LEAVE[name] ?? mostBytes)),
  );
}

async function measured(what: object, timeoutMs: number): Promise<Record<string, number>> {
  const file = join(PACKAGE, 'test/growth/growing.mjs');
  const { stdout, ...rest } = await runScript(
    `process.argv[2] = ${JSON.stringify(JSON.stringify(what))}; await import(${JSON.stringify(file)});`,
    { execArgv: ['--expose-gc'], timeoutMs },
  );
  expect(rest).toEqual({ code: 0, signal: null, stderr: '' });
  return JSON.parse(stdout) as Record<string, number>;
}
