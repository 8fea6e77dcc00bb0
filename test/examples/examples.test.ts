/** Each example checks itself, and exits with 1 if it leaves alive what it should not. They run from a copied folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CopiedExamples, copyExamples } from '../support/copied-examples.ts';
import { descendantsOf, runNode } from '../support/processes.ts';
import { sized } from '../support/sized.ts';

const folder = new URL('../../examples/', import.meta.url);
const SHARED = 'launch.mjs';
let copied: CopiedExamples;
beforeAll(async () => {
  copied = await copyExamples();
});
afterAll(() => copied.remove());

/** What these show is tested elsewhere by `npm test`; the farm below, until it is told to end. */
const LONG = ['attach.mjs', 'chrome-remote-interface.mjs', 'farm.mjs', 'playwright.mjs'];
const examples = readdirSync(folder).filter(
  (name) => name.endsWith('.mjs') && ![SHARED, ...sized(LONG, [])].includes(name),
);

it.each(examples)('%s leaves nothing behind that it should not', { timeout: 240_000 }, async (name) => {
  const { stdout, ...rest } = await runNode([join(copied.folder, name)], { env: copied.env });
  expect(rest, stdout).toMatchObject({ code: 0, signal: null });
  expect(stdout).not.toBe('');
});

/** One that has ended, and that nobody has asked about yet, runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

it('a worker that gets SIGTERM finishes the jobs in hand, begins none, and leaves no browser', async () => {
  let pid = 0;
  let browsers: number[] = [];
  const { code, signal, stdout } = await runNode([join(copied.folder, 'farm.mjs')], {
    env: { ...copied.env, JOBS: '500' },
    onPrinted: (printed, child) => {
      if (pid !== 0 || !printed.includes('done ')) return;
      pid = child.pid ?? 0;
      browsers = descendantsOf(pid);
      child.kill('SIGTERM');
    },
  });
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  const numbers = (word: string) =>
    [...stdout.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, number]) => Number(number)).sort();
  expect(numbers('done')).toEqual(numbers('begun'));
  expect(stdout).toMatch(/^4\d\d jobs are left to others; 0 releases went wrong, 0 handles live$/m);
  expect(browsers.length).toBeGreaterThan(0);
  await expect.poll(() => browsers.filter(isRunning)).toEqual([]);
});
