// A session whose browser is the test: it sees what was sent, and answers what, when and how it likes.
import type { ReleaseSession } from '../../src/batcher/release.ts';
import type { ReleaseBatcher } from '../../src/batcher/release-batcher.ts';

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

export function releaseMany(
  batcher: ReleaseBatcher,
  session: ReleaseSession,
  count: number,
  prefix: string = '1.1.',
): void {
  for (let number = 1; number <= count; number++) batcher.release(session, `${prefix}${number}`);
}
