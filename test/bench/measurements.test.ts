// Each measurement of the bench with a few handles: that it runs, and that the page lets go of what it should.
import puppeteer from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { MEASUREMENTS, measurementOf } from '../../bench/measurements.ts';
import type { DrivenPage } from '../../bench/sampling/driven-page.ts';
import type { Workshop } from '../../bench/sampling/measurement.ts';
import { isProven } from '../../bench/sampling/sample.ts';
import { disposeByPlaywright } from '../../bench/work/other-clients.ts';
import { launchChromium } from '../support/chromium.ts';
import { sized } from '../support/sized.ts';

/** Of a browser that is far away each is a round trip, for whoever waits for it. Of a script it may be a page, or a click. */
const handlesFor = (id: string): number => (/^(?:remote|scripts|playwright)\//.test(id) ? 3 : 50);

const browser = await launchChromium();
const workshop: Workshop = {
  puppeteer: puppeteer as unknown as Workshop['puppeteer'],
  browserWSEndpoint: browser.wsEndpoint(),
};

/** For the shortest of times these are left to the long tests. */
const LEFT_OUT: readonly RegExp[] = [
  // Differs from another in a figure alone, in that it goes one by one, or in its way.
  /^remote.*-[28]0$/,
  /^bulk\/.*-(serial|single|\d+|per-id)$/,
  /^transport\/.*-websocket$/,
  /^playwright\/(playwright-|.*-(textContent|fill|click|evaluate)$)/,
  /^scripts\/puppeteer-/,
  /^(forget\/attached-dispose|query\/attached-forget)$/,
  // Puppeteer by itself; in `bulk` it runs.
  /^(forget|query|throw|remote|transport|closing)\/puppeteer/,
  // Large: 10,000 handles, fifty pages of which one hangs for seconds, 800 MB of objects.
  /^growth\/10+0{3}$/,
  /^pages\//,
  /^scripts\/.*-live$/,
];
const ids = MEASUREMENTS.map(({ id }) => id).filter((id) =>
  sized(!LEFT_OUT.some((each) => each.test(id)), true),
);

describe('a few handles', () => {
  it.each(ids)('%s', async (id) => {
    const sample = await measurementOf(id).run(workshop, handlesFor(id));
    expect(sample.handles).toBeGreaterThan(0);
    expect(sample.elapsedMs).toBeGreaterThan(0);
    expect(isProven(sample), JSON.stringify(sample)).toBe(true);
  });
});

it('a page that another client does not see is no sample', async () => {
  // Playwright sees its pages, and in none of them what is counted.
  await expect(disposeByPlaywright({ browser } as unknown as DrivenPage, 1)).rejects.toThrow(
    'Playwright does not see the page',
  );
});
