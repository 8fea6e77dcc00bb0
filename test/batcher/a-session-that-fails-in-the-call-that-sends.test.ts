// A session that throws, or ends, in the very call in which a release is sent: what waits behind ends once, whether a
// round sends it or a drain that must not wait.
import { describe, expect, test } from 'vitest';
import { Dispatcher } from '../../src/batcher/dispatcher.ts';
import { resolveBatcherOptions } from '../../src/batcher/options.ts';
import { type OnAnswer, POST, type ReleaseSession } from '../../src/batcher/release.ts';
import type { SessionQueue } from '../../src/batcher/session-queue.ts';
import { emptyStats, type ReleaseStats } from '../../src/batcher/stats.ts';
import { expectAtRest } from '../support/conservation.ts';
import { turns } from '../support/turns.ts';

const MANY = 1_000;
/** In the middle of the first batch. */
const FAILING = 30;

type Fail = () => void;

/** The ways in which a release is sent. Each calls `fail` in the call in which it sends its 30th command. */
const sessions: Record<string, (fail: Fail) => ReleaseSession & { sent: number }> = {
  'by send': (fail) => ({
    sent: 0,
    send() {
      if (++this.sent === FAILING) fail();
      return Promise.resolve({});
    },
  }),
  'by posts': (fail) => {
    const session = {
      sent: 0,
      send: () => Promise.resolve({}),
      [POST](_method: string, _params: unknown, slot: number, onAnswer: OnAnswer) {
        try {
          if (++session.sent === FAILING) fail();
          void Promise.resolve().then(() => onAnswer(slot));
        } catch (error) {
          onAnswer(slot, error);
        }
      },
    };
    return session;
  },
  'by arrays of ids': (fail) => ({
    sent: 0,
    send: () => Promise.resolve({}),
    releaseObjects() {
      if (++this.sent === 2) fail();
      return Promise.resolve({});
    },
  }),
};

/** What goes wrong in that call. */
const failures: Record<string, (dispatcher: Dispatcher, queue: SessionQueue) => void> = {
  'throws that it is closed': () => {
    throw new Error('Session closed');
  },
  'tells of its end': (dispatcher, queue) => dispatcher.cancel(queue, 'gone'),
  crashes: (dispatcher, queue) => dispatcher.lose(queue),
};

describe.each(Object.keys(sessions))('releases sent %s', (how) => {
  describe.each(Object.keys(failures))('over a session that %s', (what) => {
    test.each(['drainNow', 'dispatchNow', 'a round'] as const)('through %s', async (by) => {
      const stats: ReleaseStats = emptyStats();
      const dispatcher = new Dispatcher(resolveBatcherOptions({}), stats);
      const session = sessions[how]?.(() => failures[what]?.(dispatcher, queue));
      if (session === undefined) throw new Error('no such session');
      const queue = dispatcher.queue(session);
      for (let number = 1; number <= MANY; number++) {
        stats.minted++;
        stats.queued++;
        dispatcher.enqueue(queue, `1.1.${number}`);
      }
      if (by !== 'a round') dispatcher[by](queue);
      await turns();
      expectAtRest(stats);
      expect(stats.released + stats.gone).toBe(MANY);
      expect(queue.state, 'nothing is left to do').toBe('idle');
    });
  });
});
