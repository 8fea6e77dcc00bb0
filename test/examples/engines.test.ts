/**
 * The engines that farms run on, each over the same shop. Each example counts in its pages what outlived
 * the job that made it, checks the counters of all its browsers against each other, and exits with 1 if anything is
 * left. Run plainly, without this library, it must find something left: else it would not see a leak at all.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CopiedExamples, copyExamples } from '../support/copied-examples.ts';
import { lacking } from '../support/lacking.ts';
import { type ProcessRun, runNode } from '../support/processes.ts';
import { sized } from '../support/sized.ts';

const ENGINES = ['crawlee', 'puppeteer-cluster', 'puppeteer-extra', 'bullmq'] as const;
/** As many reports as an example makes: puppeteer-cluster has three models. */
const REPORTS = { crawlee: 1, 'puppeteer-cluster': 3, 'puppeteer-extra': 1, bullmq: 1 } as const;

/** Run plainly too, to see that the example would see a leak: all count by the same lines of `site.mjs`. */
const CONTROLLED = sized<readonly string[]>([], ENGINES);

const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
/**
 * The least: enough for each page to be opened behind one that was closed, and for crawlee to replace its browser. Run plainly,
 * they leak 60 to 100 of the 120 objects.
 */
const PAGES = sized(6, 50);
const CLEAN = new RegExp(`: ${PAGES} pages, ${20 * PAGES} objects made in them, 0 of these leaked`, 'g');

let copied: CopiedExamples;
beforeAll(async () => {
  copied = await copyExamples();
});
afterAll(() => copied.remove());

const run = (engine: string, ...args: string[]): Promise<ProcessRun> =>
  runNode([join(copied.folder, 'engines', `${engine}.mjs`), ...args], { env: copied.env });

describe.each(ENGINES)('%s', { timeout: 240_000 }, (engine) => {
  const missing = engine === 'bullmq' && !hasRedis ? 'no redis-server is installed' : undefined;
  const runs = (name: string, test: () => Promise<void>): void => it(name, lacking(missing), test);

  runs('crawls the shop, and nothing leaks', async () => {
    const { code, stdout, stderr } = await run(engine, `--pages=${PAGES}`);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout.match(CLEAN)).toHaveLength(REPORTS[engine]);
    if (engine === 'bullmq') expect(stdout).toMatch(/3 worker processes, which did \d+ \+ \d+ \+ \d+ pages/);
  });

  if (!CONTROLLED.includes(engine)) return;
  runs('leaks where it runs without this library', async () => {
    const { code, stdout, stderr } = await run(engine, `--pages=${sized(6, 12)}`, '--plain');
    expect(code, stdout + stderr).toBe(1);
    const leaked = Number(/ (\d+) of these leaked/.exec(stdout)?.[1]);
    expect(leaked).toBeGreaterThan(20); // How many depends on when each page collects.
  });
});
