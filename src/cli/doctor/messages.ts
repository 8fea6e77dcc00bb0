/**
 * What the process of the script tells the doctor: a line of JSON each, written at once and not in the
 * background, since the last is written while the process exits.
 */
import { writeSync } from 'node:fs';
import type { OthersLook } from '../../clients/puppeteer/held-by-others.ts';
import type { AttachmentStats } from '../../handles/handle-table.ts';
import type { Leak, TraceCost } from '../../observe/leak-report.ts';
import { monotonicNow } from '../../timers.ts';

/** How the doctor tells the preloaded file what to do. */
export const ORDER_VARIABLE = 'CDP_RELEASE_BATCHER_DOCTOR';

export interface Order {
  /** File descriptor to write to. */
  readonly descriptor: number;
  /** Milliseconds between two reports; `undefined`: one at the end. */
  readonly everyMs: number | undefined;
}

/** The same for a thread that the script starts. */
export interface ThreadOrder extends Order {
  /** When the process began: milliseconds since the epoch. */
  readonly startedAt: number;
  /** One word, shared by all threads: 1 while one of them writes. */
  readonly writing: SharedArrayBuffer;
}

/** One look, for the course over time. */
export interface Sample {
  readonly kind: 'sample';
  /** Of the script's process; 0 is its main thread. */
  readonly thread: number;
  readonly elapsedMs: number;
  /** The most since the last sample. */
  readonly live: number;
  readonly heapBytes: number;
}

/** What has changed since the thread last told: so that nothing is missing, whoever ends the process, and how. */
export interface Changes {
  readonly kind: 'changes';
  readonly thread: number;
  readonly elapsedMs: number;
  /** Lines whose figures are others now; one that minted nothing is none any more. */
  readonly leaks: readonly Leak[];
}

/** Whether the script listens to a signal, which then is passed on in words, and not sent. */
export interface Listening {
  readonly kind: 'listening';
  readonly signal: NodeJS.Signals;
  readonly listens: boolean;
}

export interface Snapshot {
  readonly kind: 'snapshot';
  readonly thread: number;
  /** `checkpoint`: written meanwhile, to fall back upon should the process be killed. */
  readonly occasion: 'end' | 'asked' | 'interval' | 'checkpoint';
  readonly elapsedMs: number;
  readonly node: string;
  /** Browsers that the script launched, or connected to. */
  readonly browsers: number;
  /** Where there are none: what was seen of Puppeteer and Playwright. */
  readonly whyNothing?: string;
  readonly stats: AttachmentStats;
  readonly leaks: readonly Leak[];
  readonly cost: TraceCost;
}

/** What others hold in a browser's pages, looked for as the script closed it. */
export interface Others {
  readonly kind: 'others';
  readonly look: OthersLook;
  /** How long its closing was held up. */
  readonly elapsedMs: number;
}

export type Message = Sample | Changes | Snapshot | Listening | Others;

/** Writes it whole, between those of other threads. Never throws: the script must not suffer from a doctor that is gone. */
export function writeMessage({ descriptor, writing }: ThreadOrder, message: Message): void {
  const turn = new Int32Array(writing);
  // One that was terminated while it wrote never gives its turn back: it is taken.
  const patience = monotonicNow() + LONGEST_TURN_MS;
  while (Atomics.compareExchange(turn, 0, 0, 1) !== 0 && monotonicNow() < patience)
    Atomics.wait(turn, 0, 1, 5);
  try {
    writeWhole(descriptor, Buffer.from(`${JSON.stringify(message)}\n`));
  } finally {
    Atomics.store(turn, 0, 0);
    Atomics.notify(turn, 0);
  }
}

function writeWhole(descriptor: number, bytes: Buffer): void {
  let written = 0;
  for (let attempt = 0; written < bytes.length && attempt < MOST_ATTEMPTS; ) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'EAGAIN') return;
      attempt++; // The pipe is full: the doctor is reading.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

const LONGEST_TURN_MS = 3_000;
const MOST_ATTEMPTS = 400;

/** Puts lines together from what comes through the pipe, in whatever pieces. */
export class MessageReader {
  readonly #onMessage: (message: Message) => void;
  #rest = '';

  constructor(onMessage: (message: Message) => void) {
    this.#onMessage = onMessage;
  }

  readonly read = (text: string): void => {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      let message: Message;
      try {
        message = JSON.parse(line) as Message;
      } catch {
        continue; // The process was killed in the middle of a line.
      }
      this.#onMessage(message);
    }
  };
}
