// The doctor's course of a script that runs for days is as long as that of one that runs for a minute.
import { expect, test } from 'vitest';
import { Course } from '../../src/cli/doctor/course.ts';

const SAMPLES = 50_000;

test('a course has a bounded number of points, in order, to its end, and loses no peak', () => {
  const course = new Course();
  for (let count = 0; count < SAMPLES; count++) {
    const live = count === 12_345 ? 999 : count % 10;
    course.add({ elapsedMs: count * 100, live, heapBytes: count === 30_001 ? 5e9 : 1e6 });
  }
  const { points } = course;
  expect(points.length).toBeGreaterThan(300);
  expect(points.length).toBeLessThanOrEqual(600);
  const times = points.map(({ elapsedMs }) => elapsedMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times.at(-1)).toBe((SAMPLES - 1) * 100);
  expect(Math.max(...points.map(({ live }) => live))).toBe(999);
  expect(Math.max(...points.map(({ heapBytes }) => heapBytes))).toBe(5e9);
  expect(course.peak).toEqual({ live: 999, heapBytes: 5e9 });
});

test('each point but the last stands for equally many samples', () => {
  for (const count of [599, 600, 601, 1_201, 2_399, 50_003]) {
    const course = new Course();
    for (let at = 1; at <= count; at++) course.add({ elapsedMs: at, live: 0, heapBytes: 0 });
    const ends = course.points.map(({ elapsedMs }) => elapsedMs);
    expect(ends.at(-1)).toBe(count);
    const [samplesPerPoint = 0] = ends;
    const whole = ends.slice(0, -1);
    expect(whole).toEqual(whole.map((_, index) => (index + 1) * samplesPerPoint));
    expect(count - (whole.at(-1) ?? 0)).toBeLessThanOrEqual(samplesPerPoint);
  }
});
