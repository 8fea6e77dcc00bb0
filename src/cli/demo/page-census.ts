/**
 * Looks into the page from beside Puppeteer, through a session of its own that mints no remote object: how
 * large the heap is, and how many of the counted objects are still alive.
 */
import { setTimeout } from 'node:timers/promises';
import type { DemoPage, DemoSession } from './scenarios.ts';

const INSTALL = `
  globalThis.counted = [];
  globalThis.makeCounted = (length) => {
    const object = { numbers: new Array(length).fill(1.5) };
    counted.push(new WeakRef(object));
    return object;
  };
  void 0;
`;

const MS_BETWEEN_COUNTS = 250;

export class PageCensus {
  readonly #session: DemoSession;
  /** The largest page heap seen by `sampleHeap`, in bytes. */
  peakHeapBytes = 0;

  private constructor(session: DemoSession) {
    this.#session = session;
  }

  static async open(page: DemoPage): Promise<PageCensus> {
    const session = await page.createCDPSession();
    await session.send('Runtime.evaluate', { expression: INSTALL });
    return new PageCensus(session);
  }

  /** Notes how large the page's JavaScript heap is now, garbage included. */
  async sampleHeap(): Promise<void> {
    const { usedSize } = (await this.#session.send('Runtime.getHeapUsage')) as { usedSize: number };
    this.peakHeapBytes = Math.max(this.peakHeapBytes, usedSize);
  }

  /**
   * How many counted objects outlive a collection of the page's garbage. Counted until two counts, a moment apart,
   * agree: what is let go of in quiet moments only, as console messages are, is given one.
   */
  async alive(): Promise<number> {
    let previous = Number.NaN;
    for (;;) {
      await this.#session.send('HeapProfiler.collectGarbage');
      const alive = await this.#count();
      if (alive === previous) return alive;
      previous = alive;
      await setTimeout(MS_BETWEEN_COUNTS);
    }
  }

  async #count(): Promise<number> {
    const expression = 'counted.filter((ref) => ref.deref()).length';
    const answer = await this.#session.send('Runtime.evaluate', { expression, returnByValue: true });
    return (answer as { result: { value: number } }).result.value;
  }
}
