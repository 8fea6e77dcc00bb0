/**
 * The documents' examples of work done once, as they stand there: each is run, with what it leaves to the reader
 * put before it and a look at what came of it behind, and all are type-checked.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeBlocks } from '../support/documents.ts';
import { PACKAGE, runScript } from '../support/script.ts';

interface Example {
  /** What the one code block calls that this is about. */
  readonly shows: string;
  readonly before: string;
  readonly behind: string;
  /** What `behind` prints, as JSON. */
  readonly expected: unknown;
}

const examples: readonly Example[] = [
  {
    shows: 'initWithLock',
    before: `
      interface Database { close(): Promise<void> }
      let opens = 0;
      const openDatabase = async (): Promise<Database> => {
        opens++;
        return { close: async () => {} };
      };`,
    behind: `
      const databases = new Set(await Promise.all([getDatabase(), getDatabase(), getDatabase()]));
      console.log(JSON.stringify({ opens, databases: databases.size, isKept: database !== undefined && databases.has(database) }));`,
    expected: { opens: 1, databases: 1, isKept: true },
  },
  {
    shows: 'guardInFlight',
    before: `
      const crawled: string[] = [];
      const crawl = async (url: string, signal: AbortSignal): Promise<string> => {
        crawled.push(url);
        if (url === 'fails') throw new Error(url);
        if (url === 'hangs') await new Promise(() => {});
        return signal.aborted ? 'aborted' : 'text';
      };`,
    behind: `
      const controller = new AbortController();
      const texts = await Promise.all(['a', 'a', 'b'].map((url) => crawlOnce(url, controller.signal)));
      const failed = await crawlOnce('fails', controller.signal).catch((error) => error.message);
      const hung = crawlOnce('hangs', controller.signal).catch((error) => error.name);
      const held = [...claimed];
      controller.abort();
      console.log(JSON.stringify({ texts, failed, hung: await hung, held, claimed: [...claimed], crawled }));`,
    expected: {
      texts: ['text', null, 'text'],
      failed: 'fails',
      hung: 'AbortError',
      held: ['hangs'],
      claimed: [],
      crawled: ['a', 'b', 'fails', 'hangs'],
    },
  },
  {
    shows: 'LazySlot',
    before: `
      interface Rates { readonly date: number }
      let fetches = 0;
      const fetchRates = async (previous: Rates | undefined): Promise<Rates> => {
        fetches++;
        return { date: (previous?.date ?? 0) + 1 };
      };`,
    behind: `
      console.log(JSON.stringify({ current, isKept: (await rates.get()) === current, fetches }));`,
    expected: { current: { date: 1 }, isKept: true, fetches: 1 },
  },
  {
    shows: 'lazyBrowser',
    before: `
      import core from 'puppeteer-core';
      const launchOptions = JSON.parse(process.env.TEST_LAUNCH_OPTIONS ?? '');
      const puppeteer = { launch: (options: object) => core.launch({ ...launchOptions, ...options }) };`,
    behind: `
      const title = await page.title();
      await (await getBrowser()).close();
      console.log(JSON.stringify({ title, launches, replacedLaunches, discardedBrowsers, waiting, waited }));`,
    expected: { title: '', launches: 1, replacedLaunches: 0, discardedBrowsers: 0, waiting: 0, waited: 0 },
  },
];

let folder: string;
let complaints: string;
beforeAll(async () => {
  const places = ['docs/single-flight.md', 'docs/clients.md'];
  const blocks = (await Promise.all(places.map(codeBlocks))).flat().map(({ text }) => text);
  // Within the package, so that its own name resolves; and nobody looks into all of build, or copies it.
  folder = await mkdtemp(join(PACKAGE, 'build', 'work-done-once-'));
  for (const { shows, before, behind } of examples) {
    const own = blocks.filter((text) => text.includes(`${shows}(`) || text.includes(`${shows}<`));
    expect(own, `the one block that calls ${shows}`).toHaveLength(1);
    await writeFile(join(folder, `${shows}.mts`), `${before}\n${own[0]}\n${behind}\n`);
  }
  const compilerOptions = {
    noEmit: false,
    noUnusedLocals: false,
    declaration: false,
    isolatedDeclarations: false,
  };
  const config = { extends: '../../tsconfig.json', compilerOptions, include: ['*.mts'] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const tsc = join(PACKAGE, 'node_modules', '.bin', 'tsc');
  const { stdout } = await promisify(execFile)(tsc, ['-p', folder]).catch((failure) => failure);
  complaints = stdout;
});
afterAll(() => rm(folder, { recursive: true }));

test('the examples are right in their types', () => {
  expect(complaints).toBe('');
});

test.each(examples)('the example of $shows runs, and does what it says', async ({ shows, expected }) => {
  const { stdout, stderr, code } = await runScript(
    `await import(${JSON.stringify(pathToFileURL(join(folder, `${shows}.mjs`)).href)});`,
  );
  expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  expect(JSON.parse(stdout)).toEqual(expected);
});
