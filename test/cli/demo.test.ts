import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { DemoReport } from '../../src/cli/demo/report.ts';
import { endsWithTest } from '../support/processes.ts';
import { MAIN, runCommandLine } from './command-line.ts';

/** For `vi.waitUntil`: a demo has a browser to launch, or to close. */
const SOON = { timeout: 30_000, interval: 50 };

describe('the demo', () => {
  it('prints as JSON what is left in the page, plain and attached', { timeout: 120_000 }, async () => {
    const { exitCode, stdout, stderr } = await runCommandLine(['demo', '--quick', '--json']);
    expect(stderr).toContain('handles forgotten');
    expect(exitCode).toBe(0);
    const report: DemoReport = JSON.parse(stdout);
    expect(report).toMatchObject({ quick: true, node: process.version });
    expect(report.scenarios.map(({ name }) => name)).toEqual([
      'forgottenHandles',
      'thrownErrors',
      'consoleArguments',
    ]);
    for (const { plain, attached } of report.scenarios) {
      expect(plain).toMatchObject({ crashed: false, alive: plain.operations, releaseCommands: 0 });
      expect(attached).toMatchObject({ crashed: false, alive: 0, done: attached.operations });
      expect(attached.releaseCommands).toBeGreaterThan(0);
      for (const run of [plain, attached]) expect(run.elapsedMs).toBeGreaterThan(0);
    }
    // Of the attached side's heap nothing is certain here: when the page collects its garbage is the page's affair.
    const [forgotten] = report.scenarios;
    expect(forgotten?.plain.peakHeapBytes).toBeGreaterThan(2_000 * 200_000 * 0.9);
  });

  it.runIf(process.platform === 'linux')('leaves no browser behind when it is interrupted', async () => {
    // Puppeteer puts the browser's profile there, and so names the folder on the browser's command line.
    const folder = mkdtempSync(join(tmpdir(), 'interrupted-demo-'));
    const env = { ...process.env, TMPDIR: folder };
    const demo = endsWithTest(fork(MAIN, ['demo', '--quick'], { silent: true, execArgv: [], env }));
    const exited = new Promise<number | null>((resolve) => demo.once('exit', resolve));
    await vi.waitUntil(() => processesNaming(folder) > 0, SOON);
    demo.kill('SIGINT');
    expect(await exited).toBe(130);
    await vi.waitUntil(() => processesNaming(folder) === 0, SOON);
    rmSync(folder, { recursive: true, force: true });
  });
});

/** How many processes have the text on their command line. */
function processesNaming(text: string): number {
  const processIds = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processIds.filter((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'utf8').includes(text);
    } catch {
      return false; // It has just ended.
    }
  }).length;
}
