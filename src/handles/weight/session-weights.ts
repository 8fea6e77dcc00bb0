/**
 * What the handles of each session of one attachment weigh: what the user says, or what the session's page holds
 * for them. A page that has just been opened is taken to be like the last one that was looked at: in a farm whose
 * pages live for a second, what each would have to find out anew is most of their life.
 */
import { CollectingTime } from './collecting-time.ts';
import {
  type AskablePage,
  DEFAULT_BYTES_PER_HANDLE,
  fixedWeight,
  GcWeight,
  type HandleWeight,
} from './gc-weight.ts';

/** A session whose handles are to be weighed. */
export interface WeighedSession {
  readonly queue: AskablePage;
  /** How many handles the browser holds for it. */
  readonly size: number;
}

export interface SessionWeights<Session extends WeighedSession> {
  create(session: Session): HandleWeight;
  /** A session for which one was created is over. Once for each. */
  end(): void;
  /** Stops watching this process, for good; weights that were made stay as they are. */
  stop(): void;
}

/** The same for all. */
export function fixedWeights(bytes: number): SessionWeights<WeighedSession> {
  const weight = fixedWeight(bytes);
  return { create: () => weight, end: () => {}, stop: () => {} };
}

/** @param onLook told of each look at a page: its heap, and what a handle stands for there, in bytes; 0 while unknown. */
export function followingWeights<Session extends WeighedSession>(
  now: () => number,
  onLook: (session: Session, pageBytes: number, pageBytesPerHandle: number) => void,
): SessionWeights<Session> {
  const collecting = new CollectingTime();
  let lastBytes = DEFAULT_BYTES_PER_HANDLE;
  let sessions = 0;
  let isStopped = false;
  return {
    create: (session) => {
      sessions++;
      if (!isStopped) collecting.start();
      return new GcWeight(session.queue, {
        firstBytes: lastBytes,
        countHandles: () => session.size,
        collectingMs: () => collecting.ms,
        now,
        onLook: (pageBytes, pageBytesPerHandle) => onLook(session, pageBytes, pageBytesPerHandle),
        onWeighed: (bytes) => {
          lastBytes = bytes;
        },
      });
    },
    end: () => {
      if (--sessions === 0) collecting.stop();
    },
    stop: () => {
      isStopped = true;
      collecting.stop();
    },
  };
}
