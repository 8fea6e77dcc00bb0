/** The example with piscina's workers and a real Chromium; it checks itself, and exits with 1 if anything is left. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const farm = fileURLToPath(new URL('../../examples/piscina/farm.mjs', import.meta.url));

test("piscina's workers release the handles of a real page", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [farm], { timeout: 60_000 });
  expect(stdout).toContain('1000 releases came from them, 0 by message');
  expect(stdout).toContain('0 objects still alive');
});
