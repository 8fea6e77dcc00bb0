/**
 * Finds the Chromium that demo, bench and tests drive, and how to launch it. The order is fixed: the one that the user
 * names, then an installed one, then the Chromium inside `@sparticuz/chromium`. A browser that the user names is never
 * silently replaced by another.
 */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { posix, win32 } from 'node:path';
import { inflateBundledChromium } from './bundled-chromium.ts';
import { CannotRunError } from './cannot-run-error.ts';

/** A browser that can be launched, and why this one. */
export interface FoundBrowser {
  readonly executablePath: string;
  /** The environment variable that names it, `installed`, or `@sparticuz/chromium`. */
  readonly source: (typeof NAMING_VARIABLES)[number] | 'installed' | typeof BUNDLED_PACKAGE;
  /** Environment variables that the browser needs besides ours. */
  readonly environment: Readonly<Record<string, string>>;
}

/** What `findBrowser` looks at. By default this process and this machine. */
export interface FindBrowserOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
  readonly isExecutableFile?: (path: string) => Promise<boolean>;
  /** The place where Puppeteer puts a browser that it downloads; a browser there counts as installed. */
  readonly downloadedBrowser?: string | undefined;
  /** Resolves to `undefined` where the package is not installed. */
  readonly inflateBundled?: typeof inflateBundledChromium;
}

/** The part of Puppeteer's launch options that depends on the browser. */
export interface LaunchOptions {
  readonly executablePath: string;
  readonly headless: true | 'shell';
  readonly args: string[];
  readonly env: Record<string, string | undefined>;
}

const NAMING_VARIABLES = ['CHROME_PATH', 'PUPPETEER_EXECUTABLE_PATH'] as const;
const BUNDLED_PACKAGE = '@sparticuz/chromium';

// The headless shells come first: same engine, a quarter of the start-up time.
const NAMES_ON_PATH = [
  'chromium-headless-shell',
  'chrome-headless-shell',
  'google-chrome-stable',
  'google-chrome',
  'chrome',
  'chromium',
  'chromium-browser',
];

/**
 * Finds a Chromium to launch.
 *
 * @throws {CannotRunError} when the user names a file that cannot be executed, or when no browser is found. The message
 * lists where it looked, and how to name a browser.
 */
export async function findBrowser(options: FindBrowserOptions = {}): Promise<FoundBrowser> {
  const {
    env = process.env,
    platform = process.platform,
    isExecutableFile = isExecutable,
    inflateBundled = inflateBundledChromium,
  } = options;

  for (const variable of NAMING_VARIABLES) {
    const executablePath = env[variable];
    if (!executablePath) continue;
    if (!(await isExecutableFile(executablePath))) {
      throw new CannotRunError(`${variable} is set to "${executablePath}", which is not an executable file.`);
    }
    return { executablePath, source: variable, environment: {} };
  }

  const downloaded = options.downloadedBrowser === undefined ? [] : [options.downloadedBrowser];
  const installations = [...installationPaths(env, platform), ...downloaded];
  for (const executablePath of [...pathsOnPath(env, platform), ...installations]) {
    if (await isExecutableFile(executablePath)) {
      return { executablePath, source: 'installed', environment: {} };
    }
  }

  const bundled = await inflateBundled();
  if (bundled) return { ...bundled, source: BUNDLED_PACKAGE };

  throw new CannotRunError(
    [
      'No Chrome or Chromium was found. Looked for, in this order:',
      `  - a path in ${NAMING_VARIABLES.join(' or ')}: not set`,
      `  - on the PATH: ${NAMES_ON_PATH.join(', ')}`,
      ...installations.map((path) => `  - ${path}`),
      `  - the npm package ${BUNDLED_PACKAGE} (Linux, x64): not installed`,
      'Name one:    CHROME_PATH=/path/to/chrome npx cdp-release-batcher demo',
      `or add one:  npm install --save-dev ${BUNDLED_PACKAGE}`,
    ].join('\n'),
  );
}

/**
 * How this project launches a browser. The flags are our own, not those that `@sparticuz/chromium` recommends: its
 * `--single-process` lets one crashed page end the whole browser.
 */
export function launchOptions(browser: FoundBrowser): LaunchOptions {
  const isHeadlessShell =
    browser.source === BUNDLED_PACKAGE || /headless[-_]shell/.test(browser.executablePath);
  // Root has no sandbox to enter, and the bundled binary brings no sandbox helper. The pages are our own.
  const isUnsandboxed = process.getuid?.() === 0 || browser.source === BUNDLED_PACKAGE;
  return {
    executablePath: browser.executablePath,
    headless: isHeadlessShell ? 'shell' : true,
    args: [
      ...(isUnsandboxed ? ['--no-sandbox'] : []),
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
      '--disable-quic',
      '--disable-gpu',
    ],
    env: { ...process.env, ...browser.environment },
  };
}

function pathsOnPath(env: NonNullable<FindBrowserOptions['env']>, platform: NodeJS.Platform): string[] {
  const path = platform === 'win32' ? win32 : posix;
  // On Windows it is spelled `Path`, and a copied environment is case-sensitive.
  const folders = (env.PATH ?? env.Path ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const suffix = platform === 'win32' ? '.exe' : '';
  return NAMES_ON_PATH.flatMap((name) => folders.map((folder) => path.join(folder, name + suffix)));
}

function installationPaths(env: NonNullable<FindBrowserOptions['env']>, platform: NodeJS.Platform): string[] {
  switch (platform) {
    case 'darwin':
      return ['Google Chrome', 'Chromium'].flatMap((name) => {
        const bundle = `/Applications/${name}.app/Contents/MacOS/${name}`;
        return env.HOME ? [bundle, posix.join(env.HOME, bundle)] : [bundle];
      });
    case 'win32':
      return [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA]
        .filter((folder) => folder !== undefined)
        .flatMap((folder) => [
          win32.join(folder, 'Google\\Chrome\\Application\\chrome.exe'),
          win32.join(folder, 'Chromium\\Application\\chrome.exe'),
        ]);
    default:
      return []; // On other systems an installed browser is on the PATH.
  }
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
