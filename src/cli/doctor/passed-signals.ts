/**
 * Signals that the doctor gets, on their way to the script. A script that does not listen is sent the signal itself, and
 * ends by it as it would alone, even when it is busy. A script that listens gets a message: a terminal, or whoever signals
 * a process group, has sent the same signal to the script already, and it must come once.
 *
 * Invariant: the script sees no listener of ours.
 */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { monotonicNow, setTimeout, unref } from '../../timers.ts';
import { type ThreadOrder, writeMessage } from './messages.ts';

/** What is passed on. */
export type PassedSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';
export const PASSED_SIGNALS: readonly PassedSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

function isPassed(name: unknown): name is PassedSignal {
  return (PASSED_SIGNALS as readonly unknown[]).includes(name);
}

/** Milliseconds between a signal and its message, at the most, for both to count as one. */
const TOGETHER_MS = 100;

/** In the script's process: from now on signals that the doctor passes on are delivered. */
export class PassedSignals {
  readonly #order: ThreadOrder;
  readonly #listening = new Set<PassedSignal>();
  /** The times of signals for which no message of the doctor's has come yet. */
  readonly #came = new Map<PassedSignal, number[]>();
  #isOpen = false;
  #isDelivering = false;

  constructor(order: ThreadOrder) {
    this.#order = order;
  }

  /** Node calls `emit` for each signal, and for each listener that is added or removed. */
  watch(): void {
    const { emit } = process as { emit: (name: string, ...args: unknown[]) => boolean };
    const watching = (name: string, ...args: unknown[]): boolean => {
      const [about] = args;
      if (isPassed(name)) this.#noteSignal(name);
      else if (name === 'newListener' && isPassed(about)) this.#note(about, true);
      else if (name === 'removeListener' && isPassed(about) && process.listenerCount(about) === 0) {
        this.#note(about, false);
      }
      return emit.call(process, name, ...args);
    };
    Object.defineProperty(process, 'emit', {
      value: watching,
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }

  #noteSignal(name: PassedSignal): void {
    if (!this.#isDelivering) this.#came.set(name, [...(this.#came.get(name) ?? []), monotonicNow()]);
  }

  /** As Node does. */
  #deliver(name: PassedSignal): void {
    this.#isDelivering = true;
    try {
      (process as { emit(name: string, ...args: unknown[]): boolean }).emit(
        name,
        name,
        constants.signals[name],
      );
    } finally {
      this.#isDelivering = false;
    }
  }

  #note(signal: PassedSignal, listens: boolean): void {
    if (this.#listening.has(signal) === listens) return;
    if (listens) this.#listening.add(signal);
    else this.#listening.delete(signal);
    this.#open();
    writeMessage(this.#order, { kind: 'listening', signal, listens });
  }

  /** Called once there is a listener: until then nothing is passed on in messages. */
  #open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    const net = process.getBuiltinModule('node:net');
    const channel: Socket = new net.Socket({ fd: this.#order.descriptor, readable: true, writable: false });
    channel.unref();
    let rest = '';
    channel.setEncoding('utf8').on('error', () => {}); // The doctor is gone.
    channel.on('data', (text: string) => {
      const words = (rest + text).split('\n');
      rest = words.pop() ?? '';
      for (const word of words) if (isPassed(word)) this.#onWord(word);
    });
  }

  /** The signal itself has come, or comes in a moment; or only the doctor was sent it. */
  #onWord(name: PassedSignal): void {
    if (this.#match(name)) return;
    unref(
      setTimeout(() => {
        if (!this.#match(name)) this.#deliver(name);
      }, TOGETHER_MS),
    );
  }

  #match(name: PassedSignal): boolean {
    const came = (this.#came.get(name) ?? []).filter((at) => monotonicNow() - at < 2 * TOGETHER_MS);
    const isMatched = came.shift() !== undefined;
    this.#came.set(name, came);
    return isMatched;
  }
}
