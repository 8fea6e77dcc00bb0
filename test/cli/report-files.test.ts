// Nothing is written but where the user said.
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CannotRunError } from '../../src/cli/cannot-run-error.ts';
import { writeReportFile } from '../../src/cli/report-file.ts';
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
function run(args: readonly string[]) {
  const [HOME, TMPDIR] = [join(folder, 'home'), join(folder, 'temporary')];
  const env = { HOME, TMPDIR, TEMP: TMPDIR, TMP: TMPDIR, XDG_CACHE_HOME: HOME, XDG_CONFIG_HOME: HOME };
  return runCommandLine(args, { cwd: join(folder, 'work'), env });
}

describe('a report', () => {
  it('goes to the file named, whole, over what was there', async () => {
    const file = join(folder, 'reports', 'report.html');
    writeReportFile(file, 'a long one');
    writeReportFile(file, 'short');
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

describe('the doctor', () => {
  it('writes the page that was asked for, and no other file', async () => {
    const { exitCode } = await run(['doctor', '--html', '../reports/page.html', 'script.mjs']);
    expect(exitCode).toBe(0);
    expect(await written()).toEqual([join('reports', 'page.html')]);
  });

  it('writes no file unless told to', async () => {
    expect((await run(['doctor', '--json', 'script.mjs'])).exitCode).toBe(0);
    expect((await run(['doctor', 'script.mjs'])).exitCode).toBe(0);
    expect(await written()).toEqual([]);
  });

  it('lets the script run to its end though no report of the time between can be written', async () => {
    const script = join(folder, 'work', 'script.mjs');
    await writeFile(script, "setTimeout(() => console.log('the script ran'), 500);");
    const { exitCode, stdout, stderr } = await run(['doctor', '--every=50ms', '--html=none/x.html', script]);
    expect(stdout).toBe('the script ran\n');
    expect(stderr.split('none/x.html cannot be written').length).toBeGreaterThan(2);
    expect(stderr).toContain('ended with code 0');
    expect(stderr).not.toContain('at Socket');
    expect(exitCode).toBe(2);
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
