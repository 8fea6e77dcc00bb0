/**
 * Inside the process of the script: every browser that it launches comes attached and traced, and what became
 * of its handles is written down on occasion. The script is to behave as it would alone: nothing here keeps
 * the process alive, prints, or throws.
 */
import { threadId } from 'node:worker_threads';
import type { PuppeteerAttachment } from '../../clients/puppeteer/puppeteer-attachment.ts';
import type { BrowserLike } from '../../clients/puppeteer/structure.ts';
import { shadow } from '../../clients/session-hook.ts';
import type { AttachmentStats } from '../../handles/ledger/ledger-stats.ts';
import { monotonicNow, setInterval, timeOrigin, unref } from '../../timers.ts';
import { collect } from '../collector.ts';
import { type Snapshot, type ThreadOrder, writeMessage } from './messages.ts';
import { mergeLeaks, sumOfCosts, sumOfStats } from './sums.ts';

const SAMPLE_MS = 100;
/** How many samples make a checkpoint. */
const SAMPLES_PER_CHECKPOINT = 20;

export class Examination {
  readonly #order: ThreadOrder;
  readonly #attachments: PuppeteerAttachment[] = [];
  #samples = 0;

  constructor(order: ThreadOrder) {
    this.#order = order;
    unref(setInterval(this.#sample, SAMPLE_MS));
  }

  readonly onAttached = (attachment: PuppeteerAttachment, browser: BrowserLike): void => {
    if (this.#attachments.includes(attachment)) return;
    this.#attachments.push(attachment);
    const { close } = browser as { close?: (...args: never[]) => unknown };
    if (close === undefined) return;
    // What is forgotten by then can be told from what is still held; afterwards all has ended with the browser.
    shadow(browser, 'close', (...args: never[]) => {
      this.#lookForForgotten();
      return close.apply(browser, args);
    });
  };

  /** Writes down how things stand, having looked for what is forgotten but for a checkpoint. */
  write(occasion: Snapshot['occasion']): void {
    if (occasion !== 'checkpoint') this.#lookForForgotten();
    const reports = this.#attachments.flatMap(({ leakReport }) => leakReport ?? []);
    writeMessage(this.#order, {
      kind: 'snapshot',
      thread: threadId,
      occasion,
      elapsedMs: this.#elapsedMs(),
      node: process.version,
      browsers: this.#attachments.length,
      stats: this.#stats(),
      leaks: mergeLeaks(reports.flatMap((report) => report.all())),
      cost: sumOfCosts(reports.map(({ cost }) => cost)),
    });
  }

  readonly #sample = (): void => {
    if (this.#attachments.length === 0) return;
    const { live } = this.#stats();
    const heapBytes = this.#attachments.reduce(
      (sum, { leakReport }) => sum + (leakReport?.pageHeapBytes ?? 0),
      0,
    );
    writeMessage(this.#order, {
      kind: 'sample',
      thread: threadId,
      elapsedMs: this.#elapsedMs(),
      live,
      heapBytes,
    });
    for (const attachment of this.#attachments) attachment.lookAtHeaps();
    if (++this.#samples % SAMPLES_PER_CHECKPOINT === 0) this.write('checkpoint');
  };

  #lookForForgotten(): void {
    collect();
    for (const { leakReport } of this.#attachments) leakReport?.noteUnreachable();
  }

  /** Of the process, whichever thread this is. */
  #elapsedMs(): number {
    return timeOrigin + monotonicNow() - this.#order.startedAt;
  }

  #stats(): AttachmentStats {
    return sumOfStats(this.#attachments.map((attachment) => attachment.stats()));
  }
}
