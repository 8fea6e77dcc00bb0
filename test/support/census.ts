/**
 * Counts inside the page what is still alive there. The page gets a global `mk()`, which makes an object and
 * notes it by WeakRef; the census collects the page's garbage and counts the WeakRefs that still have their
 * object. It speaks through a session of its own and mints no remote object, so it keeps nothing alive and
 * disturbs no ledger.
 */
import type { CDPSession, Page } from 'puppeteer-core';

declare global {
  /** Inside a page with a census: makes an object that the census counts. */
  function mk(): { big: number[] };
}

/** Anything that sends commands to one target. */
export type CensusSession = Pick<CDPSession, 'send'>;

const INSTALL = `
  globalThis.censusRefs = [];
  globalThis.mk = () => {
    const object = { big: new Array(1000).fill(1) };
    censusRefs.push(new WeakRef(object));
    return object;
  };
  void 0;
`;

export class Census {
  readonly #session: CensusSession;

  private constructor(session: CensusSession) {
    this.#session = session;
  }

  /** Installs `mk()` in the page's document, and in each document that it navigates to. */
  static async open(page: Page): Promise<Census> {
    const session = await page.createCDPSession();
    await session.send('Page.enable');
    await session.send('Page.addScriptToEvaluateOnNewDocument', { source: INSTALL });
    return Census.openOn(session);
  }

  /** Installs `mk()` in the global scope that the session speaks to now: a worker's, say. */
  static async openOn(session: CensusSession): Promise<Census> {
    await session.send('Runtime.evaluate', { expression: INSTALL });
    return new Census(session);
  }

  /**
   * How many objects that `mk()` made are still alive in the current document, after the page's garbage was collected
   * until two counts in a row agree: one collection can leave what only another's finalizer lets go of.
   */
  async alive(): Promise<number> {
    let previous = Number.NaN;
    for (;;) {
      await this.#session.send('HeapProfiler.collectGarbage');
      const alive = await this.#count();
      if (alive === previous) return alive;
      previous = alive;
    }
  }

  /** Forgets what was made so far, alive or not: the next count starts at zero. */
  async reset(): Promise<void> {
    await this.#session.send('Runtime.evaluate', { expression: 'void (censusRefs.length = 0)' });
  }

  async #count(): Promise<number> {
    const { result } = await this.#session.send('Runtime.evaluate', {
      expression: 'censusRefs.filter((ref) => ref.deref()).length',
      returnByValue: true,
    });
    return result.value;
  }
}
