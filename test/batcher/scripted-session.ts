// A session whose browser is the test: it sees what was sent, and answers what, when and how it likes.
import { setImmediate as macrotask } from 'node:timers/promises';
import { expect } from 'vitest';
import type { ReleaseSession } from '../../src/batcher/release.ts';
import type { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';
import { ended, type ReleaseStats } from '../../src/batcher/stats.ts';

export interface Sent {
  readonly method: string;
  readonly params: Record<string, unknown> | undefined;
  answer(): void;
  refuse(reason: unknown): void;
}

export class ScriptedSession implements ReleaseSession {
  readonly sent: Sent[] = [];
  /** Whether commands are answered as they come; if not, they wait for the test. */
  answersAtOnce: boolean;

  constructor(answers: 'at once' | 'when told' = 'at once') {
    this.answersAtOnce = answers === 'at once';
  }

  get ids(): unknown[] {
    return this.sent.map(({ params }) => params?.objectId);
  }

  send(method: string, params?: Record<string, unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.sent.push({ method, params, answer: () => resolve({}), refuse: reject });
      if (this.answersAtOnce) resolve({});
    });
  }

  /** Answers everything that is unanswered, and whatever comes from now on. */
  answerAll(): void {
    this.answersAtOnce = true;
    for (const { answer } of this.sent) answer();
  }
}

/** Turns the event loop until the condition holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within 5 s: ${condition}`);
    await macrotask();
  }
}

/** Lets everything run that could run without an answer from outside. */
export async function turns(count: number = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await macrotask();
}

/** The law of conservation: every handle is in the books once. */
export function expectConserved(stats: ReleaseStats): void {
  expect(stats.live + stats.queued + stats.inFlight + ended(stats), JSON.stringify(stats)).toBe(stats.minted);
}

/** Asserts, in addition, that nothing is on its way any more. */
export function expectAtRest(batcher: ReleaseBatcher): void {
  const stats = batcher.stats();
  expectConserved(stats);
  expect({ queued: stats.queued, inFlight: stats.inFlight }).toEqual({ queued: 0, inFlight: 0 });
}

export function releaseMany(
  batcher: ReleaseBatcher,
  session: ReleaseSession,
  count: number,
  prefix: string = '1.1.',
): void {
  for (let number = 1; number <= count; number++) batcher.release(session, `${prefix}${number}`);
}
