/** The example with piscina's workers and a real Chromium; it checks itself, and exits with 1 if anything is left. */
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { chromiumLaunchOptions } from '../support/chromium.ts';
import { runNode } from '../support/processes.ts';

const farm = fileURLToPath(new URL('../../examples/piscina/farm.mjs', import.meta.url));

test("piscina's workers release the handles of a real page", { timeout: 240_000 }, async () => {
  const { code, stdout, stderr } = await runNode([farm], {
    env: { LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()) },
  });
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('1000 releases came from them, 0 by message');
  expect(stdout).toContain('0 objects still alive');
});
