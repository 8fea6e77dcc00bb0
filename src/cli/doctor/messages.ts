/**
 * The messages of the script's process to the doctor: one line of JSON each. They are written at once and not in the
 * background, since the last is written while the process exits.
 */
import { writeSync } from 'node:fs';
import type { OthersLook } from '../../clients/puppeteer/held-by-others.ts';
import type { AttachmentStats } from '../../handles/handle-table.ts';
import type { Leak, TraceCost } from '../../observe/leak-report.ts';
import { monotonicNow } from '../../timers.ts';

/** The doctor's orders to the preloaded file. */
export const ORDER_VARIABLE = 'CDP_RELEASE_BATCHER_DOCTOR';

export interface Order {
  /** The file descriptor to write to. */
  readonly descriptor: number;
  /** Milliseconds between two reports; `undefined` for one at the end. */
  readonly everyMs: number | undefined;
}

/** The same for a thread that the script starts. */
export interface ThreadOrder extends Order {
  /** When the process began: milliseconds since the epoch. */
  readonly startedAt: number;
  /** One word, shared by all threads: 1 while one of them writes. */
  readonly writing: SharedArrayBuffer;
}

/** One sample of the course over time. */
export interface Sample {
  readonly kind: 'sample';
  /** The thread's id; 0 is the main thread. */
  readonly thread: number;
  readonly elapsedMs: number;
  /** The most since the last sample. */
  readonly live: number;
  readonly heapBytes: number;
}

/** Changes since the thread's last message. So nothing is missing, however the process ends. */
export interface Changes {
  readonly kind: 'changes';
  readonly thread: number;
  readonly elapsedMs: number;
  /** Lines whose figures have changed. A line that has minted nothing any more is removed. */
  readonly leaks: readonly Leak[];
}

/** Whether the script listens to a signal. Then the signal is passed on in a message, and not sent. */
export interface Listening {
  readonly kind: 'listening';
  readonly signal: NodeJS.Signals;
  readonly listens: boolean;
}

export interface Snapshot {
  readonly kind: 'snapshot';
  readonly thread: number;
  /** `checkpoint`: written in between, in case the process is killed. */
  readonly occasion: 'end' | 'asked' | 'interval' | 'checkpoint';
  readonly elapsedMs: number;
  readonly node: string;
  /** Browsers that the script launched, or connected to. */
  readonly browsers: number;
  /** Of these, browsers that the script attaches to itself, by `attach` or `register`. */
  readonly attached: number;
  /** Where there are none: which Puppeteer and Playwright were seen. */
  readonly whyNothing?: string;
  readonly stats: AttachmentStats;
  readonly leaks: readonly Leak[];
  readonly cost: TraceCost;
}

/** What others hold in a browser's pages, found when the script closed the browser. */
export interface Others {
  readonly kind: 'others';
  readonly look: OthersLook;
  /** Milliseconds by which its closing was delayed. */
  readonly elapsedMs: number;
}

export type Message = Sample | Changes | Snapshot | Listening | Others;

/** Writes it whole, between the messages of other threads. Never throws, even when the doctor is gone. */
export function writeMessage({ descriptor, writing }: ThreadOrder, message: Message): void {
  const turn = new Int32Array(writing);
  // A thread that was terminated while it wrote never gives its turn back, so the turn is taken.
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

/** Joins the pieces that come through the pipe to lines. */
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
