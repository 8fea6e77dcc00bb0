/**
 * Inside the process of the script: every browser that it launches comes attached and traced, and what became
 * of its handles is written down on occasion. The script is to behave as it would alone: nothing here keeps
 * the process alive, prints, or throws.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { PuppeteerAttachment } from '../../clients/puppeteer/puppeteer-attachment.ts';
import type { BrowserLike } from '../../clients/puppeteer/structure.ts';
import { shadow } from '../../clients/session-hook.ts';
import type { AttachmentStats } from '../../handles/ledger/ledger-stats.ts';
import type { Leak } from '../../observe/leak-report.ts';
import type { TraceCost } from '../../observe/trace-budget.ts';
import { type Snapshot, writeMessage } from './messages.ts';

const SAMPLE_MS = 100;
/** How many samples make a checkpoint. */
const SAMPLES_PER_CHECKPOINT = 20;

export class Examination {
  readonly #descriptor: number;
  readonly #attachments: PuppeteerAttachment[] = [];
  #samples = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
    setInterval(this.#sample, SAMPLE_MS).unref();
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
    writeMessage(this.#descriptor, {
      kind: 'snapshot',
      occasion,
      elapsedMs: performance.now(),
      node: process.version,
      browsers: this.#attachments.length,
      stats: this.#stats(),
      leaks: mergeLeaks(this.#attachments.flatMap(({ leakReport }) => leakReport?.all() ?? [])),
      cost: this.#cost(),
    });
  }

  readonly #sample = (): void => {
    if (this.#attachments.length === 0) return;
    const { live } = this.#stats();
    const heapBytes = this.#attachments.reduce(
      (sum, { leakReport }) => sum + (leakReport?.pageHeapBytes ?? 0),
      0,
    );
    writeMessage(this.#descriptor, { kind: 'sample', elapsedMs: performance.now(), live, heapBytes });
    for (const attachment of this.#attachments) attachment.lookAtHeaps();
    if (++this.#samples % SAMPLES_PER_CHECKPOINT === 0) this.write('checkpoint');
  };

  #lookForForgotten(): void {
    collectGarbage();
    for (const { leakReport } of this.#attachments) leakReport?.noteUnreachable();
  }

  #stats(): AttachmentStats {
    const [first, ...others] = this.#attachments.map((attachment) => attachment.stats());
    const sum: Record<string, number> = { ...first };
    for (const stats of others) {
      for (const [name, count] of Object.entries(stats)) sum[name] = (sum[name] ?? 0) + count;
    }
    return sum as unknown as AttachmentStats;
  }

  #cost(): TraceCost {
    let [stacks, elapsedMs, skipped] = [0, 0, 0];
    for (const { leakReport } of this.#attachments) {
      stacks += leakReport?.cost.stacks ?? 0;
      elapsedMs += leakReport?.cost.elapsedMs ?? 0;
      skipped += leakReport?.cost.skipped ?? 0;
    }
    return { stacks, elapsedMs, skipped };
  }
}

/** One line may have minted in several browsers. */
function mergeLeaks(leaks: readonly Leak[]): Leak[] {
  const merged = new Map<string, Leak>();
  for (const leak of leaks) {
    const key = `${leak.source} ${leak.kind} ${leak.line}`;
    const other = merged.get(key);
    merged.set(key, other === undefined ? leak : sumOf(other, leak));
  }
  return [...merged.values()];
}

function sumOf(a: Leak, b: Leak): Leak {
  return {
    ...b,
    ...a,
    minted: a.minted + b.minted,
    disposed: a.disposed + b.disposed,
    collected: a.collected + b.collected,
    elided: a.elided + b.elided,
    live: a.live + b.live,
    ...(a.oldestMs === undefined && b.oldestMs === undefined
      ? {}
      : { oldestMs: Math.max(a.oldestMs ?? 0, b.oldestMs ?? 0) }),
  };
}

let gc: (() => void) | undefined;

/** Without `--expose-gc`, which the script would see. */
function collectGarbage(): void {
  if (gc === undefined) {
    setFlagsFromString('--expose-gc');
    gc = runInNewContext('gc') as () => void;
    setFlagsFromString('--no-expose-gc');
  }
  gc();
}
