/**
 * The detached worker: sends one batch in one go and sees each of its releases to its end.
 * However the session behaves (throws, never answers, answers twice, returns no promise), the
 * returned promise resolves within `timeoutMs`, or at once where the lane is lost, and each release is
 * settled exactly once.
 */

import { Deadline } from './deadline.ts';
import type { Lane } from './lane.ts';
import { type Outcome, type Reach, type Refusal, refusalOf } from './outcome.ts';
import {
  type OnAnswer,
  POST,
  type PostingSession,
  type Release,
  type ReleaseSession,
  singleObjectOf,
} from './release.ts';
import { withStackTraceLimit } from './stack-trace-limit.ts';

/** Told once for each release of a batch, as it ends. Must not throw. */
export type OnSettled = (release: Release | string, outcome: Outcome, reach: Reach) => void;

/**
 * @param batch belongs to the worker from here on: a slot is emptied as its release settles, so that what a
 * release keeps alive is let go then, not when the slowest of the batch is done.
 */
export async function settleBatch(
  lane: Pick<Lane, 'session' | 'way' | 'onLost'>,
  batch: (Release | string | undefined)[],
  timeoutMs: number,
  onSettled: OnSettled,
): Promise<void> {
  const settle = (index: number, outcome: Outcome, reach: Reach): void => {
    const release = batch[index];
    if (release === undefined) return; // Timed out before this answer came.
    batch[index] = undefined;
    onSettled(release, outcome, reach);
  };

  // Clients create an Error per command, to have its stack at hand should it fail. Nobody will read these:
  // without frames the client spends about a third less time per release.
  const answers = withStackTraceLimit(0, () => sendAll(lane, batch, settle));

  let deadline: Deadline | undefined;
  let forget = (): void => {};
  const givenUp = new Promise<Outcome>((resolve) => {
    deadline = new Deadline(timeoutMs, () => resolve('timedOut'));
    forget = lane.onLost(resolve);
  });
  const outcome = await Promise.race([Promise.allSettled(answers), givenUp]);
  deadline?.stop();
  forget();
  if (typeof outcome !== 'string') return;
  for (let index = 0; index < batch.length; index++) settle(index, outcome, 'object');
}

type Batch = readonly (Release | string | undefined)[];
type Settle = (index: number, outcome: Outcome, reach: Reach) => void;

/** Sends a batch in the way that is cheapest for its session. What it gives never rejects. */
function sendAll(
  { session, way }: Pick<Lane, 'session' | 'way'>,
  batch: Batch,
  settle: Settle,
): Promise<void>[] {
  if (way === 'posted') return [postAll(session as PostingSession, batch, settle)];
  if (way === 'together') return sendTogether(session, batch, settle);
  return batch.map((_, index) => sendOne(session, batch, index, settle));
}

/** Awaited, not chained to: whatever a session returns, nothing of its own is called in this call. */
async function sendOne(session: ReleaseSession, batch: Batch, index: number, settle: Settle): Promise<void> {
  try {
    const release = batch[index];
    if (typeof release === 'string') await session.send('Runtime.releaseObject', { objectId: release });
    else if (release !== undefined) await session.send(release.method, release.params);
  } catch (reason) {
    const { outcome, reach } = refusalOf(reason);
    settle(index, outcome, reach);
    return;
  }
  settle(index, 'released', 'object');
}

function sendTogether(session: ReleaseSession, batch: Batch, settle: Settle): Promise<void>[] {
  const answers: Promise<void>[] = [];
  const singles: number[] = [];
  const objectIds: string[] = [];
  for (const [index, release] of batch.entries()) {
    const objectId = release === undefined ? undefined : singleObjectOf(release);
    if (objectId === undefined) answers.push(sendOne(session, batch, index, settle));
    else {
      singles.push(index);
      objectIds.push(objectId);
    }
  }
  if (singles.length > 0) answers.push(sendMany(session, singles, objectIds, settle));
  return answers;
}

async function sendMany(
  session: ReleaseSession,
  indices: readonly number[],
  objectIds: readonly string[],
  settle: Settle,
): Promise<void> {
  let refusal: Refusal | undefined;
  try {
    await session.releaseObjects?.(objectIds);
  } catch (reason) {
    refusal = refusalOf(reason);
  }
  for (const index of indices) settle(index, refusal?.outcome ?? 'released', refusal?.reach ?? 'object');
}

function postAll(session: PostingSession, batch: Batch, settle: Settle): Promise<void> {
  return new Promise((resolve) => {
    let unanswered = batch.length;
    const onAnswer: OnAnswer = (index, reason) => {
      const refusal = reason === undefined ? undefined : refusalOf(reason);
      settle(index, refusal?.outcome ?? 'released', refusal?.reach ?? 'object');
      if (--unanswered === 0) resolve();
    };
    for (const [index, release] of batch.entries()) {
      if (release === undefined) onAnswer(index);
      else if (typeof release === 'string') {
        session[POST]('Runtime.releaseObject', { objectId: release }, index, onAnswer);
      } else session[POST](release.method, release.params, index, onAnswer);
    }
  });
}
