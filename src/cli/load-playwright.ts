/** Finds the user's Playwright, which is no dependency of ours: `playwright` before `playwright-core`, where Puppeteer is looked for. */
import { importPackage, packageVersion } from './load-package.ts';

const PACKAGES = ['playwright', 'playwright-core'] as const;

/** The name and version of the Playwright that is installed, `undefined` without one. */
export function playwrightVersion(): string | undefined {
  const found = findPlaywright();
  return found && `${found.name} ${found.version}`;
}

/** @throws Error where none is installed; ask `playwrightVersion` first. */
export async function loadPlaywright<BrowserType>(): Promise<BrowserType> {
  const { name } = findPlaywright() ?? { name: PACKAGES[0] };
  const { chromium } = await importPackage<{ readonly chromium: BrowserType }>(name);
  return chromium;
}

function findPlaywright(): { readonly name: string; readonly version: string } | undefined {
  for (const name of PACKAGES) {
    const version = packageVersion(name);
    if (version !== undefined) return { name, version };
  }
  return undefined;
}
