/** Each example runs from a copied folder, as it would be pasted; what it prints tells that it leaves nothing that it should not. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import { type CopiedExamples, copyExamples } from '../support/copied-examples.ts';
import { descendantsOf, runNode } from '../support/processes.ts';
import { sized } from '../support/sized.ts';

const folder = new URL('../../examples/', import.meta.url);
let copied: CopiedExamples;
let env: Record<string, string>;
beforeAll(async () => {
  copied = await copyExamples();
  // For those that speak to a browser that somebody has started.
  const browser = await launchChromium();
  env = { ...copied.env, PORT: new URL(browser.wsEndpoint()).port };
});
afterAll(() => copied.remove());

/** The numbers that an example prints, by a pattern with one group for each. */
function numbersIn(stdout: string, pattern: RegExp): number[] {
  const [, ...numbers] = pattern.exec(stdout) ?? [];
  expect(numbers, stdout).not.toEqual([]);
  return numbers.map(Number);
}

/** The value of one of OpenTelemetry's metrics, as its console exporter prints it; the last one printed. */
function exported(stdout: string, name: string, attribute = ''): number {
  const metric = stdout.slice(stdout.lastIndexOf(`name: '${name}'`));
  const point = metric.slice(metric.indexOf(attribute));
  return Number(/value: (\d+)/.exec(point)?.[1]);
}

/** What is wrong where there is more left than what was minted since the last collection. */
const CHECKS: Record<string, (stdout: string) => void> = {
  'attach.mjs': (stdout) => {
    const [minted = 0, live = 0] = numbersIn(stdout, /^(\d+) remote objects.* (\d+) are left$/m);
    expect(minted).toBeGreaterThanOrEqual(4_000);
    expect(live).toBeLessThan(minted / 2);
    expect(stdout).toMatch(/of kind \w+ forgotten at attach\.mjs:\d+/);
  },
  'bare-websocket.mjs': (stdout) => {
    const [minted = 0, live = 0] = numbersIn(stdout, /^(\d+) remote objects[\s\S]* (\d+) are left$/m);
    expect(minted).toBe(4_000);
    expect(live).toBeLessThan(minted / 2);
  },
  'batcher.mjs': (stdout) => {
    const [released = 0, commands = 0] = numbersIn(stdout, /^(\d+) of 1000 released, in (\d+) commands$/m);
    expect(released).toBe(1_000);
    expect(commands).toBe(1_000);
  },
  'chrome-remote-interface.mjs': (stdout) => {
    const [minted = 0, live = 0] = numbersIn(stdout, /^(\d+) remote objects.* (\d+) are left$/m);
    expect(live).toBeLessThan(minted / 2);
    expect(stdout).toContain('the one that is held still works: true');
  },
  'farm.mjs': (stdout) => {
    expect(stdout).toContain('0 jobs are left to others; 0 releases went wrong, 0 handles live');
  },
  'node-inspector.mjs': (stdout) => {
    const [minted = 0, released = 0] = numbersIn(stdout, /^(\d+) remote objects, of which (\d+)/m);
    expect(minted).toBeGreaterThanOrEqual(5_001);
    expect(released).toBeGreaterThan(4_000);
    expect(stdout).toContain('the one that is held still has its member: true');
  },
  'opentelemetry.mjs': (stdout) => {
    expect(exported(stdout, 'cdp.handles.minted')).toBe(50);
    expect(exported(stdout, 'cdp.handles.dropped', "'disposed'")).toBe(50);
    expect(exported(stdout, 'cdp.handles.ended', "'released'")).toBe(50);
    expect(exported(stdout, 'cdp.handles.live')).toBe(0);
  },
  'playwright.mjs': (stdout) => {
    const [prices, released = 0, live = 0] = numbersIn(
      stdout,
      /^(\d+) prices read; of \d+ handles (\d+) were released by \d+ commands, (\d+) are left$/m,
    );
    expect(prices).toBe(500);
    expect(released).toBeGreaterThan(1_000);
    expect(live).toBeLessThan(20); // What Playwright itself keeps of each page is alive as long as the page.
  },
  'scope.mjs': (stdout) => {
    const [prices = 0, commands = 0] = numbersIn(stdout, /^(\d+) prices read by handles that cost (\d+)/m);
    expect(prices).toBe(1_000);
    // Of one for each it cost that many; on a busy machine a part of them is sent before their group is whole.
    expect(commands).toBeLessThan(prices);
    expect(stdout).toContain('the escaped one still works: 5 €');
  },
};

/** It runs until it is told to end. */
const SERVER = 'prometheus.mjs';
/** What these show is tested elsewhere by `npm test`; the farm below, until it is told to end. */
const LONG = sized(
  ['attach.mjs', 'batcher.mjs', 'chrome-remote-interface.mjs', 'farm.mjs', 'playwright.mjs'],
  [],
);
const checked = Object.entries(CHECKS).filter(([name]) => !LONG.includes(name));

it('each of them has a check', () => {
  const examples = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  expect([...Object.keys(CHECKS), SERVER].sort()).toEqual(examples.sort());
});

it.each(checked)('%s leaves nothing that it should not', { timeout: 240_000 }, async (name, check) => {
  const { stdout, stderr, ...ended } = await runNode([...copied.preload, join(copied.folder, name)], {
    env,
  });
  expect(ended, stdout + stderr).toEqual({ code: 0, signal: null });
  check(stdout);
});

it(`${SERVER} is scraped as it runs, and ends at SIGTERM`, { timeout: 240_000 }, async () => {
  let scraping: Promise<string[]> | undefined;
  const { code, stderr } = await runNode([...copied.preload, join(copied.folder, SERVER)], {
    env: { ...copied.env, PORT: '0' },
    onPrinted: (stdout, child) => {
      const [, address = ''] = /^metrics at (\S+)$/m.exec(stdout) ?? [];
      const read = async (): Promise<string> => (await fetch(address)).text();
      scraping ??= expect
        .poll(read, { timeout: 60_000 })
        .toContain('cdp_handles_ended_total{browser="main",outcome="released"} 50')
        .then(() => Promise.all([read(), read()])) // Read anew, not added up.
        .finally(() => child.kill('SIGTERM'));
    },
  });
  expect(code, stderr).toBe(0);
  for (const text of (await scraping) ?? []) {
    expect(text).toContain('cdp_handles_minted_total{browser="main"} 51');
    expect(text).toContain('cdp_handles_ended_total{browser="main",outcome="released"} 50');
    expect(text).toContain('cdp_handles_live{browser="main"} 1');
  }
});

/** One that has ended, and that nobody has asked about yet, runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

it.each([
  [SERVER, /^metrics at/],
  ['farm.mjs', /^12 jobs are left to others; 0 releases went wrong, 0 handles live$/m],
])('%s ends well at a SIGTERM that comes as it launches', async (name, printed) => {
  const told = ['--import', new URL('told-as-it-launches.mjs', import.meta.url).href];
  const { stdout, stderr, ...ended } = await runNode(
    [...copied.preload, ...told, join(copied.folder, name)],
    { env: { ...copied.env, PORT: '0' } },
  );
  expect(ended, stdout + stderr).toEqual({ code: 0, signal: null });
  expect(stdout).toMatch(printed);
});

it('a worker that gets SIGTERM finishes the jobs in hand, begins none, and leaves no browser', async () => {
  let pid = 0;
  let browsers: number[] = [];
  const { code, signal, stdout } = await runNode(
    [...copied.preload, join(copied.folder, 'farm.mjs'), '500'],
    {
      env: copied.env,
      onPrinted: (printed, child) => {
        if (pid !== 0 || !printed.includes('done ')) return;
        pid = child.pid ?? 0;
        browsers = descendantsOf(pid);
        child.kill('SIGTERM');
      },
    },
  );
  expect({ code, signal }).toEqual({ code: 0, signal: null });
  const numbers = (word: string) =>
    [...stdout.matchAll(new RegExp(`^${word} (\\d+)$`, 'gm'))].map(([, number]) => Number(number)).sort();
  expect(numbers('done')).toEqual(numbers('begun'));
  expect(stdout).toMatch(/^4\d\d jobs are left to others; 0 releases went wrong, 0 handles live$/m);
  expect(browsers.length).toBeGreaterThan(0);
  await expect.poll(() => browsers.filter(isRunning)).toEqual([]);
});
