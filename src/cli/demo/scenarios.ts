/**
 * The operations of the demo: three ways in which a correct Puppeteer script leaves objects behind.
 */
import type { AttachOptions } from '../../clients/puppeteer/index.ts';
import type { BrowserLike } from '../../clients/puppeteer/structure.ts';
import type { MakeCounted } from '../page-census.ts';

/** The members of a Puppeteer browser that the demo uses. */
export interface DemoBrowser extends BrowserLike {
  newPage(): Promise<DemoPage>;
  version(): Promise<string>;
  close(): Promise<void>;
}

export interface DemoPage {
  evaluate(pageFunction: (length: number) => unknown, length: number): Promise<unknown>;
  evaluateHandle(pageFunction: (length: number) => unknown, length: number): Promise<unknown>;
  on(event: 'console' | 'error', listener: (what: unknown) => void): unknown;
  createCDPSession(): Promise<DemoSession>;
}

export interface DemoSession {
  send(method: string, params?: Record<string, unknown>): Promise<unknown>;
}

declare const makeCounted: MakeCounted;

export interface Scenario {
  readonly name: 'forgottenHandles' | 'thrownErrors' | 'consoleArguments';
  /** Done once in each operation. */
  readonly title: string;
  readonly operations: number;
  readonly quickOperations: number;
  /** How many numbers each object holds. */
  readonly length: number;
  /** How the attached side attaches. Default: without options. */
  readonly attachOptions?: AttachOptions;
  readonly prepare?: (page: DemoPage) => void;
  /** One operation. Nothing of its result is kept. */
  readonly operate: (page: DemoPage, length: number) => Promise<unknown>;
}

/** In the order in which they are run. */
export const SCENARIOS: { readonly [Name in Scenario['name']]: Scenario & { readonly name: Name } } = {
  forgottenHandles: {
    name: 'forgottenHandles',
    title: 'handles forgotten, 200 KB each',
    operations: 20_000,
    quickOperations: 2_000,
    length: 25_000,
    operate: (page, length) => page.evaluateHandle((n) => makeCounted(n), length),
  },
  thrownErrors: {
    name: 'thrownErrors',
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
    title: 'console arguments listened to',
    operations: 2_000,
    quickOperations: 300,
    length: 2_500,
    // Chromium keeps its last 1,000 console messages with their arguments, apart from any handle. This option empties that
    // store too.
    attachOptions: { consoleEntries: 'discard' },
    prepare: (page) => page.on('console', () => {}),
    operate: (page, length) => page.evaluate((n) => console.log(makeCounted(n)), length),
  },
};
