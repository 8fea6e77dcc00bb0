/**
 * Runs one script, and measures it from outside: a clock before, a clock after, and nothing between. The process is
 * started, Puppeteer is loaded and connected to the bench's browser before the clock runs, plain or attached alike. The
 * import of the library stands in a table of its own. The call of `attach` and the first page belong to the script.
 */
import { pathToFileURL } from 'node:url';
import type { BrowserLike } from '../../src/clients/puppeteer/structure.ts';
import { monotonicNow } from '../../src/timers.ts';
import type { Workshop } from '../sampling/measurement.ts';
import { closeAllPages, openPage } from '../sampling/open-pages.ts';
import type { BenchPage } from '../sampling/puppeteer-structure.ts';
import type { Sample } from '../sampling/sample.ts';
import { SCRIPTS, type Script, type ScriptPage } from './scripts.ts';

export const VARIANTS = ['puppeteer', 'attached'] as const;
export type ScriptVariant = (typeof VARIANTS)[number];

interface Library {
  attach(browser: BrowserLike): { stats(): { readonly commands: number } };
}

/** To compare two builds: another's `dist/clients/puppeteer/index.js`, which the scripts are attached by. */
const OTHER_LIBRARY = process.env.CDP_BENCH_LIBRARY;

async function loadLibrary(): Promise<Library> {
  if (OTHER_LIBRARY !== undefined) return import(pathToFileURL(OTHER_LIBRARY).href);
  return import('../../src/clients/puppeteer/index.ts');
}

/** @param id of a measurement, `scripts/attached-evaluate`. */
export function scriptOf(id: string): { readonly script: Script; readonly variant: ScriptVariant } {
  for (const variant of VARIANTS) {
    const script = SCRIPTS.find(({ name }) => id === `scripts/${variant}-${name}`);
    if (script !== undefined) return { script, variant };
  }
  throw new Error(`no script is called ${id}`);
}

export async function runScript(
  { puppeteer, browserWSEndpoint }: Workshop,
  variant: ScriptVariant,
  { run, liveBytes = 0 }: Script,
  count: number,
): Promise<Sample> {
  const library = variant === 'attached' ? await loadLibrary() : undefined;
  const browser = await puppeteer.connect({ browserWSEndpoint, defaultViewport: null });
  const newPage = (): Promise<ScriptPage> => openPage(browser) as Promise<BenchPage & ScriptPage>;
  const live = objectsOf(liveBytes);

  const cpu = process.cpuUsage();
  const startedAt = monotonicNow();
  const releases = library?.attach(browser);
  await run({ newPage }, count);
  const elapsedMs = monotonicNow() - startedAt;
  const { user, system } = process.cpuUsage(cpu);

  const commands = releases?.stats().commands ?? 0;
  const rssBytes = process.memoryUsage.rss();
  live.length = 0; // Kept until here.
  await closeAllPages();
  await browser.disconnect();
  return { handles: count, elapsedMs, cpuMicroseconds: user + system, commands, rssBytes, mustLetGo: false };
}

const BYTES_OF_SMALL_OBJECT = 100;

/** Objects as a program's own data are: small, many, and leading to each other. */
function objectsOf(bytes: number): object[] {
  const objects: object[] = [];
  for (let index = 0; index < bytes / BYTES_OF_SMALL_OBJECT; index++) {
    objects.push({ index, name: `object ${index}`, before: objects[index - 1] });
  }
  return objects;
}
