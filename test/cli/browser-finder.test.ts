import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type FindBrowserOptions, findBrowser, launchOptions } from '../../src/cli/browser-finder.ts';
import { inflateBundledChromium } from '../../src/cli/bundled-chromium.ts';
import { lacking } from '../support/lacking.ts';
import { InstalledCopy } from './installed-copy.ts';

/** A machine on which only the named files can be executed. */
function machine(
  files: readonly string[],
  options: FindBrowserOptions = {},
): FindBrowserOptions & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    env: {},
    platform: 'linux',
    isExecutableFile: async (path) => {
      asked.push(path);
      return files.includes(path);
    },
    inflateBundled: async () => undefined,
    asked,
    ...options,
  };
}

describe('where a browser is looked for', () => {
  it.each(['CHROME_PATH', 'PUPPETEER_EXECUTABLE_PATH'])(
    '%s comes before anything installed',
    async (name) => {
      const env = { [name]: '/mine/chrome', PATH: '/usr/bin' };
      await expect(findBrowser(machine(['/mine/chrome', '/usr/bin/chromium'], { env }))).resolves.toEqual({
        executablePath: '/mine/chrome',
        source: name,
        environment: {},
      });
    },
  );

  it('does not replace a browser that the user named wrongly', async () => {
    const env = { CHROME_PATH: '/typo/chrome', PATH: '/usr/bin' };
    await expect(findBrowser(machine(['/usr/bin/chromium'], { env }))).rejects.toThrow(
      'CHROME_PATH is set to "/typo/chrome", which is not an executable file.',
    );
  });

  it('takes an empty variable for one that is not set', async () => {
    const env = { CHROME_PATH: '', PATH: '/usr/bin' };
    const browser = await findBrowser(machine(['/usr/bin/chromium'], { env }));
    expect(browser).toMatchObject({ executablePath: '/usr/bin/chromium', source: 'installed' });
  });

  it('prefers a headless shell, wherever on the PATH it stands', async () => {
    const env = { PATH: '/bin:/opt/bin' };
    const browser = await findBrowser(
      machine(['/bin/google-chrome', '/opt/bin/chromium-headless-shell'], { env }),
    );
    expect(browser.executablePath).toBe('/opt/bin/chromium-headless-shell');
  });

  it('knows where installers put Chrome on macOS', async () => {
    const path = '/Users/me/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
    const browser = await findBrowser(machine([path], { platform: 'darwin', env: { HOME: '/Users/me' } }));
    expect(browser.executablePath).toBe(path);
  });

  it('knows where installers put Chrome on Windows', async () => {
    const path = 'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe';
    const env = { Path: 'C:\\Windows;C:\\Tools', PROGRAMFILES: 'C:\\Program Files' };
    const windows = machine([path], { platform: 'win32', env });
    await expect(findBrowser(windows)).resolves.toMatchObject({ executablePath: path });
    expect(windows.asked).toContain('C:\\Tools\\chrome.exe');
  });

  it('knows the browser that Puppeteer downloaded', async () => {
    const browser = await findBrowser(machine(['/cache/chrome'], { downloadedBrowser: '/cache/chrome' }));
    expect(browser).toMatchObject({ executablePath: '/cache/chrome', source: 'installed' });
  });

  it('falls back on the Chromium in @sparticuz/chromium', async () => {
    const bundled = { executablePath: '/tmp/x/chromium', environment: { FONTCONFIG_PATH: '/tmp/x/fonts' } };
    await expect(findBrowser(machine([], { inflateBundled: async () => bundled }))).resolves.toEqual({
      ...bundled,
      source: '@sparticuz/chromium',
    });
  });

  it('says where it looked and how to name a browser when there is none', async () => {
    const options = { platform: 'darwin', downloadedBrowser: '/cache/puppeteer/chrome' } as const;
    const failure = await findBrowser(machine([], options)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_CANNOT_RUN' });
    const { message } = failure as Error;
    expect(message).toContain('CHROME_PATH or PUPPETEER_EXECUTABLE_PATH: not set');
    expect(message).toContain('google-chrome-stable');
    expect(message).toContain('/Applications/Chromium.app');
    expect(message).toContain('/cache/puppeteer/chrome');
    expect(message).toContain('@sparticuz/chromium (Linux, x64): not installed');
    expect(message).toContain('CHROME_PATH=/path/to/chrome');
  });

  it('finds one on this very machine', async () => {
    const { executablePath } = await findBrowser();
    expect(executablePath).not.toBe('');
  });
});

describe('how a browser is launched', () => {
  const environment = {};

  it.each([
    ['/usr/bin/chromium-headless-shell', 'installed', 'shell'],
    ['/opt/chrome-headless-shell-linux64/chrome-headless-shell', 'CHROME_PATH', 'shell'],
    ['/tmp/x/chromium', '@sparticuz/chromium', 'shell'],
    ['/usr/bin/google-chrome', 'installed', true],
  ] as const)('%s from %s is launched with headless: %s', (executablePath, source, headless) => {
    expect(launchOptions({ executablePath, source, environment }).headless).toBe(headless);
  });

  it('never puts all processes into one', () => {
    const { args } = launchOptions({ executablePath: '/x', source: '@sparticuz/chromium', environment });
    expect(args).not.toContain('--single-process');
    expect(args).toContain('--no-sandbox');
  });

  it('keeps our environment and adds what the browser needs', () => {
    const browser = {
      executablePath: '/x',
      source: 'installed',
      environment: { FONTCONFIG_PATH: '/f' },
    } as const;
    expect(launchOptions(browser).env).toEqual({ ...process.env, FONTCONFIG_PATH: '/f' });
  });
});

const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64';
describe('the bundled Chromium', lacking(isLinuxX64 ? undefined : 'it is for Linux on x64'), () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });

  it('is whole for each of two that unpack it at once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'browser-finder-test-'));
    folders.push(folder);
    // Each unpacks all of it, which takes seconds.
    const unpacked = await Promise.all([1, 2].map(() => inflateBundledChromium(folder)));
    const [first] = unpacked;
    expect(first).toBeDefined();
    expect(unpacked).toEqual([first, first]);
    const env = { ...process.env, ...first?.environment };
    const version = execFileSync(first?.executablePath ?? '', ['--version', '--no-sandbox'], {
      env,
      encoding: 'utf8',
    });
    expect(version).toMatch(/Chrom|Headless/);
  });

  it('is refused in words where it cannot be unpacked, and nothing of it is left', async () => {
    await expect(inflateBundledChromium('/no/such/folder')).rejects.toMatchObject({
      code: 'ERR_CANNOT_RUN',
      message: expect.stringMatching(/^@sparticuz\/chromium cannot be unpacked: ENOENT/),
    });

    using copy = new InstalledCopy();
    copy.link('project', 'puppeteer-core');
    const broken = `{ executablePath() { throw new Error('the archive is cut short'); } }`;
    copy.make('installation', '@sparticuz/chromium', broken, 'build/esm/index.js');
    const temporary = join(copy.folder, 'temporary');
    mkdirSync(temporary);
    const env = { PATH: '', CHROME_PATH: '', PUPPETEER_EXECUTABLE_PATH: '', TMPDIR: temporary };
    const { exitCode, stderr } = await copy.run(['demo'], { env });
    expect(stderr).toContain('@sparticuz/chromium cannot be unpacked: ');
    expect(stderr).toContain('the archive is cut short');
    expect(exitCode).toBe(2);
    expect(readdirSync(temporary)).toEqual([]);
  });

  const notRoot = process.getuid?.() === 0 ? undefined : 'only root can give a file to somebody else';
  it('is not taken from a folder of another user’s', lacking(notRoot), async () => {
    const folder = mkdtempSync(join(tmpdir(), 'browser-finder-test-'));
    folders.push(folder);
    const { executablePath } = (await inflateBundledChromium()) ?? { executablePath: '' };
    const planted = join(folder, basename(dirname(executablePath)));
    mkdirSync(planted);
    writeFileSync(join(planted, 'chromium'), '', { mode: 0o755 });
    chownSync(planted, 12_345, 12_345);
    await expect(inflateBundledChromium(folder)).rejects.toThrow(`${planted} belongs to another user`);
  });
});
