/**
 * The census of the demo and the bench: counts the objects made in a page that are still alive, inside the page, by
 * WeakRefs and after forced collections. It uses a session of its own, beside Puppeteer's, and mints no remote object.
 */
import { setTimeout } from 'node:timers/promises';

/** In the page: makes an object that holds `length` numbers, 8 bytes each, and notes it for the census. */
export type MakeCounted = (length: number) => object;

/** The members of a Puppeteer session that the census uses. */
interface CensusSession {
  send(method: string, params?: Record<string, unknown>, options?: unknown): Promise<unknown>;
}

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
  readonly #session: CensusSession;
  /** The largest page heap seen by `sampleHeap`, in bytes, garbage included. */
  peakHeapBytes = 0;

  private constructor(session: CensusSession) {
    this.#session = session;
  }

  static async open(page: { createCDPSession(): Promise<CensusSession> }): Promise<PageCensus> {
    const session = await page.createCDPSession();
    await session.send('Runtime.evaluate', { expression: INSTALL });
    return new PageCensus(session);
  }

  /** @returns the present size of the page's JavaScript heap: bytes. */
  async sampleHeap(): Promise<number> {
    const { usedSize } = (await this.#session.send('Runtime.getHeapUsage')) as { usedSize: number };
    this.peakHeapBytes = Math.max(this.peakHeapBytes, usedSize);
    return usedSize;
  }

  /**
   * Counted objects that survive a collection in the page: counted until two counts agree.
   *
   * @param msBetween time between two counts, for objects that are let go of in quiet moments only, as console messages
   * are.
   */
  async alive(msBetween = 0): Promise<number> {
    let previous = Number.NaN;
    for (;;) {
      await this.#session.send('HeapProfiler.collectGarbage', {}, NO_TIMEOUT);
      const alive = await this.#count();
      if (alive === previous) return alive;
      previous = alive;
      if (msBetween > 0) await setTimeout(msBetween);
    }
  }

  /** Runs an expression in the page whose value is not needed. */
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
