/**
 * Finds the user's Puppeteer, which is no dependency of ours: the copy of the project in the working directory, `puppeteer`
 * before `puppeteer-core`, then one that is installed beside this package.
 */
import { CannotRunError } from './cannot-run-error.ts';
import { firstInstalled, importPackage } from './load-package.ts';

/** The members of Puppeteer that the command line uses. */
export interface Puppeteer<Browser> {
  launch(options: object): Promise<Browser>;
  executablePath?(): string | Promise<string>;
}

export interface LoadedPuppeteer<Browser> {
  /** Name and version, for people. */
  readonly name: string;
  readonly puppeteer: Puppeteer<Browser>;
  /** The place where it keeps a browser that it downloads. */
  readonly downloadedBrowser: string | undefined;
}

const PACKAGES = ['puppeteer', 'puppeteer-core'] as const;

/** @throws {CannotRunError} when there is none. */
export async function loadPuppeteer<Browser>(): Promise<LoadedPuppeteer<Browser>> {
  const installed = firstInstalled(PACKAGES);
  if (installed === undefined) {
    throw new CannotRunError(
      [
        'Neither puppeteer nor puppeteer-core was found, in the working directory or beside this package.',
        'Add one:  npm install --save-dev puppeteer',
      ].join('\n'),
    );
  }
  const puppeteer = await importPackage<Puppeteer<Browser>>(installed.name);
  const downloadedBrowser = await browserDownloadedBy(puppeteer);
  return { name: `${installed.name} ${installed.version}`, puppeteer, downloadedBrowser };
}

async function browserDownloadedBy(puppeteer: Puppeteer<unknown>): Promise<string | undefined> {
  try {
    return await puppeteer.executablePath?.();
  } catch {
    return undefined; // puppeteer-core downloads nothing, and says so.
  }
}
