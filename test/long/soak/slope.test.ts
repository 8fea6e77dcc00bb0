import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { growthOf, slopeOf } from './slope.ts';

const line = (slope: number, noise: readonly number[]) => noise.map((y, x) => ({ x, y: slope * x + y }));

describe('the slope of a course', () => {
  it('is that of a line, exactly', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000, max: 1_000 }),
        fc.integer({ min: 2, max: 40 }),
        (slope, count) => {
          expect(slopeOf(line(slope, Array(count).fill(7)))).toBe(slope);
        },
      ),
    );
  });

  it('is found in noise, however wild a quarter of the points are', () => {
    const noise = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 20, maxLength: 40 });
    fc.assert(
      fc.property(
        noise,
        fc.integer({ min: -50, max: 50 }),
        fc.double({ min: -1e6, max: 1e6, noNaN: true }),
        (noisy, slope, wild) => {
          const points = line(
            slope,
            noisy.map((y, index) => (index % 5 === 2 ? wild : y)),
          );
          expect(Math.abs(slopeOf(points) - slope)).toBeLessThan(2);
        },
      ),
    );
  });

  it('of nothing, of one point, and of two at the same place is none', () => {
    expect([[], [{ x: 1, y: 1 }]].map(growthOf)).toEqual([0, 0]);
    expect(
      slopeOf([
        { x: 1, y: 1 },
        { x: 1, y: 1 },
      ]),
    ).toBe(0);
  });

  it('comes to the growth over all of it', () => {
    expect(growthOf(line(3, Array(11).fill(0)))).toBe(30);
  });
});
