// Which size a test has in each run: vitest's own `MODE` does not tell, it is `test` in each project of a configuration.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runNode } from '../support/processes.ts';
import { PACKAGE } from '../support/script.ts';

const VITEST = join(PACKAGE, 'node_modules/vitest/vitest.mjs');

it.each([
  ['long', ['of 200 pages', 'in 2500 operations', 'in 300 operations']],
  ['soak', ['over 230 visits', 'of 10000 pages']],
  ['torture', ['in 100000 operations', 'in 85000 operations']],
])('the tests of npm run %s have their size', async (mode, sizes) => {
  const args = [VITEST, 'list', 'test/long/soak', 'test/long/torture', '--mode', mode];
  const { stdout, code } = await runNode(args, { cwd: PACKAGE, timeoutMs: 100_000 });
  expect(code).toBe(0);
  for (const size of sizes) expect(stdout).toContain(size);
});
