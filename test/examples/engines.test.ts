/**
 * The engines that farms run on, each over the same shop. The examples are what one would paste; what counts the objects that have
 * outlived their job stands in measured-shop.mjs, which takes the place of their shop. Run without this library they must leave
 * something: else the measure would not see a leak at all.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type CopiedExamples, copyExamples } from '../support/copied-examples.ts';
import { lacking } from '../support/lacking.ts';
import { descendantsOf, endsWithTest, killWithDescendants, runNode } from '../support/processes.ts';
import { noRedis, type Redis, startRedis } from '../support/redis.ts';
import { sized } from '../support/sized.ts';

/** Of what a cluster gives each job, `npm test` takes a context: in between a page and a browser. */
const ENGINES: [name: string, args: string[]][] = [
  ['crawlee', []],
  ['puppeteer-cluster', ['context']],
  ...sized<[string, string[]][]>(
    [],
    [
      ['puppeteer-cluster', ['page']],
      ['puppeteer-cluster', ['browser']],
    ],
  ),
  ['puppeteer-extra', []],
];
/** Run without this library, too: of the 120 objects 60 to 100 are alive then. */
const CONTROLLED = sized<readonly string[]>([], ['crawlee', 'puppeteer-cluster', 'puppeteer-extra']);
const EXAMPLES = ['crawlee', 'puppeteer-cluster', 'puppeteer-extra', 'bullmq-worker'];

/** Enough for each page to be opened behind one that was closed, and for crawlee to replace its browser in the whole size. */
const PAGES = sized(6, 50);
const ROWS = 10;
/** What the prices of all pages come to: an engine that was everywhere, once, finds this. */
const TOTAL = ROWS * ((PAGES * (PAGES - 1)) / 2) + PAGES * ((ROWS * (ROWS - 1)) / 2);

let copied: CopiedExamples;
let env: Record<string, string>;
const fileOf = (name: string): string => join(copied.folder, 'engines', name);
beforeAll(async () => {
  copied = await copyExamples();
  await rename(fileOf('shop.mjs'), fileOf('shop-as-written.mjs'));
  await copyFile(new URL('./measured-shop.mjs', import.meta.url), fileOf('shop.mjs'));
  env = { ...copied.env, PAGES: String(PAGES) };
  for (const name of EXAMPLES) {
    const text = await readFile(fileOf(`${name}.mjs`), 'utf8');
    const plain = text
      .replace('withReleases(puppeteer)', 'puppeteer')
      .replace('.use(releases())', '')
      .replace(/\battach\(\w.*?\);/, '{ flush() {}, stats: () => ({}) };');
    expect(plain).not.toBe(text);
    await writeFile(fileOf(`${name}-plain.mjs`), plain);
  }
});
afterAll(() => copied.remove());

/** What measured-shop.mjs prints as a process ends. */
function measured(stdout: string): {
  pages: number;
  made: number;
  alive: number;
  stats: Record<string, number>;
} {
  const [, text = '{}'] = /^MEASURED (.*)$/m.exec(stdout) ?? [];
  return JSON.parse(text);
}

/** Nothing that was made has outlived its job, and each handle is accounted for. */
function expectNothingLeft(stdout: string): void {
  const { alive, made, pages, stats } = measured(stdout);
  const { minted = 0, released = 0, gone = 0, elided = 0 } = stats;
  expect({ alive, made }).toEqual({ alive: 0, made: 20 * pages });
  expect(minted).toBeGreaterThan(20 * pages);
  expect(stats).toMatchObject({ live: 0, failed: 0, timedOut: 0, dropped: 0, queued: 0, inFlight: 0 });
  expect(released + gone + elided).toBe(minted);
}

describe.each(ENGINES)('%s %s', { timeout: 240_000 }, (engine, args) => {
  it('crawls the shop, and nothing leaks', async () => {
    const { code, stdout, stderr } = await runNode([...copied.preload, fileOf(`${engine}.mjs`), ...args], {
      env,
    });
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain(`prices come to ${TOTAL}`);
    if (engine === 'puppeteer-extra') expect(stdout).toContain('stealth at work in 3 of 3 tabs');
    expect(measured(stdout).pages).toBe(PAGES);
    expectNothingLeft(stdout);
  });

  if (!CONTROLLED.includes(engine)) return;
  it('leaks where it runs without this library', async () => {
    const { code, stdout, stderr } = await runNode(
      [...copied.preload, fileOf(`${engine}-plain.mjs`), ...args],
      {
        env: { ...env, PLAIN: 'yes', PAGES: '6' },
      },
    );
    expect(code, stdout + stderr).toBe(0);
    expect(measured(stdout).alive).toBeGreaterThan(20); // How many depends on when each page collects.
  });
});

describe('bullmq', { ...lacking(noRedis), timeout: 240_000 }, () => {
  let redis: Redis | undefined;
  beforeAll(async () => {
    if (noRedis === undefined) redis = await startRedis();
  });
  afterAll(() => redis?.stop());

  /** A worker in a process of its own, once it takes jobs. */
  async function startWorker(more: Record<string, string> = {}) {
    const worker: ChildProcess = endsWithTest(
      spawn(process.execPath, [...copied.preload, fileOf('bullmq-worker.mjs')], {
        env: { ...process.env, ...env, REDIS_URL: redis?.url ?? '', ...more },
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    let stdout = '';
    worker.stdout?.on('data', (text) => {
      stdout += String(text);
    });
    const lines = (word: string): string[] =>
      [...stdout.matchAll(new RegExp(`^${word} (.*)$`, 'gm'))].map(([, rest = '']) => rest);
    await expect.poll(() => stdout, { timeout: 60_000 }).toContain('ready\n');
    return { worker, lines, printed: () => stdout };
  }

  const fillQueue = () =>
    runNode([...copied.preload, fileOf('bullmq.mjs')], { env: { ...env, REDIS_URL: redis?.url ?? '' } });

  it('several workers share the jobs, end at SIGTERM with the jobs in hand done, and nothing leaks', async () => {
    const workers = await Promise.all([startWorker(), startWorker()]);
    const [first, second] = workers;
    const filled = fillQueue();
    await expect.poll(() => first?.lines('begun').length, { timeout: 60_000 }).toBeGreaterThan(0);
    first?.worker.kill('SIGTERM');
    const { code, stdout, stderr } = await filled;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`prices come to ${TOTAL}`);
    second?.worker.kill('SIGTERM');
    for (const { worker, lines, printed } of workers) {
      if (worker.exitCode === null) await once(worker, 'exit');
      expect([worker.exitCode, worker.signalCode]).toEqual([0, null]);
      expect(lines('done').sort()).toEqual(lines('begun').sort());
      expectNothingLeft(printed());
    }
    const done = workers.flatMap(({ lines }) => lines('done'));
    expect(new Set(done).size).toBe(PAGES);
    expect(done).toHaveLength(PAGES);
  });

  it('the jobs of a worker that is killed in the middle are done by another; its browser stays', async () => {
    // Locks that expire at once, so that nobody has to wait for half a minute.
    const text = await readFile(fileOf('bullmq-worker.mjs'), 'utf8');
    await writeFile(
      fileOf('bullmq-worker.mjs'),
      text.replace('lockDuration: 30_000', 'lockDuration: 1_000, stalledInterval: 500'),
    );
    onTestFinished(() => writeFile(fileOf('bullmq-worker.mjs'), text));

    const killed = await startWorker({ HOLD: 'yes' });
    const filled = fillQueue();
    await expect.poll(() => killed.lines('begun').length, { timeout: 60_000 }).toBe(2);
    const browsers = descendantsOf(killed.worker.pid ?? 0);
    killed.worker.kill('SIGKILL');
    await once(killed.worker, 'exit');
    const isAlive = browsers.some((pid) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    });
    onTestFinished(() => {
      for (const pid of browsers) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // It has ended meanwhile.
        }
      }
    });
    expect(isAlive).toBe(true);

    const other = await startWorker();
    const { code, stdout, stderr } = await filled;
    expect(code, stderr).toBe(0);
    expect(stdout).toContain(`prices come to ${TOTAL}`);
    const done = other.lines('done');
    expect(done.sort()).toEqual([...new Set(done)]);
    expect(done).toHaveLength(PAGES);
    expect(done).toEqual(expect.arrayContaining(killed.lines('begun')));
    killWithDescendants(other.worker);
  });
});
