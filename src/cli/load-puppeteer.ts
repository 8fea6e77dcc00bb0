/**
 * Finds the user's Puppeteer. It is no dependency of ours: whichever copy the project in the working
 * directory has is taken, `puppeteer` before `puppeteer-core`, then one that is installed beside this
 * package.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { CannotRunError } from './cannot-run-error.ts';

/** The members of Puppeteer that the command line uses. */
export interface Puppeteer<Browser> {
  launch(options: object): Promise<Browser>;
  executablePath?(): string | Promise<string>;
}

export interface LoadedPuppeteer<Browser> {
  /** Name and version, for people. */
  readonly name: string;
  readonly puppeteer: Puppeteer<Browser>;
  /** Where it keeps the browser that it downloads, whether it did or not. */
  readonly downloadedBrowser: string | undefined;
}

const PACKAGES = ['puppeteer', 'puppeteer-core'] as const;

/** @throws {CannotRunError} when there is none. */
export async function loadPuppeteer<Browser>(): Promise<LoadedPuppeteer<Browser>> {
  const requires = [createRequire(join(process.cwd(), 'any.js')), createRequire(import.meta.url)];
  for (const name of PACKAGES) {
    for (const require of requires) {
      const entry = resolve(require, name);
      if (entry === undefined) continue;
      const puppeteer = unwrap<Puppeteer<Browser>>(await import(pathToFileURL(entry).href));
      const { version } = JSON.parse(await readFile(require.resolve(`${name}/package.json`), 'utf8'));
      const downloadedBrowser = await browserDownloadedBy(puppeteer);
      return { name: `${name} ${version}`, puppeteer, downloadedBrowser };
    }
  }
  throw new CannotRunError(
    [
      'Neither puppeteer nor puppeteer-core was found, in the working directory or beside this package.',
      'Add one:  npm install --save-dev puppeteer',
    ].join('\n'),
  );
}

function resolve(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name);
  } catch {
    return undefined;
  }
}

/** Versions up to 24 resolve to CommonJS here, where `import` puts the default export one level deeper. */
function unwrap<Module>(module: { readonly default: Module & { readonly default?: Module } }): Module {
  return module.default.default ?? module.default;
}

async function browserDownloadedBy(puppeteer: Puppeteer<unknown>): Promise<string | undefined> {
  try {
    return await puppeteer.executablePath?.();
  } catch {
    return undefined; // puppeteer-core downloads nothing, and says so.
  }
}
