// The bench's room of whole scripts: each plain and attached in turns, cold, under the Node that is named.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath, version } from 'node:process';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '../../bench/child.ts';
import type { BenchReport } from '../../bench/report/report.ts';
import { MAIN, runCommandLine } from '../cli/command-line.ts';
import { endsWithTest } from '../support/processes.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scripts-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('whole scripts', { timeout: 120_000 }, () => {
  it('run once in a process of their own, in turns, and their ratios stand in the table, the JSON and the page', async () => {
    const log = join(folder, 'processes.txt');
    const preload = join(folder, 'preload.mjs');
    await writeFile(
      preload,
      `import { appendFileSync } from 'node:fs';
      if (process.argv[1].endsWith('scripts/child.js')) {
        appendFileSync(${JSON.stringify(log)}, process.pid + ' ' + process.execPath + '\\n');
      }`,
    );
    const [json, html] = [join(folder, 'out.json'), join(folder, 'out.html')];
    const { exitCode, stdout, stderr } = await runCommandLine(
      [
        ...['bench', '--quick', '--rounds', '2', '--only', 'script-evaluate-cpu'],
        ...['--node', execPath, '--json', json, '--html', html],
      ],
      { env: { CDP_BENCH_NODE_FLAGS: `--import=${pathToFileURL(preload)}` } },
    );
    expect(stderr).not.toContain('failed');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/400 × evaluate\(x => x \* 2, i\): client CPU +plain Puppeteer +\d\.\d\d ×/);

    const turns = [...stderr.matchAll(/: scripts\/(\w+)-evaluate\n/g)].map(([, variant]) => variant);
    expect(turns).toEqual(['puppeteer', 'attached', 'attached', 'puppeteer']);
    const processes = (await readFile(log, 'utf8')).trim().split('\n');
    expect(new Set(processes).size).toBe(4);
    for (const started of processes) expect(started).toMatch(new RegExp(` ${execPath}$`));

    const report: BenchReport = JSON.parse(await readFile(json, 'utf8'));
    expect(report.environment.node).toBe(version);
    for (const id of ['script-evaluate-wall', 'script-evaluate-cpu']) {
      const row = report.table.find((candidate) => candidate.id === id);
      expect(row?.figure).toMatchObject({ count: 2 });
      expect(row?.figure.median).toBeGreaterThan(0);
    }
    expect(await readFile(html, 'utf8')).toContain('400 × evaluate(x =&gt; x * 2, i): client CPU');
  });

  it('refuses what is no Node', async () => {
    const { exitCode, stderr } = await runCommandLine([
      'bench',
      '--only',
      'scripts',
      '--node',
      '/nowhere/node',
    ]);
    expect(stderr).toBe('--node: "/nowhere/node" is no Node that can be run.\n');
    expect(exitCode).toBe(2);
  });

  it('that cannot be run are a failure that says why, and no end of the process without a word', async () => {
    const child = endsWithTest(fork(join(MAIN, '../../bench/scripts/child.js'), { execArgv: [] }));
    child.send({ measurement: 'scripts/attached-nothing', handles: 1, browserWSEndpoint: 'ws://nowhere' });
    const [answer] = (await once(child, 'message')) as [Answer];
    expect(answer).toMatchObject({
      kind: 'failure',
      message: expect.stringContaining('no script is called scripts/attached-nothing'),
    });
    child.disconnect();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
