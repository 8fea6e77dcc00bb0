/** The example with piscina's workers and a real Chromium, from a copied folder. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CopiedExamples, copyExamples } from '../support/copied-examples.ts';
import { runNode } from '../support/processes.ts';

let copied: CopiedExamples;
beforeAll(async () => {
  copied = await copyExamples();
});
afterAll(() => copied.remove());

test("piscina's workers release the handles of a real page", { timeout: 240_000 }, async () => {
  const farm = join(copied.folder, 'piscina/farm.mjs');
  const { code, stdout, stderr } = await runNode([...copied.preload, farm], { env: copied.env });
  expect(code, stdout + stderr).toBe(0);
  expect(stdout).toContain('1000 releases came from them, 0 by message; 1000 released');
});
