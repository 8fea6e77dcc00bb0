/**
 * How long an answer is waited for. A program whose event loop was blocked has heard nothing meanwhile: its timers fire
 * first, and what the browser has long answered lies in the socket. So a deadline that is passed late is put off once, by
 * as much as it was late, and none is over before what has arrived is read.
 */
import { clearTimeout, monotonicNow, setImmediate, setTimeout, unref } from '../timers.ts';

/** A timer that fires later than that is taken for a sign that the event loop was blocked. */
const LATE_MS = 20;
/** Turns of the event loop in which what has arrived is read: one to read it, one for clients that hand it on later. */
const TURNS_TO_READ = 2;

export class Deadline {
  readonly #onPassed: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isStopped = false;

  /**
   * @param onPassed called once, unless it is stopped before.
   * @param options whether somebody awaits it: then it keeps the process alive.
   */
  constructor(timeoutMs: number, onPassed: () => void, { isAwaited = false }: { isAwaited?: boolean } = {}) {
    this.#onPassed = onPassed;
    const dueAt = monotonicNow() + timeoutMs;
    this.#start(timeoutMs, isAwaited, () => {
      const lateMs = monotonicNow() - dueAt;
      if (lateMs <= LATE_MS) this.#read(TURNS_TO_READ);
      else this.#start(Math.min(lateMs, timeoutMs), isAwaited, () => this.#read(TURNS_TO_READ));
    });
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  #start(ms: number, isAwaited: boolean, onFired: () => void): void {
    this.#timer = setTimeout(onFired, ms);
    if (!isAwaited) unref(this.#timer);
  }

  #read(turns: number): void {
    if (this.#isStopped) return;
    if (turns === 0) this.#onPassed();
    else setImmediate(() => this.#read(turns - 1));
  }
}
