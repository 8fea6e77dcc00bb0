import { fork } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { DemoReport } from '../../src/cli/demo/report.ts';
import { lendChromium } from '../support/chromium.ts';
import { lacking } from '../support/lacking.ts';
import { endsWithTest } from '../support/processes.ts';
import { sized } from '../support/sized.ts';
import { MAIN, runCommandLine } from './command-line.ts';

/** For `vi.waitUntil`: a demo has a browser to launch, or to close. */
const SOON = { timeout: 100_000, interval: 50 };

/**
 * Operations of a run: as many as a quick demo takes at most. The heap is looked at after each
 * hundred; of one, plain leaves a hundred objects.
 */
const MOST = sized(100, 2_000);

const noProc = process.platform === 'linux' ? undefined : 'there is no /proc to find browsers in';

describe('the demo', () => {
  it('prints as JSON what is left in the page, plain and attached', { timeout: 240_000 }, async () => {
    const { exitCode, stdout, stderr } = await runCommandLine(['demo', '--quick', '--json'], {
      env: atMost(MOST),
    });
    expect(stderr).toContain('handles forgotten');
    expect(exitCode).toBe(0);
    const report: DemoReport = JSON.parse(stdout);
    expect(report).toMatchObject({ quick: true, node: process.version });
    expect(report.scenarios.map(({ name }) => name)).toEqual([
      'forgottenHandles',
      'thrownErrors',
      'consoleArguments',
      'playwrightRounds',
    ]);
    for (const { plain, attached } of report.scenarios) {
      expect(plain.operations).toBeLessThanOrEqual(MOST);
      expect(plain).toMatchObject({ crashed: false, alive: plain.operations, releaseCommands: 0 });
      expect(attached).toMatchObject({ crashed: false, alive: 0, done: attached.operations });
      expect(attached.releaseCommands).toBeGreaterThan(0);
      for (const run of [plain, attached]) expect(run.elapsedMs).toBeGreaterThan(0);
    }
    // Of the attached side's heap nothing is certain here: when the page collects its garbage is the page's affair.
    const [forgotten] = report.scenarios;
    expect(forgotten?.plain.peakHeapBytes).toBeGreaterThan(MOST * 200_000 * 0.9);
  });

  it('leaves no browser behind when it is interrupted', lacking(noProc), async () => {
    // Puppeteer puts the browser's profile there, and so names the folder on the browser's command line.
    const folder = mkdtempSync(join(tmpdir(), 'interrupted-demo-'));
    await lendChromium(folder);
    const env = { ...process.env, TMPDIR: folder };
    const demo = endsWithTest(fork(MAIN, ['demo', '--quick'], { silent: true, execArgv: [], env }));
    const exited = new Promise<number | null>((resolve) => demo.once('exit', resolve));
    await vi.waitUntil(() => processesNaming(folder) > 0, SOON);
    demo.kill('SIGINT');
    expect(await exited).toBe(130);
    await vi.waitUntil(() => processesNaming(folder) === 0, SOON);
    rmSync(folder, { recursive: true, force: true });
  });

  it('fails with its first run, and leaves no browser behind', lacking(noProc), async () => {
    const folder = mkdtempSync(join(tmpdir(), 'failing-demo-'));
    const env = preloaded(`
      const { send } = process;
      process.send = (message, ...rest) => {
        if (message.kind === 'progress') throw new Error('out of breath');
        return send.call(process, message, ...rest);
      };
    `);
    const args = ['demo', '--quick', '--json'];
    await lendChromium(folder);
    const { exitCode, stderr, stdout } = await runCommandLine(args, { env: { ...env, TMPDIR: folder } });
    expect(stderr).toMatch(/\nplain +handles forgotten, 200 KB each *\nError: out of breath\n/);
    expect(stderr).not.toContain('attached');
    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
    await vi.waitUntil(() => processesNaming(folder) === 0, SOON);
    rmSync(folder, { recursive: true, force: true });
  });

  it('says how the process of a run ended that ended without a result', async () => {
    const env = preloaded(`process.once('message', () => process.exit(7));`);
    const { exitCode, stderr, stdout } = await runCommandLine(['demo', '--quick'], { env });
    expect(stderr).toContain('The run ended without a result (exit code 7).');
    expect(exitCode).toBe(1);
    expect(stdout).toBe('');
  });

  it('prints a table, unless it is told otherwise', async () => {
    // The figures are made up, for a run takes its time: what is printed of true ones is seen above.
    const result = { done: 7, operations: 7, peakHeapBytes: 1e6, elapsedMs: 1, alive: 7, releaseCommands: 0 };
    const message = { kind: 'result', result: { ...result, crashed: false, browserVersion: 'Made/up' } };
    const env = preloaded(`process.once('message', () => {
      process.send(${JSON.stringify(message)}, () => process.exit());
    });`);
    const { exitCode, stdout } = await runCommandLine(['demo'], { env });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /handles forgotten, 200 KB each +plain +attached\n +objects still alive in the page +7 +7\n/,
    );
    expect(stdout).toContain('console arguments listened to');
    expect(stdout).toContain('Made/up');
  });
});

/** The environment of a demo in which this goes ahead of each run's own script. */
function preloaded(script: string): Record<string, string> {
  const source = `if (process.argv[1]?.endsWith('run-process.js')) { ${script} }`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}

/** The environment of a demo of which no run has more operations than these. */
function atMost(operations: number): Record<string, string> {
  return preloaded(`
    const { once } = process;
    process.once = (event, hear) => once.call(process, event, event !== 'message' ? hear :
      (order) => hear({ ...order, operations: Math.min(order.operations, ${operations}) }));
  `);
}

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
