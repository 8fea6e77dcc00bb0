// Whether a figure that was looked at again and again is flat, told by regression rather than by eye.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/**
 * The median of the slopes between all pairs of points (Theil and Sen): up to 29 % of the points may be wild, as a look
 * at a process's memory now and then is, without moving it far.
 */
export function slopeOf(points: readonly Point[]): number {
  const slopes = points
    .flatMap((a, index) => points.slice(index + 1).map((b) => (b.y - a.y) / (b.x - a.x)))
    .filter((slope) => !Number.isNaN(slope))
    .sort((a, b) => a - b);
  const middle = slopes.length >> 1;
  const [below = 0, above = 0] = [slopes[middle - 1] ?? slopes[middle], slopes[middle]];
  return slopes.length % 2 === 1 ? above : (below + above) / 2;
}

/** How much a figure grows from the first point to the last, by its slope. */
export function growthOf(points: readonly Point[]): number {
  const [first, last] = [points[0], points.at(-1)];
  return first === undefined || last === undefined ? 0 : slopeOf(points) * (last.x - first.x);
}
