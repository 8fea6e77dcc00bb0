/** Runs the plain script of checks as `npm run matrix` does, in a Node like this one. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const script = fileURLToPath(new URL('compatibility.mjs', import.meta.url));

export interface Compatibility {
  readonly outcomes: Readonly<Record<string, string>>;
}

export async function runCompatibility(
  puppeteer: string,
  { exposesGc = 'yes' }: { readonly exposesGc?: 'yes' | 'no' } = {},
): Promise<Compatibility> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const args = exposesGc === 'yes' ? ['--expose-gc', script] : [script];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...env, PUPPETEER: puppeteer },
    timeout: 170_000,
  });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
