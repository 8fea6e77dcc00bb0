/**
 * Work done by Playwright, plain or attached, on a page of its own in the bench's browser. Nobody else speaks to that page
 * but the census, and the process has no other client.
 */
import { collectAll } from '../../src/cli/collector.ts';
import { importPackage } from '../../src/cli/load-package.ts';
import { PageCensus } from '../../src/cli/page-census.ts';
import { type AttachOptions, attach, type PlaywrightAttachment } from '../../src/clients/playwright/index.ts';
import type { BrowserLike } from '../../src/clients/playwright/structure.ts';
import { monotonicNow } from '../../src/timers.ts';
import type { Measurement } from '../sampling/measurement.ts';
import type { Sample } from '../sampling/sample.ts';
import { Stopwatch } from '../sampling/stopwatch.ts';
import { settle } from '../work/bulk.ts';

interface Playwright {
  readonly chromium: { connectOverCDP(endpoint: string): Promise<Browser> };
}
interface Browser extends BrowserLike {
  newContext(): Promise<Context>;
  close(): Promise<void>;
}
interface Context {
  newPage(): Promise<Page>;
  newCDPSession(page: Page): Promise<{ send(method: string, params?: object): Promise<unknown> }>;
  close(): Promise<void>;
}
interface Page {
  setContent(html: string): Promise<void>;
  evaluate(expression: string): Promise<unknown>;
  evaluateHandle(expression: string): Promise<Handle>;
  locator(selector: string): Locator;
  on(event: 'console', listener: () => void): unknown;
}
interface Handle {
  getProperties(): Promise<Map<string, Handle>>;
  dispose(): Promise<void>;
}
interface Locator {
  click(): Promise<void>;
  fill(text: string): Promise<void>;
  textContent(): Promise<string | null>;
  evaluate(pageFunction: string): Promise<unknown>;
}

/** What a piece of work has to work with. */
interface Stage {
  readonly page: Page;
  readonly census: PageCensus;
  /** There where it is attached. */
  readonly releases: PlaywrightAttachment | undefined;
}
type Work = (stage: Stage, count: number) => Promise<Omit<Sample, 'handles' | 'commands'>>;

export const PLAYWRIGHT_VARIANTS = ['playwright', 'attached'] as const;
export type PlaywrightVariant = (typeof PLAYWRIGHT_VARIANTS)[number];

const CONTENT = '<button>press</button><input><p>text</p>';

export function byPlaywright(
  variant: PlaywrightVariant,
  work: Work,
  attachOptions: AttachOptions = {},
): Measurement['run'] {
  return async ({ browserWSEndpoint }, count) => {
    const { chromium } = await importPackage<Playwright>('playwright-core');
    const browser = await chromium.connectOverCDP(browserWSEndpoint);
    try {
      const releases = variant === 'attached' ? attach(browser, attachOptions) : undefined;
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.setContent(CONTENT);
      const census = await PageCensus.open({ createCDPSession: () => context.newCDPSession(page) });
      const measured = await work({ page, census, releases }, count);
      const { commands = 0 } = releases?.stats() ?? {};
      await context.close();
      return { handles: count, commands, ...measured };
    } finally {
      await browser.close(); // Which leaves the browser as it is, and ends the connection.
    }
  };
}

/** What is done in a loop that leaks nothing. */
export const LOOP_NAMES = ['evaluate', 'textContent', 'fill', 'click'] as const;
export type LoopName = (typeof LOOP_NAMES)[number];
const OPERATIONS: Readonly<Record<LoopName, (page: Page) => Promise<unknown>>> = {
  evaluate: (page) => page.evaluate('1'),
  textContent: (page) => page.locator('p').textContent(),
  fill: (page) => page.locator('input').fill('text'),
  click: (page) => page.locator('button').click(),
};

/** The time of a loop, as the script sees it. */
export function loopOf(name: LoopName): Work {
  const operation = OPERATIONS[name];
  return async ({ page }, count) => {
    const watch = new Stopwatch();
    watch.start();
    for (let done = 0; done < count; done++) await operation(page);
    return { ...watch.stop(), mustLetGo: false };
  };
}

const LARGEST_ARRAY = 1_000;

/** `await dispose()`, one after another, until the page has let go of all. */
export const disposeSerially: Work = async ({ page, census, releases }, count) => {
  const handles: Handle[] = [];
  while (handles.length < count) {
    const length = Math.min(LARGEST_ARRAY, count - handles.length);
    const array = await page.evaluateHandle(`Array.from({ length: ${length} }, () => makeCounted(0))`);
    handles.push(...(await array.getProperties()).values());
    await array.dispose();
  }
  await settle();
  const watch = new Stopwatch();
  watch.start();
  for (const handle of handles) await handle.dispose();
  await releases?.flush({ timeoutMs: 120_000 });
  return { ...watch.stop(), leftAlive: await census.alive(), mustLetGo: true };
};

/** Numbers in each object that is left behind: 200 KB. */
const LENGTH = 25_000;
const ROUNDS_PER_HEAP_SAMPLE = 10;
/** Until V8 has compiled what such a round runs: what a process's heap has grown by is counted from there. */
const SETTLING_IN = 100;
/** Playwright itself lets go of the last messages when it likes. */
const MOST_WAITED_MS = 10_000;

/** What a script that runs for hours does: it reads, its pages write to the console, and errors are thrown there. */
export const runForLong: Work = async ({ page, census, releases }, count) => {
  const heap: [number, number][] = [];
  const goRound = async (): Promise<void> => {
    await page.locator('p').evaluate('(element) => element.textContent');
    await page.evaluate(`console.log(makeCounted(${LENGTH}))`);
    await page
      .evaluate(`{ throw Object.assign(new Error(), { of: makeCounted(${LENGTH}) }) }`)
      .catch(() => {});
  };
  page.on('console', () => {});
  for (let done = 0; done < Math.min(SETTLING_IN, count); done++) await goRound();
  await collectAll();
  const heldBefore = process.memoryUsage().heapUsed;
  const watch = new Stopwatch();
  watch.start();
  for (let done = 0; done < count; done++) {
    await goRound();
    if (done % ROUNDS_PER_HEAP_SAMPLE === 0) heap.push([done, await census.sampleHeap()]);
  }
  const timing = watch.stop();
  let leftAlive = Number.NaN;
  for (const begun = monotonicNow(); leftAlive !== 0 && monotonicNow() - begun < MOST_WAITED_MS; ) {
    await collectAll();
    await releases?.flush();
    leftAlive = await census.alive();
    if (releases === undefined) break; // It is a plain one's affair.
  }
  const heldBytes = process.memoryUsage().heapUsed - heldBefore;
  return {
    ...timing,
    leftAlive,
    mustLetGo: releases !== undefined,
    peakHeapBytes: census.peakHeapBytes,
    heap,
    extra: { heldBytes },
  };
};
