// A page, a browser and the names of files have a say in what the command line prints. None of it may be taken by
// the terminal for its own, nor by the page that --html writes.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareFiles } from '../../bench/report/compare.ts';
import { htmlOf as benchHtmlOf } from '../../bench/report/html-report.ts';
import type { BenchReport } from '../../bench/report/report.ts';
import { formatReport as formatBench } from '../../bench/report/terminal.ts';
import { formatReport as formatDemo } from '../../src/cli/demo/report.ts';
import type { RunResult } from '../../src/cli/demo/run.ts';
import { Course } from '../../src/cli/doctor/course.ts';
import { htmlOf as doctorHtmlOf } from '../../src/cli/doctor/html-report.ts';
import { reportOf } from '../../src/cli/doctor/report.ts';
import { formatReport as formatDoctor } from '../../src/cli/doctor/terminal.ts';
import { escapeHtml } from '../../src/cli/html/escape.ts';
import { LeakError } from '../../src/testing/expect-no-leaks.ts';
import { lacking } from '../support/lacking.ts';
import { runCommandLine } from './command-line.ts';

/** Clears the screen by either form of the command, turns text around, begins a line, and an element. */
const HOSTILE = '\u001b[2J\u009b2J\u202e\r\nreached<img src=x>"\'';
const SHOWN = '\\u{1b}[2J\\u{9b}2J\\u{202e}\\u{d}\\u{a}reached<img src=x>"\'';
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'escaping-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function benchReport(name: string): BenchReport {
  const figure = { median: 1, low: 1, high: 1, count: 5 };
  return {
    kind: 'bench',
    schema: 1,
    startedAt: '2026-01-01',
    command: name,
    quick: true,
    rounds: 1,
    cutShort: name,
    environment: {
      node: name,
      platform: name,
      cpu: name,
      cpuCount: 2,
      memoryBytes: 1,
      browser: name,
      browserAt: name,
      packages: { [name]: name },
    },
    table: [],
    measurements: [
      {
        id: `bulk/${name}`,
        scenario: 'bulk',
        title: name,
        handles: 1,
        handlesPerSecond: figure,
        cpuMicrosecondsPerHandle: figure,
        commandsPerHandle: figure,
        eventLoopDelayMs: figure,
        rssBytes: figure,
        crashed: false,
        proven: true,
        samples: [],
      },
    ],
    skipped: [{ measurement: `bulk/${name}`, needs: name }],
    failures: [],
  };
}

const run: RunResult = {
  done: 1,
  operations: 1,
  peakHeapBytes: 1,
  elapsedMs: 1,
  crashed: false,
  alive: 0,
  releaseCommands: 0,
  browserVersion: HOSTILE,
};

function doctorReport() {
  const counts = { minted: 9, disposed: 0, collected: 3, elided: 3, live: 3, oldestMs: 1 };
  const leaks = (['script', 'thrown', 'console', 'pageerror', 'client'] as const).map((source) => {
    return { line: `${HOSTILE}:1:2`, kind: 'object', source, ...counts };
  });
  return reportOf(
    {
      script: HOSTILE,
      scriptArguments: [HOSTILE],
      failOver: 0,
      exitCode: 0,
      signal: undefined,
      elapsedMs: 1,
    },
    {
      kind: 'snapshot',
      thread: 0,
      occasion: 'end',
      elapsedMs: 1,
      node: HOSTILE,
      browsers: 1,
      attached: 0,
      stats: {} as never,
      leaks,
      cost: { stacks: 0, elapsedMs: 0 },
    },
    new Course(),
  );
}

describe('what is not ours is printed as escapes', () => {
  it("in the demo's table", () => {
    const text = formatDemo({
      node: 'v20',
      puppeteer: HOSTILE,
      executablePath: HOSTILE,
      source: 'CHROME_PATH',
      quick: true,
      scenarios: [{ name: 'forgottenHandles', title: 'handles forgotten', plain: run, attached: run }],
    });
    expect(text).not.toMatch(OBEYED);
    expect(text).toContain(`Node v20, ${SHOWN}, ${SHOWN}\n${SHOWN} (CHROME_PATH)`);
  });

  it("in the bench's tables", () => {
    const text = formatBench(benchReport(HOSTILE));
    expect(text).not.toMatch(OBEYED);
    expect(text).toContain(`\n${SHOWN}, Node ${SHOWN}, ${SHOWN} ${SHOWN}\n2 × ${SHOWN}, ${SHOWN}`);
    expect(text).not.toContain('\nreached');
  });

  it('in the comparison of two files, which anybody may have written', async () => {
    const files = [join(folder, 'a.json'), join(folder, 'b.json')];
    for (const [index, file] of files.entries()) {
      const report = benchReport(HOSTILE);
      const environment = { ...report.environment, browser: `${index} ${HOSTILE}` };
      await writeFile(file, JSON.stringify({ ...report, environment }));
    }
    const written: string[] = [];
    const { write } = process.stdout;
    process.stdout.write = (text: string | Uint8Array): boolean => written.push(String(text)) > 0;
    try {
      expect(await compareFiles(files)).toBe(0);
    } finally {
      process.stdout.write = write;
    }
    const text = written.join('');
    expect(text).not.toMatch(OBEYED);
    expect(text).not.toContain('\nreached');
    expect(text).toContain(`Not the same: browser`);
  });

  it("in the doctor's report", () => {
    const text = formatDoctor(doctorReport());
    expect(text).not.toMatch(OBEYED);
    expect(text).not.toMatch(/^\s*reached/m);
    expect(text.split(`${SHOWN}:1:2`)).toHaveLength(7); // Five tables, and the table of what lives still.
  });

  it('in the error of a test helper', () => {
    const { message } = new LeakError([{ line: HOSTILE, kind: 'node', count: 1 }], 0);
    expect(message).not.toMatch(OBEYED);
    expect(message).toContain(`1 × node, asked for at ${SHOWN}`);
  });

  it('in an error of the command line', async () => {
    const { stderr, exitCode } = await runCommandLine(['demo'], { env: { CHROME_PATH: HOSTILE } });
    expect(exitCode).toBe(2);
    expect(stderr).not.toMatch(OBEYED);
    expect(stderr).toContain('\\u{1b}[2J\\u{9b}2J\\u{202e}\\u{d}\n');
    expect((await runCommandLine([HOSTILE])).stderr).not.toMatch(OBEYED);
    expect((await runCommandLine(['bench', HOSTILE])).stderr).not.toMatch(OBEYED);
    expect((await runCommandLine(['bench', '--compare', HOSTILE, HOSTILE])).stderr).not.toMatch(OBEYED);
    expect((await runCommandLine(['doctor', HOSTILE])).stderr).not.toMatch(OBEYED);
  });

  const noSuchName = process.platform === 'win32' ? 'Windows allows no such file name' : undefined;
  it('in JSON, which stays the same to a program', lacking(noSuchName), async () => {
    const script = join(folder, '\u001b[2J\u009b\u202e.mjs');
    await writeFile(script, '');
    const { stdout } = await runCommandLine(['doctor', '--json', script]);
    expect(stdout).not.toMatch(OBEYED);
    expect(JSON.parse(stdout)).toMatchObject({ script });
  });
});

describe('what is not ours is text in the page that --html writes', () => {
  it.each([
    ['bench', () => benchHtmlOf(benchReport(HOSTILE))],
    ['doctor', () => doctorHtmlOf(doctorReport())],
  ])('by %s', (_, page) => {
    const html = page();
    expect(html).not.toMatch(OBEYED);
    expect(html).not.toContain('<img');
    expect(html).toContain(escapeHtml(HOSTILE));
  });

  it('ends neither an element nor an attribute', () => {
    expect(escapeHtml(`<a b="c" d='e'>&\u202e`)).toBe(
      '&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;\\u{202e}',
    );
  });
});

describe('the command line', () => {
  it('has one way to a terminal, but for the lines of progress that are written over', async () => {
    const rooms = ['src/cli', 'bench'].map(async (room) =>
      (await readdir(room, { recursive: true })).map((name) => `${room}/${name}`),
    );
    const files = (await Promise.all(rooms)).flat().filter((name) => name.endsWith('.ts'));
    const past: string[] = [];
    for (const file of files) {
      const text = (await readFile(file, 'utf8')).replaceAll(/new ProgressLine\(process\.stderr/g, '');
      if (/process\.std(?:out|err)\b/.test(text)) past.push(file);
    }
    expect(past).toEqual(['src/cli/output.ts']);
  });
});
