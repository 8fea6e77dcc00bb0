/** Runs the plain script of checks as `npm run versions` does, in a Node like this one. */
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { runNode } from '../support/processes.ts';

const script = fileURLToPath(new URL('compatibility.mjs', import.meta.url));

export interface Compatibility {
  readonly outcomes: Readonly<Record<string, string>>;
}

export async function runCompatibility(
  puppeteer: string,
  {
    exposesGc = 'yes',
    checks,
  }: { readonly exposesGc?: 'yes' | 'no'; readonly checks?: readonly string[] } = {},
): Promise<Compatibility> {
  const args = exposesGc === 'yes' ? ['--expose-gc', script] : [script];
  const { code, stdout, stderr } = await runNode(args, {
    env: { PUPPETEER: puppeteer, CHECKS: JSON.stringify(checks ?? null) },
  });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
