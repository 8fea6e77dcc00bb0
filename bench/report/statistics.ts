/** Few samples, some of them disturbed: medians, and the range that half of the samples lie in. */

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Median and quartiles; of fewer than four samples, median and extremes. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const isFew = sorted.length < 4;
  return {
    median: quantile(sorted, 0.5),
    low: quantile(sorted, isFew ? 0 : 0.25),
    high: quantile(sorted, isFew ? 1 : 0.75),
    count: sorted.length,
  };
}

/** Interpolated between the two nearest; `NaN` of nothing. */
function quantile(sorted: readonly number[], at: number): number {
  const place = (sorted.length - 1) * at;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? below;
  return below + (above - below) * (place - Math.floor(place));
}
