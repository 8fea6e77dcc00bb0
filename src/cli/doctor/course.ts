/**
 * Live handles and page heap over time, in a limited number of points: when there are too many, every other is left out.
 */

export interface CoursePoint {
  readonly elapsedMs: number;
  readonly live: number;
  readonly heapBytes: number;
}

/** An even number, since they are halved in pairs. */
const MOST_POINTS = 600;

export class Course {
  #points: CoursePoint[] = [];
  /** Samples in one point, which shows their maximum. */
  #perPoint = 1;
  #inLast = 0;
  #peakLive = 0;
  #peakHeapBytes = 0;

  get points(): readonly CoursePoint[] {
    return this.#points;
  }

  get peak(): { readonly live: number; readonly heapBytes: number } {
    return { live: this.#peakLive, heapBytes: this.#peakHeapBytes };
  }

  add({ elapsedMs, live, heapBytes }: CoursePoint): void {
    this.#peakLive = Math.max(this.#peakLive, live);
    this.#peakHeapBytes = Math.max(this.#peakHeapBytes, heapBytes);
    const last = this.#points.at(-1);
    if (last !== undefined && this.#inLast < this.#perPoint) {
      this.#inLast++;
      this.#points[this.#points.length - 1] = higherOf(last, { elapsedMs, live, heapBytes });
      return;
    }
    this.#points.push({ elapsedMs, live, heapBytes });
    this.#inLast = 1;
    if (this.#points.length < MOST_POINTS) return;
    this.#points = this.#points.flatMap((point, index) => {
      const next = this.#points[index + 1];
      return index % 2 === 1 || next === undefined ? [] : [higherOf(point, next)];
    });
    this.#inLast += this.#perPoint; // The last point but one was full; the last has only begun.
    this.#perPoint *= 2;
  }
}

function higherOf(a: CoursePoint, b: CoursePoint): CoursePoint {
  return {
    elapsedMs: b.elapsedMs,
    live: Math.max(a.live, b.live),
    heapBytes: Math.max(a.heapBytes, b.heapBytes),
  };
}
