/**
 * Whole scripts, as users write them: short, and none of them warmed up. Each runs once in a process of its own, so what
 * V8 has to compile, and what a first page costs, is in its time.
 */

/** One script: its name, what it does, and how often. */
export interface Script {
  readonly name: string;
  readonly title: (count: string) => string;
  readonly count: number;
  readonly quickCount: number;
  /** What may be asked of it: attached ÷ plain, wall time and CPU time of the client's process. */
  readonly wanted: { readonly wall: number; readonly cpu: number };
  /** Bytes of objects that the process holds before the script begins. */
  readonly liveBytes?: number;
  readonly run: (browser: ScriptBrowser, count: number) => Promise<void>;
}

/** The members of Puppeteer that the scripts use. */
export interface ScriptBrowser {
  newPage(): Promise<ScriptPage>;
}
export interface ScriptPage extends Evaluating {
  on(event: 'console', listener: (message: { text(): string }) => void): unknown;
  setContent(html: string): Promise<void>;
  type(selector: string, text: string): Promise<void>;
  click(selector: string): Promise<void>;
  locator(selector: string): { fill(value: string): Promise<void>; click(): Promise<void> };
  waitForSelector(selector: string): Promise<unknown>;
  waitForFunction(pageFunction: () => unknown): Promise<unknown>;
  evaluateHandle<Args extends unknown[]>(
    pageFunction: (...args: Args) => unknown,
    ...args: Args
  ): Promise<unknown>;
  $$(selector: string): Promise<ScriptElement[]>;
  close(): Promise<void>;
}
interface Evaluating {
  evaluate<Args extends unknown[]>(pageFunction: (...args: Args) => unknown, ...args: Args): Promise<unknown>;
}
interface ScriptElement {
  evaluate(pageFunction: (node: Node) => unknown): Promise<unknown>;
}

const ELEMENTS = 40;
/** Messages that the page writes in one go. */
const BURST = 100;
/** Numbers in a large object: 200 KB. */
const LARGE = 25_000;
const FORM =
  '<input id="name"><button id="send" onclick="sent.textContent = this.previousSibling.value">Send</button><p id="sent"></p>';

const NO_HURRY = { wall: 1.02, cpu: 1.06 };

export const SCRIPTS: readonly Script[] = [
  {
    name: 'evaluate',
    title: (count) => `${count} × evaluate(x => x * 2, i)`,
    count: 4_000,
    quickCount: 400,
    wanted: { wall: 1.02, cpu: 1.05 },
    run: async (browser, count) => {
      const page = await browser.newPage();
      for (let index = 0; index < count; index++) await page.evaluate((x) => x * 2, index);
    },
  },
  {
    name: 'handle-argument',
    title: (count) => `${count} × evaluate with a handle as argument`,
    count: 3_000,
    quickCount: 300,
    wanted: NO_HURRY,
    run: async (browser, count) => {
      const page = await browser.newPage();
      const held = (await page.evaluateHandle(() => ({ factor: 2 }))) as { factor: number };
      for (let index = 0; index < count; index++) {
        await page.evaluate((object, x) => object.factor * x, held, index);
      }
    },
  },
  {
    name: 'forms',
    title: (count) => `${count} forms: type, click, waitForSelector`,
    count: 100,
    quickCount: 10,
    wanted: NO_HURRY,
    run: async (browser, count) => {
      const page = await browser.newPage();
      for (let index = 0; index < count; index++) {
        await page.setContent(FORM);
        await page.type('#name', `name ${index}`);
        await page.click('#send');
        await page.waitForSelector('#sent:not(:empty)');
      }
    },
  },
  {
    name: 'locators',
    title: (count) => `${count} × locators: fill, click`,
    count: 60,
    quickCount: 6,
    wanted: NO_HURRY,
    run: async (browser, count) => {
      const page = await browser.newPage();
      await page.setContent(FORM);
      for (let index = 0; index < count; index++) {
        await page.locator('#name').fill(`name ${index}`);
        await page.locator('#send').click();
      }
    },
  },
  {
    name: 'wait-for-function',
    title: (count) => `${count} × waitForFunction`,
    count: 300,
    quickCount: 30,
    wanted: NO_HURRY,
    run: async (browser, count) => {
      const page = await browser.newPage();
      for (let index = 0; index < count; index++) await page.waitForFunction(() => document.readyState);
    },
  },
  {
    name: 'crawl',
    title: (count) => `crawl: ${count} pages, $$, ${ELEMENTS} texts each`,
    count: 40,
    quickCount: 4,
    wanted: { wall: 1, cpu: 1.08 },
    run: async (browser, count) => {
      for (let index = 0; index < count; index++) {
        const page = await browser.newPage();
        await page.setContent('<p>text</p>'.repeat(ELEMENTS));
        for (const element of await page.$$('p')) await element.evaluate((node) => node.textContent);
        await page.close();
      }
    },
  },
  {
    name: 'errors',
    title: (count) => `${count} errors thrown`,
    count: 2_000,
    quickCount: 200,
    wanted: { wall: 1.02, cpu: 1.12 },
    run: async (browser, count) => {
      const page = await browser.newPage();
      for (let index = 0; index < count; index++) {
        await page
          .evaluate(() => {
            throw new Error('thrown in the page');
          })
          .catch(() => {});
      }
    },
  },
  {
    name: 'forget',
    title: (count) => `${count} × evaluateHandle, forgotten`,
    count: 4_000,
    quickCount: 400,
    wanted: { wall: 1.02, cpu: 1.1 },
    run: async (browser, count) => {
      const page = await browser.newPage();
      for (let index = 0; index < count; index++) await page.evaluateHandle(() => ({}));
    },
  },
  {
    name: 'console',
    title: (count) => `${count} console messages listened to`,
    count: 3_000,
    quickCount: 300,
    wanted: { wall: 1.05, cpu: 1.15 },
    run: async (browser, count) => {
      const page = await browser.newPage();
      let heard = 0;
      const all = new Promise<void>((resolve) => {
        page.on('console', (message) => {
          message.text();
          if (++heard === count) resolve();
        });
      });
      for (let written = 0; written < count; written += BURST) {
        await page.evaluate(
          (burst) => {
            for (let index = 0; index < burst; index++) console.log('message', { index });
          },
          Math.min(BURST, count - written),
        );
      }
      await all;
    },
  },
  {
    name: 'large',
    title: (count) => `${count} × 200 KB forgotten, client's heap small`,
    count: 4_000,
    quickCount: 200,
    wanted: { wall: 1.08, cpu: 1.5 },
    run: forgetLarge,
  },
  {
    name: 'large-live',
    title: (count) => `${count} × 200 KB forgotten, 800 MB of objects live in the client`,
    count: 4_000,
    quickCount: 200,
    wanted: { wall: 1.1, cpu: 1.5 },
    liveBytes: 800_000_000,
    run: forgetLarge,
  },
];

async function forgetLarge(browser: ScriptBrowser, count: number): Promise<void> {
  const page = await browser.newPage();
  for (let index = 0; index < count; index++) {
    await page.evaluateHandle((length) => new Array(length).fill(1.5), LARGE);
  }
}
