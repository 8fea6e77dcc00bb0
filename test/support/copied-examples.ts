/**
 * The examples as somebody has them who copied their folder: beside what he installed, with nothing of this repository in reach.
 */
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromiumLaunchOptions } from './chromium.ts';
import { PACKAGE } from './script.ts';

export interface CopiedExamples {
  readonly folder: string;
  /** For a process that runs one. */
  readonly env: Readonly<Record<string, string>>;
  /** Node's arguments before the example's: what launches a browser launches the one that is here. */
  readonly preload: readonly string[];
  remove(): Promise<void>;
}

export async function copyExamples(): Promise<CopiedExamples> {
  const project = await mkdtemp(join(tmpdir(), 'copied-examples-'));
  const folder = join(project, 'examples');
  await cp(join(PACKAGE, 'examples'), folder, { recursive: true });
  const installed = join(project, 'node_modules');
  await mkdir(installed);
  for (const name of await readdir(join(PACKAGE, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(PACKAGE, 'node_modules', name), join(installed, name));
  }
  await symlink(PACKAGE, join(installed, 'cdp-release-batcher'));
  return {
    folder,
    preload: ['--import', new URL('../examples/launches-here.mjs', import.meta.url).href],
    env: { LAUNCH_OPTIONS: JSON.stringify(await chromiumLaunchOptions()) },
    remove: () => rm(project, { recursive: true, force: true }),
  };
}
