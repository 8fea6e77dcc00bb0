// The doctor over scripts whose leaks are known: what each line leaves stands at its end, in the script itself.
// Every one must be found, and none invented.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { CannotRunError } from '../../src/cli/cannot-run-error.ts';
import { doctorOptionsOf } from '../../src/cli/doctor/command.ts';
import { shownLine } from '../../src/cli/doctor/report.ts';
import { formatReport } from '../../src/cli/doctor/terminal.ts';
import { chromiumLaunchOptions, launchChromium } from '../support/chromium.ts';
import { descendantsOf } from '../support/processes.ts';
import { PACKAGE } from '../support/script.ts';
import { sized } from '../support/sized.ts';
import { runCommandLine } from './command-line.ts';
import { examine, found, known, SCRIPTS } from './examined.ts';
import { startDoctor } from './started.ts';

const env = { TEST_LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()) };
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'doctor-test-'));
  await symlink(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** One examination for all who ask what becomes of it. */
let examined: ReturnType<typeof examine> | undefined;
const htmlOfForgotten = () => join(folder, 'forgotten.html');
function examineForgotten(): ReturnType<typeof examine> {
  examined ??= examine('--html', htmlOfForgotten(), `${SCRIPTS}/forgotten.mjs`);
  return examined;
}

describe('the doctor names the lines', { timeout: 240_000 }, () => {
  it('that forget handles', async () => {
    const { report, exitCode, stderr } = await examineForgotten();
    expect(found(report.leaks)).toEqual(await known('leaks', 'forgotten.mjs'));
    expect(report).toMatchObject({ leaked: 57, exitCode: 0, browsers: 1, alive: [] });
    expect(exitCode).toBe(0);
    expect(stderr).toBe(`12\nWritten: ${htmlOfForgotten()}\n`); // What the script prints, and where the page is: nothing else.
    const [worst] = report.leaks;
    expect(worst).toMatchObject({ collected: 40 });
    expect(report.leaks.filter(({ elided }) => elided > 0)).toMatchObject([
      { line: expect.stringContaining(':40:') },
    ]);
    expect(found(report.thrown)).toEqual({});
    expect(report.client.length).toBeGreaterThan(0);
  });

  it('that throw in the page and log, in a CommonJS script', async () => {
    const script = 'thrown-and-logged.cjs';
    const { report, exitCode } = await examine(`${SCRIPTS}/${script}`);
    expect(exitCode).toBe(0);
    expect(found(report.leaks)).toEqual({});
    expect(found(report.thrown)).toEqual(await known('throws', script));
    expect(found(report.console)).toEqual(await known('logs', script));
    expect(report.pageErrors).toMatchObject([{ line: 'about:blank:1:34', kind: 'error', minted: 1 }]);
  });

  it('of a farm, in whichever file they are', async () => {
    const { report, exitCode } = await examine(`${SCRIPTS}/farm.mjs`);
    expect(exitCode).toBe(0);
    expect(found(report.leaks)).toEqual(await known('leaks', 'farm.mjs', 'farm-parser.mjs'));
    expect(found(report.thrown)).toEqual(await known('throws', 'farm.mjs'));
  });

  const compiled: readonly (readonly [string, string, string])[] = [
    ['an ES module with its map in it', 'mts', '--inlineSourceMap'],
    ['a CommonJS module with its map beside it', 'cts', '--sourceMap'],
    ['an ES module with its map beside it', 'mts', '--sourceMap'],
  ];
  it.each(sized(compiled.slice(0, 1), compiled))(
    'of TypeScript that has become %s',
    async (_name, extension, map) => {
      const source = `import puppeteer from 'puppeteer-core';
interface Forgotten {
  readonly forgotten: true;
}
enum Kind {
  Html = 'html',
}
async function main(): Promise<void> {
  const browser = await puppeteer.launch(JSON.parse(process.env['TEST_LAUNCH_OPTIONS'] ?? ''));
  const page = await browser.newPage();
  await page.setContent(Kind.Html);
  await page.evaluateHandle(
    (): Forgotten => ({ forgotten: true }),
  );
  await browser.close();
}
void main();
`;
      const name = `script${map}`;
      await writeFile(join(folder, `${name}.${extension}`), source);
      const flags = [
        '--target',
        'es2022',
        '--module',
        'nodenext',
        '--noCheck',
        '--noResolve',
        '--types',
        '',
        map,
      ];
      await promisify(execFile)(join(PACKAGE, 'node_modules/.bin/tsc'), [...flags, `${name}.${extension}`], {
        cwd: folder,
      });
      const { report } = await examine(join(folder, `${name}.${extension.replace('ts', 'js')}`));
      expect(report.leaks).toMatchObject([{ kind: 'object', minted: 1 }]);
      expect(report.leaks[0]?.line).toMatch(new RegExp(`${name}\\.${extension}:12:\\d+$`));
    },
  );
});

describe('however the script ends', { timeout: 240_000 }, () => {
  const script = `${SCRIPTS}/exits.mjs`;

  it.each([
    ...sized([], [['exit', 5] as const]), // By which it ends below, with --fail-over.
    ['throw', 1] as const,
  ])('by %s, there is a report, and its own exit code', async (way, code) => {
    const { report, exitCode, stderr } = await examine(script, way);
    expect(exitCode).toBe(code);
    expect(report).toMatchObject({ exitCode: code, scriptArguments: [way], leaked: 3 });
    expect(found(report.alive)).toEqual(await known('leaks', 'exits.mjs'));
    if (way === 'throw') expect(stderr).toContain('thrown with 3 handles in hand');
  });

  it.each([
    ...sized([], [['3', 5] as const]), // Which is what it exits with by itself.
    ['2', 1] as const,
  ])('more handles than --fail-over %s says make it %d', async (failOver, code) => {
    const { report, exitCode } = await examine('--fail-over', failOver, script, 'exit');
    expect(exitCode).toBe(code);
    expect(report).toMatchObject({ exitCode: 5, scriptArguments: ['exit'], leaked: 3 });
    expect(found(report.alive)).toEqual(await known('leaks', 'exits.mjs'));
  });

  /**
   * The file in which the script notes its browser's process, which is ended with the test where nobody else has: a
   * signal may end the script before it could.
   */
  const pidFileFor = (name: string): string => {
    const pidFile = join(folder, `${name}.pid`);
    onTestFinished(async () => {
      try {
        // Its whole group, as Puppeteer does: where a shell script starts the browser, the process is the script's.
        process.kill(-Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
      } catch (error) {
        expect(error).toMatchObject({ code: 'ESRCH' });
      }
    });
    return pidFile;
  };

  it.each([
    ...sized([], [['SIGINT', 130, 'end'] as const]), // Puppeteer listens to this one, and exits; so it does below.
    ['SIGTERM', 143, 'checkpoint'] as const, // Nobody listens to this one.
  ])('by %s', async (signal, code, occasion) => {
    const pidFile = pidFileFor(signal);
    const run = startDoctor(['--json', script, 'wait', pidFile]);
    await run.prints('ready');
    run.child.kill(signal);
    expect(await run.exited).toBe(code);
    expect(run.reports()).toMatchObject([{ occasion, leaked: 3 }]);
  });

  it('by a kill that nothing can listen to, as of the last look', async () => {
    const pidFile = pidFileFor('SIGKILL');
    const run = startDoctor(['--json', '--every', '200ms', script, 'wait', pidFile]);
    await run.prints('ready');
    await run.prints('"leaked":3');
    const [scriptPid = Number.NaN] = descendantsOf(run.child.pid ?? Number.NaN);
    process.kill(scriptPid, 'SIGKILL');
    expect(await run.exited).toBe(137);
    expect(run.reports().at(-1)).toMatchObject({ signal: 'SIGKILL', leaked: 3 });
  });

  it('by a kill before anybody asked, as of the last checkpoint', async () => {
    const pidFile = pidFileFor('checkpoint');
    const { report, exitCode } = await examine(script, 'checkpoint', pidFile);
    expect(exitCode).toBe(137);
    expect(report).toMatchObject({ signal: 'SIGKILL', occasion: 'checkpoint', leaked: 3 });
  });

  it('and while it runs, when asked by SIGUSR2', async () => {
    const pidFile = pidFileFor('SIGUSR2');
    const run = startDoctor(['--json', script, 'wait', pidFile]);
    await run.prints('ready');
    run.child.kill('SIGUSR2');
    await run.prints('"occasion":"asked"');
    run.child.kill('SIGINT');
    expect(await run.exited).toBe(130);
    const [asked, last] = run.reports();
    expect(asked).toMatchObject({ occasion: 'asked', leaked: 3 });
    expect(asked).not.toHaveProperty('exitCode');
    expect(last).toMatchObject({ occasion: 'end', leaked: 3, exitCode: 130 });
  });

  it('without a browser at all', async () => {
    const file = join(folder, 'none.mjs');
    await writeFile(file, 'process.exitCode = 4;');
    const { exitCode, stderr } = await runCommandLine(['doctor', file], { env });
    expect(exitCode).toBe(4);
    expect(stderr).toContain('saw no Puppeteer');
  });
});

describe('what a page has named', { timeout: 240_000 }, () => {
  it('is neither run by a browser nor obeyed by a terminal', async () => {
    const html = join(folder, 'hostile.html');
    const { stderr } = await runCommandLine(['doctor', '--html', html, `${SCRIPTS}/hostile.mjs`], { env });
    expect(stderr).toContain('https://evil.test/</title>');
    expect(stderr).toContain('\\u{1b}[31m\\u{202e}');
    for (const character of ['\u001b', '\u202e']) expect(stderr).not.toContain(character);
    const browser = await launchChromium();
    const page = await browser.newPage();
    await page.goto(`file://${html}`);
    expect(await page.title()).toContain('doctor');
    expect(await page.$$eval('img, script, a', (elements) => elements.length)).toBe(0);
    expect(await page.$eval('#console', (section) => section.textContent)).toContain('<img/src=x/onerror=');
  });
});

describe('the page that --html writes', { timeout: 240_000 }, () => {
  it('has a bar for each line, and the course over time, on a phone too, in the dark too', async () => {
    await examineForgotten();
    const browser = await launchChromium();
    const page = await browser.newPage();
    await page.setViewport({ width: 360, height: 800 });
    for (const value of ['dark', 'light']) {
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value }]);
      await page.goto(`file://${htmlOfForgotten()}`);
      const shown = await page.evaluate(() => ({
        names: [...document.querySelectorAll('#leaks .name')].map((name) => name.textContent ?? ''),
        widths: [...document.querySelectorAll('#leaks .bar')].map((bar) => bar.getBoundingClientRect().width),
        curves: [...document.querySelectorAll('#course path')].map(
          (path) => (path as SVGPathElement).getTotalLength() > 0,
        ),
        overflow: document.documentElement.scrollWidth - window.innerWidth,
        requests: performance.getEntriesByType('resource').length,
      }));
      expect(shown.names[0]).toContain('forgotten.mjs:10');
      expect(shown.names).toHaveLength(Object.keys(await known('leaks', 'forgotten.mjs')).length + 1); // Two on line 16.
      expect(Math.max(...shown.widths)).toBe(shown.widths[0]);
      for (const width of shown.widths) expect(width).toBeGreaterThan(0);
      expect(shown).toMatchObject({ curves: [true, true], overflow: 0, requests: 0 });
    }
  });
});

describe('the terminal', () => {
  it('is told everything that the JSON is', async () => {
    const { report } = await examineForgotten();
    const text = formatReport(report);
    for (const { line } of [...report.leaks, ...report.client]) expect(text).toContain(shownLine(line));
    expect(text).toContain('Naming the lines cost');
    expect(text).toContain('MB');
  });

  const wrong: readonly (readonly [readonly string[], string])[] = [
    [['nowhere.mjs'], 'there is no nowhere.mjs'],
    [[], 'no script given'],
    [['--fail-over', 'many', `${SCRIPTS}/farm.mjs`], '--fail-over must be a whole number'],
    [['--every', 'now', `${SCRIPTS}/farm.mjs`], '--every must be a duration'],
    [['--loud', `${SCRIPTS}/farm.mjs`], "Unknown option '--loud'"],
  ];
  it.each(wrong)('has a line for what is wrong with %j', (args, message) => {
    expect(() => doctorOptionsOf(args)).toThrow(message);
    expect(() => doctorOptionsOf(args)).toThrow(CannotRunError);
  });

  it.each(sized(wrong.slice(0, 1), wrong))('is told what is wrong with %j', async (args, message) => {
    const { exitCode, stderr } = await runCommandLine(['doctor', ...args]);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  });
});
