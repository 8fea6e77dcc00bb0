/** What the bench can measure: one subject at one piece of work. The parent schedules these, the children run them. */

import { findBrowser, launchOptions } from '../../src/cli/browser-finder.ts';
import type { AttachOptions } from '../../src/clients/puppeteer/index.ts';
import { openDelayProxy } from './delay-proxy.ts';
import { DrivenPage, type Outcome, type Variant } from './driven-page.ts';
import type { BenchBrowser, BenchPuppeteer } from './puppeteer-structure.ts';
import type { Sample } from './sample.ts';

export interface Measurement {
  /** Work and subject, as `bulk/puppeteer-all`. */
  readonly id: string;
  /** Told of the handles that it was in fact, where there is one for several sizes. */
  readonly title: string | ((handles: string) => string);
  readonly handles: number;
  readonly quickHandles: number;
  /** Handles of each of the unmeasured runs before a sample; 0 for none. */
  readonly warmUp: number;
  /** Rounds that are enough, where one takes long and says all. */
  readonly mostRounds?: number;
  /** Whether each sample is the first work of a new process. Default `false`. */
  readonly isCold?: boolean;
  /** Flags of the process that it needs. */
  readonly nodeFlags?: readonly string[];
  /** Packages without which it is skipped. */
  readonly needs?: readonly string[];
  readonly run: (workshop: Workshop, handles: number) => Promise<Sample>;
}

/** What a child has to work with. */
export interface Workshop {
  readonly puppeteer: BenchPuppeteer;
  readonly browserWSEndpoint: string;
}

type Work = (driven: DrivenPage, handles: number) => Promise<Outcome & { readonly isCrashed?: boolean }>;

/** Work on a page of its own, over a connection of its own. */
export function onPage(variant: Variant, work: Work, attachOptions?: AttachOptions): Measurement['run'] {
  return async ({ puppeteer, browserWSEndpoint }, handles) => {
    const browser = await puppeteer.connect({ ...CONNECT_OPTIONS, browserWSEndpoint });
    const sample = await workOn(browser, variant, work, handles, attachOptions);
    await browser.disconnect();
    return sample;
  };
}

/** The same in a browser of its own, spoken to over a pipe or a WebSocket. */
export function inOwnBrowser(
  transport: 'pipe' | 'websocket',
  variant: Variant,
  work: Work,
): Measurement['run'] {
  return async ({ puppeteer }, handles) => {
    const found = await findBrowser();
    const pipe = transport === 'pipe';
    const browser = await puppeteer.launch({ ...launchOptions(found), ...CONNECT_OPTIONS, pipe });
    try {
      return await workOn(browser, variant, work, handles);
    } finally {
      if (browser.connected) await browser.close();
    }
  };
}

const CONNECT_OPTIONS = { protocolTimeout: 0, defaultViewport: null };

async function workOn(
  browser: BenchBrowser,
  variant: Variant,
  work: Work,
  handles: number,
  attachOptions?: AttachOptions,
): Promise<Sample> {
  const options = attachOptions === undefined ? { variant } : { variant, attachOptions };
  const driven = await DrivenPage.open(browser, options);
  const outcome = await work(driven, handles);
  return driven.close(outcome, outcome.isCrashed);
}

/** The same, with the browser far away. */
export function farAway(delayMs: number, run: Measurement['run']): Measurement['run'] {
  return async ({ puppeteer, browserWSEndpoint }, handles) => {
    const proxy = await openDelayProxy(browserWSEndpoint, delayMs);
    try {
      return await run({ puppeteer, browserWSEndpoint: proxy.endpoint }, handles);
    } finally {
      await proxy.close();
    }
  };
}
