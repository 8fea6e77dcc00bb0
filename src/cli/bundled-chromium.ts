/**
 * The Chromium that `@sparticuz/chromium` carries as compressed files: unpacked once for each version, into a folder of the
 * user's own below the temp dir. Invariant: that folder appears whole or not at all. The package itself writes straight to
 * `<temp dir>/chromium` and takes an existing file for a finished one, so that two processes that start together would
 * launch half a browser. So it is unpacked into a folder that no other process knows, and that folder is renamed.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, lstat, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { CannotRunError } from './cannot-run-error.ts';

export interface BundledChromium {
  readonly executablePath: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Unpacks the bundled Chromium, or finds it unpacked. Many processes may call it at once: each unpacks for itself, and the
 * first to finish wins.
 *
 * @returns `undefined` where the package is not installed.
 * @throws {CannotRunError} when it is installed but cannot be unpacked.
 */
export async function inflateBundledChromium(
  temporaryFolder: string = tmpdir(),
): Promise<BundledChromium | undefined> {
  const entry = resolvePackage();
  if (entry === undefined) return undefined;
  try {
    const name = `cdp-release-batcher-${process.getuid?.() ?? 'user'}-chromium-${await packageVersion(entry)}`;
    const folder = join(temporaryFolder, name);
    if (!(await isUnpacked(folder))) await unpackInto(folder, entry);
    await assertOwn(folder);
    return {
      executablePath: join(folder, 'chromium'),
      // The shared libraries and the font that a machine with nothing but Node may lack.
      environment: {
        LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'),
        FONTCONFIG_PATH: join(folder, 'fonts'),
      },
    };
  } catch (cause) {
    throw new CannotRunError(`@sparticuz/chromium cannot be unpacked: ${(cause as Error).message}`, {
      cause,
    });
  }
}

function resolvePackage(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('@sparticuz/chromium');
  } catch {
    return undefined;
  }
}

async function packageVersion(entry: string): Promise<string> {
  const manifest = await readFile(join(dirname(entry), '..', '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function isUnpacked(folder: string): Promise<boolean> {
  try {
    await access(join(folder, 'chromium'), constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function unpackInto(folder: string, entry: string): Promise<void> {
  const staging = await mkdtemp(`${folder}-`);
  try {
    // In a process of its own: the package takes its target from the environment (TMPDIR), and unpacks the shared libraries
    // only where the environment looks like a Lambda's.
    await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', UNPACK, pathToFileURL(entry).href],
      { env: { ...process.env, NODE_OPTIONS: '', TMPDIR: staging, AWS_LAMBDA_JS_RUNTIME: 'nodejs20.x' } },
    );
    await writeFile(join(staging, 'fonts', 'fonts.conf'), fontConfiguration(folder));
    await rename(staging, folder);
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    // Another process was first: a folder cannot be renamed to one that is not empty.
    if (!(await isUnpacked(folder))) throw error;
  }
}

const UNPACK = `
const { default: chromium } = await import(process.argv[1]);
await (chromium.default ?? chromium).executablePath();
`;

/**
 * The package's own configuration looks for fonts in a Lambda's folders. If it finds none, Chromium ends with the first
 * form control that it has to draw.
 */
function fontConfiguration(folder: string): string {
  const escaped = folder.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${escaped}/fonts/fonts</dir>
  <cachedir>${escaped}/fonts/cache</cachedir>
</fontconfig>
`;
}

/** All users share the temp dir: only files that this user has put there are executed. */
async function assertOwn(folder: string): Promise<void> {
  const { uid } = await lstat(folder);
  if (process.getuid && uid !== process.getuid()) throw new Error(`${folder} belongs to another user`);
}
