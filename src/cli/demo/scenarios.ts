/**
 * The operations of the demo: ways in which a correct script leaves objects behind, by Puppeteer and by Playwright.
 */
import type { AttachOptions } from '../../clients/puppeteer/index.ts';
import { ARRIVAL_MS } from '../../policy.ts';
import type { MakeCounted } from '../page-census.ts';
import type { ClientName, DemoPage } from './clients.ts';

declare const makeCounted: MakeCounted;

export interface Scenario {
  readonly name: 'forgottenHandles' | 'thrownErrors' | 'consoleArguments' | 'playwrightRounds';
  readonly client: ClientName;
  /** Done once in each operation. */
  readonly title: string;
  readonly operations: number;
  readonly quickOperations: number;
  /** How many numbers each object holds. */
  readonly length: number;
  /** How the attached side attaches. Default: without options. */
  readonly attachOptions?: AttachOptions;
  readonly prepare?: (page: DemoPage) => void;
  /** Milliseconds after the last operation until the program alone holds what is left. Default: at once. */
  readonly settlesAfterMs?: number;
  /** One operation. Nothing of its result is kept. */
  readonly operate: (page: DemoPage, length: number) => Promise<unknown>;
}

/** In the order in which they are run. */
export const SCENARIOS: { readonly [Name in Scenario['name']]: Scenario & { readonly name: Name } } = {
  forgottenHandles: {
    name: 'forgottenHandles',
    client: 'puppeteer',
    title: 'handles forgotten, 200 KB each',
    operations: 20_000,
    quickOperations: 2_000,
    length: 25_000,
    operate: (page, length) => page.evaluateHandle((n) => makeCounted(n), length),
  },
  thrownErrors: {
    name: 'thrownErrors',
    client: 'puppeteer',
    title: 'errors thrown in evaluate',
    operations: 2_000,
    quickOperations: 300,
    length: 2_500,
    operate: (page, length) =>
      page
        .evaluate((n) => {
          throw Object.assign(new Error('thrown in the page'), { data: makeCounted(n) });
        }, length)
        .catch(() => {}),
  },
  consoleArguments: {
    name: 'consoleArguments',
    client: 'puppeteer',
    title: 'console arguments listened to',
    operations: 2_000,
    quickOperations: 300,
    length: 2_500,
    // Chromium keeps its last 1,000 console messages with their arguments, apart from any handle. This option empties that
    // store too.
    attachOptions: { consoleEntries: 'discard' },
    prepare: (page) => page.onConsole(() => {}),
    operate: (page, length) => page.evaluate((n) => console.log(makeCounted(n)), length),
  },
  // What a script does that runs for hours: it reads, its pages write to the console, and errors are thrown there.
  playwrightRounds: {
    name: 'playwrightRounds',
    client: 'playwright',
    title: 'rounds of a Playwright script',
    operations: 2_000,
    quickOperations: 100,
    length: 2_500,
    attachOptions: { consoleEntries: 'discard' },
    // The objects of a console message are held until Playwright's handle of them has reached the program.
    settlesAfterMs: 2 * ARRIVAL_MS,
    operate: async (page, length) => {
      await (page.locator('body') as Locator).evaluate((element) => element.childElementCount);
      await page
        .evaluate((n) => {
          const error = Object.assign(new Error('thrown in the page'), { data: makeCounted(n) });
          console.log(error);
          throw error;
        }, length)
        .catch(() => {});
    },
  },
};

/** The member of a Playwright locator that is used. */
interface Locator {
  evaluate(pageFunction: (element: { readonly childElementCount: number }) => unknown): Promise<unknown>;
}
