/**
 * The way for releases that cannot go by the ring: ids that do not fit a slot, and releases that find the ring full. It
 * costs some fifty times as much, so all releases of one job that go this way share a message.
 *
 * It is a broadcast channel: its name, unlike a port, can be given to any number of workers at once. A worker opens it for
 * each message only: one that stays open would receive every other worker's messages.
 */

import { BroadcastChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { LONGEST_SPILL } from '../policy.ts';
import { queueMicrotask } from '../timers.ts';
import type { KeyedRelease } from './ring-memory.ts';

/** A worker's end. */
export class SpillOutbox {
  readonly #channel: string;
  #waiting: KeyedRelease[] = [];

  constructor(channel: string) {
    this.#channel = channel;
  }

  /** Posts the release at the end of this job at the latest. */
  add(release: KeyedRelease): void {
    const length = this.#waiting.push(release);
    if (length === 1) queueMicrotask(this.#post);
    if (length === LONGEST_SPILL) this.#post();
  }

  readonly #post = (): void => {
    if (this.#waiting.length === 0) return;
    const channel = new BroadcastChannel(this.#channel);
    channel.postMessage(this.#waiting);
    channel.close();
    this.#waiting = [];
  };
}

/** The connection's end. It does not keep the process alive. */
export class SpillInbox {
  readonly #channel: BroadcastChannel;
  #arrived: (readonly KeyedRelease[])[] = [];

  /** Calls `onArrival` once there is something to take. */
  constructor(channel: string, onArrival: () => void) {
    this.#channel = new BroadcastChannel(channel);
    this.#channel.unref();
    this.#channel.onmessage = (event) => {
      this.#arrived.push((event as { readonly data: readonly KeyedRelease[] }).data);
      onArrival();
    };
  }

  /** The releases of the next message, also of one whose event is still to come. */
  take(): readonly KeyedRelease[] | undefined {
    // Node accepts a broadcast channel here, and documents it; its types do not.
    return this.#arrived.shift() ?? receiveMessageOnPort(this.#channel as unknown as MessagePort)?.message;
  }

  close(): void {
    this.#channel.close();
  }
}
