// A row says how many handles each side of it was measured with: a quick run has the slow side do less.
import { expect, test } from 'vitest';
import { judge, TARGETS } from '../../bench/report/targets.ts';
import type { Sample } from '../../bench/sampling/sample.ts';

const sampleOf = (handles: number): Sample => ({
  handles,
  elapsedMs: handles,
  cpuMicroseconds: 1,
  commands: 1,
  eventLoopDelayMs: 0,
  rssBytes: 1,
  mustLetGo: false,
});

test.each([
  [20_000, 'plain Puppeteer'],
  [2_000, 'plain Puppeteer, 2,000 of them'],
])('of %d by plain Puppeteer', (handles, against) => {
  const samples = new Map([
    ['bulk/attached-serial', [sampleOf(20_000)]],
    ['bulk/puppeteer-serial', [sampleOf(handles)]],
  ]);
  expect(judge(TARGETS, samples)).toMatchObject([
    { id: 'serial', work: '20,000 await dispose() in a row', against, figure: { median: 1 } },
  ]);
});
