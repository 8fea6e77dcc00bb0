/**
 * Runs inside the script's process: every browser that it launches is attached and traced, and each change of a handle is
 * reported at once, so that nothing is missing however the process ends. The script must behave as it does alone: nothing
 * here keeps the process alive, prints, or throws.
 */
import { threadId } from 'node:worker_threads';
import { heldByOthers, type OthersLook } from '../../clients/puppeteer/held-by-others.ts';
import { PuppeteerAttachment } from '../../clients/puppeteer/puppeteer-attachment.ts';
import { whyNothing } from '../../clients/puppeteer/register-orders.ts';
import { clientsSeen } from '../../clients/puppeteer/registration.ts';
import type { BrowserLike } from '../../clients/puppeteer/structure.ts';
import { shadow } from '../../clients/session-hook.ts';
import type { Attachment } from '../../handles/attachment.ts';
import type { AttachmentStats } from '../../handles/handle-table.ts';
import type { LeakReport } from '../../observe/leak-report.ts';
import type { MintAccount } from '../../observe/traced-mint.ts';
import { monotonicNow, queueMicrotask, setInterval, timeOrigin, unref } from '../../timers.ts';
import { collect } from '../collector.ts';
import { type Snapshot, type ThreadOrder, writeMessage } from './messages.ts';
import { mergeLeaks, sumOfCosts, sumOfStats } from './sums.ts';

const SAMPLE_MS = 100;
/** Samples between two checkpoints. */
const SAMPLES_PER_CHECKPOINT = 20;

/** Milliseconds by which closing one browser may be delayed to look for what others hold, and all of them together. */
const ONE_CLOSE_MS = 3_000;
const ALL_CLOSES_MS = 10_000;
/** The snapshot of a larger heap would take too long. */
const OTHERS_LIMITS = { maxHeapBytes: 64e6, timeoutMs: 2_000 };

/** Whether the script was started with `register`. It attaches to each browser then, as the doctor does. */
const IS_REGISTERED = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((argument) =>
  /cdp-release-batcher[\\/]register/.test(argument),
);

export class Examination {
  readonly #order: ThreadOrder;
  readonly #attachments: Attachment[] = [];
  /** How often the script itself has asked for each of these. */
  readonly #asked = new Map<Attachment, number>();
  /** Lines whose figures have changed since they were reported, each under all that identifies it. */
  readonly #changed = new Map<string, Pick<MintAccount, 'line' | 'kind' | 'source'>>();
  #isTellingDue = false;
  #samples = 0;
  #othersBudgetMs = ALL_CLOSES_MS;

  constructor(order: ThreadOrder) {
    this.#order = order;
    unref(setInterval(this.#sample, SAMPLE_MS));
  }

  readonly onAttached = (attachment: Attachment, browser: object): void => {
    if (this.#attachments.includes(attachment)) {
      this.#noteAsked(attachment, -1); // The call that gave the attachment again was not the script's.
      return;
    }
    this.#attachments.push(attachment);
    this.#followAsking(attachment);
    attachment.leakReport?.onChange(this.#onChange);
    this.write('checkpoint');
    const { close } = browser as { close?: (...args: never[]) => unknown };
    if (close === undefined) return;
    let isClosing = false;
    shadow(browser, 'close', (...args: never[]) => {
      // Before this, what was forgotten can be told from what is still held. Afterwards all has ended with the browser.
      this.#lookForForgotten();
      if (isClosing) return close.apply(browser, args);
      isClosing = true;
      if (!(attachment instanceof PuppeteerAttachment)) {
        this.#tellOthers(notLookedInto('that is done for Puppeteer only'), 0);
        return close.apply(browser, args);
      }
      return this.#lookForOthers(attachment, browser as BrowserLike).then(() => close.apply(browser, args));
    });
  };

  /** `attach` of a browser that is attached already gives the same attachment, by its `hold`. */
  #followAsking(attachment: Attachment): void {
    this.#asked.set(attachment, IS_REGISTERED ? 1 : 0);
    const { hold } = attachment;
    shadow(attachment, 'hold', (...args: Parameters<typeof hold>) => {
      this.#noteAsked(attachment, 1);
      return hold.apply(attachment, args);
    });
  }

  #noteAsked(attachment: Attachment, times: number): void {
    this.#asked.set(attachment, (this.#asked.get(attachment) ?? 0) + times);
  }

  /** Looks for what others hold, while the pages are still there. Never rejects. */
  async #lookForOthers(attachment: PuppeteerAttachment, browser: BrowserLike): Promise<void> {
    const startedAt = monotonicNow();
    const budgetMs = Math.min(ONE_CLOSE_MS, this.#othersBudgetMs);
    let look: OthersLook;
    try {
      if (budgetMs <= 0)
        throw new Error('looking into other browsers has taken all the time that there is for it');
      look = await heldByOthers(attachment, browser, { ...OTHERS_LIMITS, budgetMs });
    } catch (error) {
      look = notLookedInto((error as Error).message);
    }
    const elapsedMs = monotonicNow() - startedAt;
    this.#othersBudgetMs -= elapsedMs;
    this.#tellOthers(look, elapsedMs);
  }

  #tellOthers(look: OthersLook, elapsedMs: number): void {
    writeMessage(this.#order, { kind: 'others', look, elapsedMs });
  }

  /** Writes the present figures. Except for a checkpoint, it collects garbage first. */
  write(occasion: Snapshot['occasion']): void {
    if (occasion !== 'checkpoint') this.#lookForForgotten();
    this.#writeSample();
    const reports = this.#reports();
    this.#changed.clear();
    writeMessage(this.#order, {
      kind: 'snapshot',
      thread: threadId,
      occasion,
      elapsedMs: this.#elapsedMs(),
      node: process.version,
      browsers: this.#attachments.length,
      attached: [...this.#asked.values()].filter((times) => times > 0).length,
      ...(this.#attachments.length === 0 ? { whyNothing: whyNothing(clientsSeen()) } : {}),
      stats: this.#stats(),
      leaks: mergeLeaks(reports.flatMap((report) => report.all())),
      cost: sumOfCosts(reports.map(({ cost }) => cost)),
    });
  }

  /**
   * Handles that the script was given, or has disposed of, are reported before the script's own code runs: a promise's
   * reaction comes later than this. All other changes can wait for the next sample.
   */
  readonly #onChange = (account: MintAccount): void => {
    const { line, kind, source } = account;
    this.#changed.set(`${source} ${kind} ${line}`, account);
    if (source !== 'script' || this.#isTellingDue) return;
    this.#isTellingDue = true;
    queueMicrotask(this.#tellChanges);
  };

  readonly #tellChanges = (): void => {
    this.#isTellingDue = false;
    if (this.#changed.size === 0) return;
    const reports = this.#reports();
    const leaks = [...this.#changed.values()].map(({ line, kind, source }) => {
      const nothing = { line, kind, source, minted: 0, disposed: 0, collected: 0, elided: 0, live: 0 };
      return mergeLeaks(reports.flatMap((report) => report.find({ line, kind, source }) ?? []))[0] ?? nothing;
    });
    this.#changed.clear();
    writeMessage(this.#order, { kind: 'changes', thread: threadId, elapsedMs: this.#elapsedMs(), leaks });
  };

  readonly #sample = (): void => {
    if (this.#attachments.length === 0) return;
    this.#tellChanges();
    for (const attachment of this.#attachments) attachment.lookAtHeaps();
    if (++this.#samples % SAMPLES_PER_CHECKPOINT === 0) this.write('checkpoint');
    else this.#writeSample();
  };

  #writeSample(): void {
    if (this.#attachments.length === 0) return;
    const reports = this.#reports();
    writeMessage(this.#order, {
      kind: 'sample',
      thread: threadId,
      elapsedMs: this.#elapsedMs(),
      live: reports.reduce((sum, report) => sum + report.takePeakLive(), 0),
      heapBytes: reports.reduce((sum, { pageHeapBytes }) => sum + pageHeapBytes, 0),
    });
  }

  #reports(): LeakReport[] {
    return this.#attachments.flatMap(({ leakReport }) => leakReport ?? []);
  }

  #lookForForgotten(): void {
    collect();
    for (const report of this.#reports()) report.noteUnreachable();
  }

  /** Of the process, the same on each thread. */
  #elapsedMs(): number {
    return timeOrigin + monotonicNow() - this.#order.startedAt;
  }

  #stats(): AttachmentStats {
    return sumOfStats(this.#attachments.map((attachment) => attachment.stats()));
  }
}

function notLookedInto(why: string): OthersLook {
  return { targets: [], unseen: [{ type: 'browser', url: '', targetId: '', why }] };
}
