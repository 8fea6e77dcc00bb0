/** Each example checks itself, and exits with 1 if it leaves alive what it should not. They run from dist/. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runNode } from '../support/processes.ts';

const folder = new URL('../../examples/', import.meta.url);
const SHARED = 'launch.mjs';
const examples = readdirSync(folder).filter((name) => name.endsWith('.mjs') && name !== SHARED);

it.each(examples)('%s leaves nothing behind that it should not', { timeout: 240_000 }, async (name) => {
  const { stdout, ...rest } = await runNode([fileURLToPath(new URL(name, folder))]);
  expect(rest, stdout).toMatchObject({ code: 0, signal: null });
  expect(stdout).not.toBe('');
});
