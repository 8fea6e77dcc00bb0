/**
 * The pages whose calls are told from Puppeteer's own while leaks are traced. Calls are followed on the classes
 * of pages, frames and workers, which are found by an instance of each: so pages are named here as they come.
 */
import type { LeakReport } from '../../observe/leak-report.ts';
import { targetOf } from './browser-connection.ts';
import { followCalls, wrapClassesOf } from './call-trace.ts';
import type { CdpSessionLike, PageLike } from './structure.ts';

export class TracedPages {
  readonly #pages = new Set<PageLike>();
  #unfollow: (() => void) | undefined;

  /** Follows calls for a report, until `stop`. Once; later calls do nothing. */
  follow(report: LeakReport): void {
    this.#unfollow ??= followCalls(report);
  }

  stop(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    for (const page of this.#pages) page.off?.('workercreated', wrapClassesOf);
    this.#pages.clear();
  }

  /** Does nothing while no calls are followed. */
  add(page: PageLike): void {
    if (this.#unfollow === undefined || this.#pages.has(page)) return;
    for (const other of this.#pages) if (other.isClosed()) this.#pages.delete(other);
    this.#pages.add(page);
    wrapClassesOf(page);
    wrapClassesOf(page.mainFrame?.());
    page.on?.('workercreated', wrapClassesOf);
  }

  /**
   * The page is found by its target, once Puppeteer has begun to make it: an event that comes by then, with each Puppeteer,
   * is that of a page's life. Contexts, for one, are not told to a Puppeteer that does not ask for them.
   */
  addPageOf(session: CdpSessionLike): void {
    if (this.#unfollow === undefined) return;
    targetOf(session)?.pagePromise?.then(
      (found) => {
        if (found !== null) this.add(found);
      },
      () => {}, // A page that never came to be.
    );
  }
}
