// Each row of the bench's table makes its figure of the two measurements that it names, and of what those samples have.
import { expect, test } from 'vitest';
import { MEASUREMENTS } from '../../bench/measurements.ts';
import { judge, TARGETS } from '../../bench/report/targets.ts';
import type { Sample } from '../../bench/sampling/sample.ts';

const sampleOf = (scale: number): Sample => ({
  handles: 100,
  elapsedMs: 10 * scale,
  cpuMicroseconds: 500 * scale,
  commands: scale,
  eventLoopDelayMs: scale,
  rssBytes: 1e6,
  peakHeapBytes: 1e6 * scale,
  leftAlive: 0,
  mustLetGo: true,
  extra: { heldBytes: 1_000 * scale, mintingMs: scale, idleBytesPerSession: scale },
});

test.each(TARGETS.map((row) => [row.id, row] as const))('%s', (id, row) => {
  const [subject, reference = subject] = row.measurements;
  const known = MEASUREMENTS.map((measurement) => measurement.id);
  expect(known).toEqual(expect.arrayContaining([subject, reference]));
  const samples = new Map([
    [reference, [sampleOf(4)]],
    [subject, [sampleOf(1)]],
  ]);
  const [result] = judge([row], samples);
  expect(result).toMatchObject({ id, proven: true });
  expect(result?.figure.median).toSatisfy(Number.isFinite);
  // The first took a quarter of what the second took.
  if (row.unit === '×' && reference !== subject) {
    expect(result?.figure.median).toBeCloseTo(row.comparison === 'atLeast' ? 4 : 0.25, 1);
  }
});
