// Each measurement of the bench with a few handles: that it runs, and that the page lets go of what it should.
import puppeteer from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import { MEASUREMENTS, measurementOf } from '../../bench/measurements.ts';
import type { DrivenPage } from '../../bench/sampling/driven-page.ts';
import { onPage, type Workshop } from '../../bench/sampling/measurement.ts';
import { isProven } from '../../bench/sampling/sample.ts';
import { runScript, scriptOf } from '../../bench/scripts/run-script.ts';
import { disposeOnManyPages } from '../../bench/work/many-pages.ts';
import { disposeByPlaywright } from '../../bench/work/other-clients.ts';
import { collect } from '../../src/cli/collector.ts';
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
  /^bulk\/(.*-(serial|single|\d+)|attached-per-id)$/,
  /^transport\/.*-websocket$/,
  /^playwright\/playwright-/,
  /^scripts\/puppeteer-/,
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

it('of many pages one of which hangs, all let go', async () => {
  const run = onPage('attached', (driven, count) =>
    disposeOnManyPages(driven, count, { pages: 3, hangMs: 100 }),
  );
  const sample = await run(workshop, 30);
  expect(sample).toMatchObject({ handles: 20, leftAlive: 0, extra: { pages: 3 } });
});

it('a script has the objects in its heap that it is to begin with', async () => {
  const { script } = scriptOf('scripts/puppeteer-large-live');
  collect();
  const before = process.memoryUsage().heapUsed;
  let held = Number.NaN;
  const run = async (): Promise<void> => {
    collect();
    held = process.memoryUsage().heapUsed - before;
  };
  await runScript(workshop, 'puppeteer', { ...script, liveBytes: 10_000_000, run }, 1);
  expect(held).toBeGreaterThan(5_000_000);
});
