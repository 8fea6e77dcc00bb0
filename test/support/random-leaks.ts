/**
 * Scripts of random calls into Puppeteer, each on a line of its own, of which it is known how many handles it leaves:
 * every public way to a handle, kept, forgotten, or disposed of sooner or later; and calls that leave nothing. The same
 * seed makes the same script.
 */
import { HTML, START_WORKER, SUBJECTS, WAYS } from './ways-to-handles.ts';

export interface RandomProgram {
  readonly source: string;
  /** Handles left behind, by line. */
  readonly leaks: ReadonlyMap<number, number>;
  /** Errors thrown in the page, by line. */
  readonly thrown: ReadonlyMap<number, number>;
}

/** Leave nothing: what comes to pass in them is Puppeteer's own. */
const CLEAN: readonly string[] = [
  'await page.evaluate(() => 1);',
  "await page.$$eval('li', (items) => items.length);",
  "await page.$eval('li', (item) => item.textContent);",
  "await page.click('button');",
  "await page.hover('li');",
  "await page.locator('button').click();",
  'await page.content();',
  'await page.frames()[1].evaluate(() => document.title);',
  'await page.workers()[0].evaluate(() => self.x);',
  "await page.waitForSelector('nothing', { timeout: 1 }).catch(() => {});",
  "await page.$('nothing');",
  'await (await page.evaluateHandle(() => 1)).jsonValue();',
  'await page.accessibility.snapshot();',
];
const THROWING = 'await page.evaluate(() => { throw new Error("on purpose"); }).catch(() => {});';

/** @param count lines that call. */
export function randomProgram(seed: number, count: number): RandomProgram {
  const random = randomNumbers(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const one = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const leaks = new Map<number, number>();
  const thrown = new Map<number, number>();
  const lines = [
    "import puppeteer from 'puppeteer-core';",
    'const browser = await puppeteer.launch(JSON.parse(process.env.TEST_LAUNCH_OPTIONS));',
    'const page = await browser.newPage();',
    'const keep = [];',
    'const late = [];',
    'const listed = (given) => (given[Symbol.iterator] === undefined ? [given] : [...given]);',
    'async function load() {',
    `  await page.setContent(${JSON.stringify(HTML)});`,
    "  const started = page.workers().length > 0 || new Promise((resolve) => page.once('workercreated', resolve));",
    `  await page.evaluate(${JSON.stringify(START_WORKER)});`,
    '  await started;',
    '}',
    'await load();',
  ];
  /** Each of a line's handles, and what becomes of them. */
  const fates = {
    kept: 'keep.push(...listed(given));',
    forgotten: '',
    disposed: 'for (const handle of listed(given)) await handle.dispose();',
    'disposed at once': 'await Promise.all(listed(given).map((handle) => handle.dispose()));',
    'disposed after the page': 'late.push(...listed(given));',
  } as const;
  for (let call = 0; call < count; call++) {
    const kind = below(10);
    if (kind === 0) {
      // What is disposed of here was asked for by a page that has gone.
      lines.push(
        "await page.goto('data:text/html,next'); for (const handle of late.splice(0)) await handle.dispose(); await load();",
      );
    } else if (kind < 3) {
      lines.push(one(CLEAN));
    } else if (kind === 3) {
      lines.push(THROWING);
      thrown.set(lines.length, 1);
    } else {
      const way = one(WAYS);
      const fate = one(Object.keys(fates) as (keyof typeof fates)[]);
      const times = 1 + below(3);
      const { get, dispose } = SUBJECTS[way.from ?? ''] ?? { get: 'undefined', dispose: '' };
      const subject = way.from === undefined ? '' : `const ${way.from} = ${get};`;
      const body = `${subject} const given = await (${way.ask}); ${fates[fate]} ${dispose}`;
      lines.push(times === 1 ? `{ ${body} }` : `for (let time = 0; time < ${times}; time++) { ${body} }`);
      if (fate === 'kept' || fate === 'forgotten') leaks.set(lines.length, times * way.handles);
    }
  }
  lines.push(
    'await page.close();',
    'for (const handle of late) await handle.dispose();',
    'await browser.close();',
  );
  return { source: `${lines.join('\n')}\n`, leaks, thrown };
}

/** Numbers from 0 up to, without, 1 (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
