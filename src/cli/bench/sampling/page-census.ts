/**
 * The judge of "done": counts inside the page, by WeakRefs and after forced collections, which of the objects
 * made there are still alive. It speaks through a session of its own and mints no remote object.
 */
import type { CdpSessionLike } from '../../../clients/puppeteer/structure.ts';

/** In the page: makes an object that holds `length` numbers, 8 bytes each, and notes it for the census. */
export type MakeCounted = (length: number) => object;

const INSTALL = `
  globalThis.counted = [];
  globalThis.noteCounted = (object) => {
    counted.push(new WeakRef(object));
    return object;
  };
  globalThis.makeCounted = (length) => noteCounted(length === 0 ? { index: counted.length } : { numbers: new Array(length).fill(1.5) });
  void 0;
`;

export class PageCensus {
  readonly #session: CdpSessionLike;
  /** The largest page heap seen by `sampleHeap`, garbage included. */
  peakHeapBytes = 0;

  private constructor(session: CdpSessionLike) {
    this.#session = session;
  }

  static async open(page: { createCDPSession(): Promise<CdpSessionLike> }): Promise<PageCensus> {
    const session = await page.createCDPSession();
    await session.send('Runtime.evaluate', { expression: INSTALL });
    return new PageCensus(session);
  }

  async sampleHeap(): Promise<number> {
    const { usedSize } = (await this.#session.send('Runtime.getHeapUsage')) as { usedSize: number };
    this.peakHeapBytes = Math.max(this.peakHeapBytes, usedSize);
    return usedSize;
  }

  /** Counted objects that outlive a collection of the page's garbage: counted until two counts agree. */
  async alive(): Promise<number> {
    let previous = Number.NaN;
    for (;;) {
      await this.#session.send('HeapProfiler.collectGarbage', {}, NO_TIMEOUT);
      const alive = await this.#count();
      if (alive === previous) return alive;
      previous = alive;
    }
  }

  /** Runs something in the page whose value is of no interest. */
  async run(expression: string): Promise<void> {
    await this.#session.send('Runtime.evaluate', { expression: `${expression}; void 0` });
  }

  async #count(): Promise<number> {
    const expression = 'counted.reduce((sum, ref) => sum + (ref.deref() === undefined ? 0 : 1), 0)';
    const answer = await this.#session.send('Runtime.evaluate', { expression, returnByValue: true });
    return (answer as { result: { value: number } }).result.value;
  }
}

const NO_TIMEOUT = { timeout: 0 };
