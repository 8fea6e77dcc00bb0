import { describe, expect, it } from 'vitest';
import { MEASUREMENTS } from '../../bench/measurements.ts';
import { SCENARIOS, scenarioOf } from '../../bench/report/scenarios.ts';
import { spreadOf } from '../../bench/report/statistics.ts';
import { judge, measurementsOf, TARGETS } from '../../bench/report/targets.ts';
import type { Sample } from '../../bench/sampling/sample.ts';

function sample(elapsedMs: number, more: Partial<Sample> = {}): Sample {
  return {
    handles: 100,
    elapsedMs,
    cpuMicroseconds: 1_000,
    commands: 1,
    eventLoopDelayMs: 1,
    rssBytes: 1e6,
    leftAlive: 0,
    mustLetGo: true,
    ...more,
  };
}

describe('the median of samples', () => {
  it('is given with the extremes of a few and the quartiles of many', () => {
    expect(spreadOf([3, 1, 2])).toEqual({ median: 2, low: 1, high: 3, count: 3 });
    expect(spreadOf([1, 2, 3, 4, 100])).toEqual({ median: 3, low: 2, high: 4, count: 5 });
    expect(spreadOf([1, 2]).median).toBe(1.5);
  });
});

describe('the targets', () => {
  it('refers to measurements that exist, each of a scenario that exists', () => {
    const ids = MEASUREMENTS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toEqual(expect.arrayContaining(measurementsOf(TARGETS)));
    const scenarios = SCENARIOS.map(({ name }) => name);
    for (const id of ids) expect(scenarios).toContain(scenarioOf(id));
  });

  it('compares samples of the same round, and leaves out a round in which one is missing', () => {
    const samples = new Map([
      ['bulk/attached-scope', [sample(1), undefined, sample(2), sample(1)]],
      ['bulk/puppeteer-all', [sample(100), sample(1), sample(400), sample(300)]],
    ]);
    const row = judge(TARGETS, samples).find(({ id }) => id === 'scope');
    expect(row).toMatchObject({ figure: { median: 200, low: 100, high: 300, count: 3 }, reached: true });
  });

  it('of what grows, compares the time per handle: of the end alone, and with the minting', () => {
    const samples = new Map([
      ['growth/1000', [sample(125, { handles: 1_000, extra: { mintingMs: 125 } })]],
      ['growth/10000', [sample(2_500, { handles: 10_000, extra: { mintingMs: 5_000 } })]],
    ]);
    const figures = judge(TARGETS, samples).map(({ id, figure }) => [id, figure.median]);
    expect(Object.fromEntries(figures)).toEqual({ 'growth-10000': 2, 'growth-10000-whole': 3 });
  });

  it('does not count as reached what the census does not bear out', () => {
    const samples = new Map([
      ['bulk/attached-scope', [sample(1, { leftAlive: 3 })]],
      ['bulk/puppeteer-all', [sample(1_000)]],
    ]);
    const row = judge(TARGETS, samples).find(({ id }) => id === 'scope');
    expect(row).toMatchObject({ figure: { median: 1_000 }, proven: false, reached: false });
  });

  it('does not count a crashed page as a small one', () => {
    const crashed = sample(1, { leftAlive: null, mustLetGo: false, peakHeapBytes: 1 });
    const samples = new Map([
      ['large/attached', [crashed]],
      ['large/puppeteer', [crashed]],
    ]);
    expect(judge(TARGETS, samples)).toMatchObject([{ id: 'large', reached: false }]);
  });
});
