// Nothing is written but where the user said.
import { type FSWatcher, watch } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CannotRunError } from '../../src/cli/cannot-run-error.ts';
import { writeReportFile } from '../../src/cli/report-file.ts';
import { chromiumLaunchOptions, lendChromium } from '../support/chromium.ts';
import { PACKAGE } from '../support/script.ts';
import { sized } from '../support/sized.ts';
import { runCommandLine } from './command-line.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-files-test-'));
  for (const name of ['work', 'home', 'temporary', 'reports']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'work', 'script.mjs'), "console.log('the script ran');");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** All files below the folder that the test did not put there. */
async function written(): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
    .filter((name) => name !== join('work', 'script.mjs'));
}

/** A process that finds every folder that it might think of inside of ours. */
function run(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const [HOME, TMPDIR] = [join(folder, 'home'), join(folder, 'temporary')];
  const env = {
    HOME,
    TMPDIR,
    TEMP: TMPDIR,
    TMP: TMPDIR,
    XDG_CACHE_HOME: HOME,
    XDG_CONFIG_HOME: HOME,
    ...more,
  };
  return runCommandLine(args, { cwd: join(folder, 'work'), env });
}

describe('a report', () => {
  it('goes to the file named, whole, over what was there', async () => {
    const file = join(folder, 'reports', 'report.html');
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    writeReportFile(file, 'a long one');
    writeReportFile(file, 'short');
    said.mockRestore();
    expect(await readFile(file, 'utf8')).toBe('short');
    expect(await written()).toEqual([join('reports', 'report.html')]);
  });

  it('that cannot be written makes no folder, and says which file', async () => {
    const file = join(folder, 'none', 'report.html');
    expect(() => writeReportFile(file, '')).toThrow(CannotRunError);
    expect(() => writeReportFile(file, '')).toThrow(`${file} cannot be written: ENOENT`);
    expect(await written()).toEqual([]);
  });
});

/** Exit code of the doctor for a script that ends well and opens no browser: these open none. */
const NO_BROWSER = 2;

describe('the doctor', () => {
  it('writes the page that was asked for, and no other file', async () => {
    const { exitCode } = await run(['doctor', '--html', '../reports/page.html', 'script.mjs']);
    expect(exitCode).toBe(NO_BROWSER);
    expect(await written()).toEqual([join('reports', 'page.html')]);
  });

  it('writes no file unless told to', async () => {
    expect((await run(['doctor', '--json', 'script.mjs'])).exitCode).toBe(NO_BROWSER);
    expect((await run(['doctor', 'script.mjs'])).exitCode).toBe(NO_BROWSER);
    expect(await written()).toEqual([]);
  });

  it('lets the script run to its end though no report of the time between can be written', async () => {
    const script = join(folder, 'work', 'script.mjs');
    await writeFile(
      script,
      `import { mkdirSync, rmSync } from 'node:fs';
      for (let isMade = false; !isMade; ) {
        rmSync('x.html', { force: true }); // A first report may have been written while this was loaded.
        try {
          mkdirSync('x.html'); // No file can be written there any more.
          isMade = true;
        } catch {}
      }
      setTimeout(() => console.log('the script ran'), 500);`,
    );
    const { exitCode, stdout, stderr } = await run(['doctor', '--every=50ms', '--html=x.html', script]);
    expect(stdout).toBe('the script ran\n');
    expect(stderr.split('x.html cannot be written').length).toBeGreaterThan(2);
    expect(stderr).toContain('ended with code 0');
    expect(stderr).not.toContain('at Socket');
    expect(exitCode).toBe(NO_BROWSER);
  });
});

describe('the bench', () => {
  it('writes no file where it cannot run, or is asked what changed', async () => {
    const file = join('..', 'reports', 'a.json');
    expect((await run(['bench', '--json', file, '--only', 'nothing-like-it'])).exitCode).toBe(2);
    expect((await run(['bench', '--html', file, '--compare', 'x.json', 'y.json'])).exitCode).toBe(2);
    expect(await written()).toEqual([]);
  });
});

describe('at work on a real browser', () => {
  /** Names of all that was ever touched where the user works, gone by now or not. */
  const touched = new Set<string>();
  const watchers: FSWatcher[] = [];
  beforeEach(async () => {
    await lendChromium(join(folder, 'temporary'));
    touched.clear();
    for (const name of ['work', 'reports']) {
      const watcher = watch(join(folder, name), (_, file) => void touched.add(join(name, String(file))));
      watchers.push(watcher);
    }
  });
  afterEach(() => {
    for (const watcher of watchers.splice(0)) watcher.close();
  });

  /** Of what is there in the end, a browser's own housekeeping is not ours. */
  async function writtenByUs(): Promise<string[]> {
    const browsers = /^(?:home|temporary)\/.*(?:chrom|puppeteer|fontconfig|pki|dconf|mesa)/i;
    return (await written()).filter((name) => !browsers.test(name));
  }

  it('the demo writes no file', async () => {
    // With a few operations in the place of thousands. In `npm test` only the runs of the first scenario are true ones.
    const result = { done: 7, operations: 7, peakHeapBytes: 1e6, elapsedMs: 1, alive: 7, releaseCommands: 0 };
    const madeUp = { kind: 'result', result: { ...result, crashed: false, browserVersion: 'Made/up' } };
    const few = `if (process.argv[1]?.endsWith('run-process.js')) {
      const { once } = process;
      process.once = (event, hear) => once.call(process, event, event !== 'message' ? hear : (order) => {
        if (${sized(true, false)} && order.name !== 'forgottenHandles') {
          return process.send(${JSON.stringify(madeUp)}, () => process.exit());
        }
        return hear({ ...order, operations: 20 });
      });
    }`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(few)}`;
    expect(await run(['demo', '--quick', '--json'], { NODE_OPTIONS })).toMatchObject({ exitCode: 0 });
    expect(await writtenByUs()).toEqual([]);
    expect([...touched]).toEqual([]);
  }, 240_000);

  it('the bench writes the files that were asked for, and no other', async () => {
    const files = ['--json', '../reports/a.json', '--html', '../reports/a.html'];
    const outcome = await run([
      'bench',
      '--quick',
      '--rounds',
      '1',
      '--only',
      'bulk/attached-scope',
      ...files,
    ]);
    expect(outcome).toMatchObject({ exitCode: 0 });
    const wanted = [join('reports', 'a.html'), join('reports', 'a.json')];
    expect((await writtenByUs()).sort()).toEqual(wanted);
    await expect.poll(() => [...touched].sort()).toEqual(wanted);
  }, 240_000);

  it('the doctor writes the page that was asked for, and no other file', async () => {
    const options = JSON.stringify(await chromiumLaunchOptions());
    const puppeteer = join(
      PACKAGE,
      'node_modules',
      'puppeteer-core',
      'lib',
      'puppeteer',
      'puppeteer-core.js',
    );
    await writeFile(
      join(folder, 'work', 'script.mjs'),
      `const { default: puppeteer } = await import(${JSON.stringify(puppeteer)});
      const { env, ...options } = ${options};
      const browser = await puppeteer.launch(options);
      const page = await browser.newPage();
      for (let count = 0; count < 20; count++) await page.evaluateHandle(() => ({}));
      await browser.close();`,
    );
    const { exitCode, stderr } = await run(['doctor', '--html', '../reports/page.html', 'script.mjs']);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(await readFile(join(folder, 'reports', 'page.html'), 'utf8')).toContain('script.mjs');
    expect(await writtenByUs()).toEqual([join('reports', 'page.html')]);
    await expect
      .poll(() => [...touched].filter((name) => name !== join('work', 'script.mjs')))
      .toEqual([join('reports', 'page.html')]);
  }, 240_000);
});
