/** Each example checks itself, and exits with 1 if it leaves alive what it should not. They run from dist/. */
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const folder = new URL('../../examples/', import.meta.url);
const SHARED = 'launch.mjs';
const examples = readdirSync(folder).filter((name) => name.endsWith('.mjs') && name !== SHARED);

it.each(examples)('%s leaves nothing behind that it should not', async (name) => {
  // Rejects where the example exits with anything but 0.
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL(name, folder))]);
  expect(stdout).not.toBe('');
});
