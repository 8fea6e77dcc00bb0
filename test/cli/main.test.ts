import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lacking } from '../support/lacking.ts';
import { runCommandLine } from './command-line.ts';
import { InstalledCopy } from './installed-copy.ts';

describe('the command line', () => {
  it('prints its usage when asked', async () => {
    const { exitCode, stdout } = await runCommandLine(['--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Usage: cdp-release-batcher <command>');
  });

  it("prints the package's version", async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    await expect(runCommandLine(['--version'])).resolves.toMatchObject({
      exitCode: 0,
      stdout: `${version}\n`,
    });
  });

  it.each([
    [[], 'No command given.'],
    [['dance'], 'Unknown command: dance'],
    [['demo', 'twice'], 'Too many arguments: twice'],
    [['demo', '--loud'], "Unknown option '--loud'"],
    [['demo', '--json=yes'], "Option '--json' does not take an argument"],
  ])('exits with 2 and the usage on %j', async (args, complaint) => {
    const { exitCode, stdout, stderr } = await runCommandLine(args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(complaint);
    expect(stderr).toContain('Usage:');
    expect(stdout).toBe('');
  });

  it('says of options of the doctor which of them the script gets, unless they stand behind --', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'main-test-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const script = join(folder, 'prints.mjs');
    await writeFile(script, 'console.log(process.argv.slice(2).join())');
    const said = `doctor: --html stands behind the script, so the script gets it; before ${script} it is doctor's.`;
    const given = await runCommandLine(['doctor', script, '--html', 'x', '--own']);
    expect(given.stdout).toContain('--html,x,--own\n');
    expect(given.stderr).toContain(said);
    const meant = await runCommandLine(['doctor', '--', script, '--html', 'x']);
    expect(meant.stdout).toContain('--html,x\n');
    expect(meant.stderr).not.toContain('stands behind');
  });

  it('exits with 2 when the browser named is none', async () => {
    const { exitCode, stderr } = await runCommandLine(['demo'], { env: { CHROME_PATH: '/no/such/browser' } });
    expect(exitCode).toBe(2);
    expect(stderr).toBe('CHROME_PATH is set to "/no/such/browser", which is not an executable file.\n');
  });

  it('exits with 2 when the browser named cannot be launched', async () => {
    const env = { CHROME_PATH: process.execPath }; // Which knows no switch of a browser's.
    const { exitCode, stderr } = await runCommandLine(['demo'], { env });
    expect(exitCode).toBe(2);
    expect(stderr).toContain(`${process.execPath} (CHROME_PATH) could not be launched`);
  });
});

describe('a copy of the package without anything installed beside it', () => {
  // Puppeteer is found in the working directory, which is this checkout.
  it(
    'exits with 2 where there is no browser, and says how to name one',
    lacking(
      process.platform === 'linux' ? undefined : 'only on Linux a browser is looked for on the PATH alone',
    ),
    async () => {
      using copy = new InstalledCopy();
      const env = { PATH: '', CHROME_PATH: '', PUPPETEER_EXECUTABLE_PATH: '' };
      const { exitCode, stderr } = await copy.run(['demo', '--json'], { env, cwd: process.cwd() });
      expect(exitCode).toBe(2);
      expect(stderr).toContain('No Chrome or Chromium was found.');
      expect(stderr).toContain('CHROME_PATH=/path/to/chrome');
    },
  );

  it('exits with 2 where there is no Puppeteer, and says how to get one', async () => {
    using copy = new InstalledCopy();
    const { exitCode, stderr } = await copy.run(['demo']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('Neither puppeteer nor puppeteer-core was found');
    expect(stderr).toContain('npm install --save-dev puppeteer');
  });
});
