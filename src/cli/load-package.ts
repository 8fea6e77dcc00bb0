/**
 * Finds packages that are no dependency of ours: first those of the project in the working directory, then those beside
 * this one.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const requires: NodeJS.Require[] = [
  createRequire(join(process.cwd(), 'any.js')),
  createRequire(import.meta.url),
];

/** The version of a package, `undefined` where it is not installed. */
export function packageVersion(name: string): string | undefined {
  const entry = resolvePackage(name);
  for (let folder = entry && dirname(entry); folder !== undefined; folder = parentOf(folder)) {
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      if (manifest.name === name) return manifest.version;
    } catch {
      // Not the package's own folder: go on above it.
    }
  }
  return undefined;
}

/** The first of these packages that is installed, `undefined` where none is. */
export function firstInstalled<Name extends string>(
  names: readonly Name[],
): { readonly name: Name; readonly version: string } | undefined {
  for (const name of names) {
    const version = packageVersion(name);
    if (version !== undefined) return { name, version };
  }
  return undefined;
}

/** @throws Error where the package is not installed; ask `packageVersion` first. */
export async function importPackage<Module>(name: string): Promise<Module> {
  const entry = resolvePackage(name);
  if (entry === undefined) throw new Error(`${name} is not installed`);
  const module = await import(pathToFileURL(entry).href);
  // The default export of CommonJS is one level deeper here, as in Puppeteer up to 24.
  return module.default?.default ?? module.default ?? module;
}

function resolvePackage(name: string): string | undefined {
  for (const require of requires) {
    try {
      return require.resolve(name);
    } catch {
      // Perhaps it is installed beside this package.
    }
  }
  return undefined;
}

function parentOf(folder: string): string | undefined {
  const parent = dirname(folder);
  return parent === folder ? undefined : parent;
}
