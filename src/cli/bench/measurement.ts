/** What the bench can measure: one subject at one piece of work. The parent schedules these, the children run them. */
import type { AttachOptions } from '../../clients/puppeteer/index.ts';
import { DrivenPage, type Outcome, type Variant } from './driven-page.ts';
import type { BenchPuppeteer } from './puppeteer-structure.ts';
import type { Sample } from './sample.ts';

export interface Measurement {
  /** Work and subject, as `bulk/puppeteer-all`. */
  readonly id: string;
  readonly title: string;
  readonly handles: number;
  readonly quickHandles: number;
  /** Handles of the unmeasured run at the beginning; 0 for none. */
  readonly warmUp: number;
  /** Rounds that are enough, where one takes long and says all. */
  readonly mostRounds?: number;
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

/** Work on a page of its own. */
export function onPage(
  variant: Variant,
  work: (driven: DrivenPage, handles: number) => Promise<Outcome & { readonly isCrashed?: boolean }>,
  attachOptions?: AttachOptions,
): Measurement['run'] {
  return async ({ puppeteer, browserWSEndpoint }, handles) => {
    const options = attachOptions === undefined ? { variant } : { variant, attachOptions };
    const driven = await DrivenPage.open(puppeteer, browserWSEndpoint, options);
    const outcome = await work(driven, handles);
    return driven.close(outcome, outcome.isCrashed);
  };
}
