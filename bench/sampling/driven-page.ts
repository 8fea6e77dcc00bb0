/**
 * The page that one sample is taken on, and the Puppeteer that drives it: as it is, attached, or with
 * releases that cost nothing. Every sample has a fresh connection and a fresh page, so that no sample pays
 * for another, and a subject that is not at work is attached to nothing.
 */

import { PageCensus } from '../../src/cli/page-census.ts';
import { type AttachOptions, attach, type PuppeteerAttachment } from '../../src/clients/puppeteer/index.ts';
import { monotonicNow } from '../../src/timers.ts';
import { closePage, openPage } from './open-pages.ts';
import type { BenchBrowser, BenchPage, CountableConnection } from './puppeteer-structure.ts';
import type { Sample } from './sample.ts';
import { Stopwatch } from './stopwatch.ts';

/** `floor`: what Puppeteer's own bookkeeping costs, where a release costs nothing at all. */
export type Variant = 'plain' | 'attached' | 'floor';

export interface DrivenPageOptions {
  readonly variant: Variant;
  readonly attachOptions?: AttachOptions;
}

/** What a workload tells of itself; the rest of a sample is measured here. */
export interface Outcome {
  readonly handles: number;
  /** Objects that the script keeps, and the census therefore must find. */
  readonly kept?: number;
  readonly mustLetGo: boolean;
  /** Whether the page is gone with its browser, so that no census can be taken. */
  readonly isOver?: boolean;
  /** Releases sent by a client that is not Puppeteer. */
  readonly commands?: number;
  readonly heap?: Sample['heap'];
  readonly extra?: Sample['extra'];
}

export class DrivenPage {
  readonly browser: BenchBrowser;
  readonly page: BenchPage;
  readonly census: PageCensus;
  /** There unless the variant is `plain` or `floor`. */
  readonly releases: PuppeteerAttachment | undefined;
  readonly #watch: Stopwatch = new Stopwatch();
  #timing: ReturnType<Stopwatch['stop']> | undefined;
  #releasesOnWire = 0;
  #lastAnswerAt = Number.NEGATIVE_INFINITY;
  #commands = 0;
  #crash: Promise<void>;

  private constructor(
    browser: BenchBrowser,
    page: BenchPage,
    census: PageCensus,
    releases: PuppeteerAttachment | undefined,
  ) {
    this.browser = browser;
    this.page = page;
    this.census = census;
    this.releases = releases;
    this.#crash = new Promise((resolve) => page.on('error', () => resolve()));
    this.#countReleases(page._client().connection() as CountableConnection);
  }

  /** A page of its own in a browser that nobody else of this process speaks to. */
  static async open(
    browser: BenchBrowser,
    { variant, attachOptions }: DrivenPageOptions,
  ): Promise<DrivenPage> {
    const releases = variant === 'attached' ? attach(browser, attachOptions) : undefined;
    const page = await openPage(browser);
    if (variant === 'floor') releaseForNothing(page);
    return new DrivenPage(browser, page, await PageCensus.open(page), releases);
  }

  /** Where the measured stretch begins. */
  start(): void {
    this.#commands = this.#commandsSoFar();
    this.#watch.start();
  }

  /** Where it ends: by default when all that was dropped has been answered. */
  async stop({ letGo = true }: { readonly letGo?: boolean } = {}): Promise<void> {
    const scriptDoneAt = monotonicNow();
    if (letGo) await this.releases?.flush({ timeoutMs: 120_000 });
    // What the library tidies up after the page's last answer is in the CPU time, not in the page's.
    const letGoAt = Math.max(scriptDoneAt, this.#lastAnswerAt);
    this.#timing = this.#watch.stop(letGo && this.releases !== undefined ? letGoAt : undefined);
  }

  /** What a client of another make attaches to. */
  async targetId(): Promise<string> {
    const { targetInfo } = (await this.page._client().send('Target.getTargetInfo')) as {
      targetInfo: { targetId: string };
    };
    return targetInfo.targetId;
  }

  /** Resolves if and when the page crashes. */
  get crashed(): Promise<void> {
    return this.#crash;
  }

  /**
   * Takes the census and closes the page.
   *
   * @param isCrashed where there is no page any more to take one of.
   */
  async close(outcome: Outcome, isCrashed = false): Promise<Sample> {
    if (this.#timing === undefined) throw new Error('a workload ended that was never timed');
    const commands = outcome.commands ?? this.#commandsSoFar() - this.#commands;
    const { handles, kept = 0, mustLetGo, isOver = false, heap, extra } = outcome;
    const alive = isCrashed || isOver ? null : await this.census.alive();
    if (!isCrashed && !isOver) await closePage(this.page);
    return {
      handles,
      commands,
      ...this.#timing,
      ...(this.census.peakHeapBytes === 0 ? {} : { peakHeapBytes: this.census.peakHeapBytes }),
      ...(isOver ? {} : { leftAlive: alive === null ? null : alive - kept }),
      mustLetGo,
      ...(heap === undefined ? {} : { heap }),
      ...(extra === undefined ? {} : { extra }),
    };
  }

  /** Releases seen on the wire; where the library sent others on top, to move survivors, those too. */
  #commandsSoFar(): number {
    return Math.max(this.#releasesOnWire, this.releases?.stats().commands ?? 0);
  }

  #countReleases(connection: CountableConnection): void {
    const send = connection._rawSend;
    const noteAnswer = (): void => {
      this.#lastAnswerAt = monotonicNow();
    };
    connection._rawSend = (callbacks, method, ...rest) => {
      const answer = send.call(connection, callbacks, method, ...rest);
      if (method !== 'Runtime.releaseObject' && method !== 'Runtime.releaseObjectGroup') return answer;
      this.#releasesOnWire++;
      // Plain Puppeteer's script waits for the answers itself, so nothing is put in its way.
      if (this.releases !== undefined) void answer.then(noteAnswer, noteAnswer);
      return answer;
    };
  }
}

function releaseForNothing(page: BenchPage): void {
  const session = page._client();
  const { send } = session;
  session.send = (method, params, options) =>
    method === 'Runtime.releaseObject' ? Promise.resolve({}) : send.call(session, method, params, options);
}
