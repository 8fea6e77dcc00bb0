/**
 * Answers the client's own `Runtime.releaseObject`: at once, and has it done in the background; but where
 * the client may lean on the round trip, when the browser has answered.
 *
 * It may where the release follows a command that acts on the page, as in Puppeteer's `click()`: the
 * `dispose()` at its end is, by accident, the barrier behind which the page's console messages and
 * requests have arrived. So a release is early only where this session's last command, and that of any
 * session of the same page, was one that asks about objects.
 */

import { refusalOf } from '../batcher/release.ts';
import { setImmediate } from '../timers.ts';
import type { CommandRules } from './command-rules.ts';
import type { HandleRecord } from './ledger/handle-record.ts';
import type { SessionLedger } from './ledger/session-ledger.ts';
import { type Forward, isAwaitable, type Params } from './protocol.ts';

/** Shared by the sessions of one page: an action on any of them is one to wait for on all. */
export class PageActions {
  count = 0;
}

export class ReleaseAcknowledger {
  readonly #ledger: SessionLedger;
  readonly #actions: PageActions;
  readonly #rules: CommandRules;
  /** Actions behind which this session has sent something that is answered in its turn. */
  #actionsPassed: number;
  #acknowledged = 0;
  /** What `#acknowledged` was when a job that acknowledged something was last over. */
  #acknowledgedThen = 0;
  /** When the event loop last had a turn for our sake. */
  #turnedAt = 0;
  #isTurnDue = false;
  /** The turn in which what is answered now will be: the next, or one later; and how many answers hang on it. */
  #turnToCome: Promise<void> | undefined;
  #answersToCome = 0;

  constructor(ledger: SessionLedger, actions: PageActions, rules: CommandRules) {
    this.#ledger = ledger;
    this.#rules = rules;
    this.#actions = actions;
    this.#actionsPassed = actions.count;
  }

  /** Notes a command other than a release. */
  onCommand(method: string): void {
    if (!asksAboutObjects(method)) this.#actions.count++;
    else this.#actionsPassed = this.#actions.count;
  }

  /** Has it done in the background and answers for the browser; `undefined` where only the browser can answer. */
  releaseEarly(params: Params | undefined): Promise<unknown> | undefined {
    const objectId = params?.objectId;
    if (typeof objectId !== 'string' || objectId === '') return undefined; // The browser says what is wrong.
    const record = this.#ledger.find(objectId);
    // A crashed page answers nothing, and there is nothing of it left to be waited for.
    if (this.#actionsPassed !== this.#actions.count && !this.#ledger.queue.isLost) {
      const isSafeToSend = record === undefined || record.pins === 0 || this.#ledger.isOrdered;
      if (isSafeToSend) return undefined;
      this.#actionsPassed = this.#actions.count;
    }
    const { releases } = this.#ledger;
    if (record === undefined) releases.enqueueUnknown(objectId);
    else if (this.#rules.isClientsOwn(record.context?.executionContextId)) releases.tidy(record);
    else releases.drop(record, 'disposed');
    return this.#acknowledge();
  }

  release(params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const early = this.releaseEarly(params);
    if (early !== undefined) return early;
    const objectId = params?.objectId;
    if (typeof objectId !== 'string' || objectId === '') return forward(params);
    this.#actionsPassed = this.#actions.count;
    const outgoing = { ...params, objectId: this.#ledger.currentId(objectId) };
    return this.#releaseAsBarrier(this.#ledger.find(objectId), outgoing, forward);
  }

  /** Sent now and by itself. The client gets the browser's own answer, errors included. */
  #releaseAsBarrier(
    record: HandleRecord | undefined,
    params: Params,
    forward: Forward,
  ): PromiseLike<unknown> {
    const { debts, releases } = this.#ledger;
    const answer = forward(params);
    const context = record?.context;
    if (record === undefined) releases.takeUnknown();
    else if (!releases.take(record)) return answer;
    this.#ledger.services.stats.commands++;
    const barrier = debts.openBarrier(1);
    if (!isAwaitable(answer)) {
      debts.settleBarrier(barrier, 'released');
      return answer;
    }
    return answer.then(
      (result) => {
        debts.settleBarrier(barrier, 'released');
        return result;
      },
      (error: unknown) => {
        const { outcome, reach } = refusalOf(error);
        debts.settleBarrier(barrier, outcome);
        this.#ledger.endings.onRefused(context, reach);
        throw error;
      },
    );
  }

  /**
   * Never in the same tick, as a real answer would not be. A loop of awaited disposals would be one long chain
   * of microtasks, so every few milliseconds the event loop gets a turn. A list disposed of at once is one job:
   * so many are answered when it is over, and as many in each turn that follows.
   */
  #acknowledge(): Promise<unknown> {
    if (++this.#acknowledged % CALLS_PER_LOOK === 0) void NEXT_JOB.then(this.#afterJob);
    const isSoon = !this.#isTurnDue && this.#acknowledged - this.#acknowledgedThen <= MOST_PER_JOB;
    // What is answered later answers in its turn, too.
    if (isSoon && this.#turnToCome === undefined) return Promise.resolve({});
    return this.#turnOfNextAnswer().then(() => ({}));
  }

  /** The turn to come, or a later one where as much hangs on that as may. */
  #turnOfNextAnswer(): Promise<void> {
    if (this.#turnToCome === undefined || this.#answersToCome >= MOST_PER_JOB) {
      this.#answersToCome = 0;
      const turn = (this.#turnToCome ?? NEXT_JOB).then(nextTurn).then(() => {
        this.#turnedAt = this.#ledger.services.now();
        this.#isTurnDue = false;
        if (this.#turnToCome === turn) this.#turnToCome = undefined;
      });
      this.#turnToCome = turn;
    }
    this.#answersToCome++;
    return this.#turnToCome;
  }

  /** Runs after a job in which something was acknowledged, once for each look. */
  readonly #afterJob = (): void => {
    this.#acknowledgedThen = this.#acknowledged;
    if (this.#ledger.services.now() - this.#turnedAt >= MOST_BETWEEN_TURNS_MS) this.#isTurnDue = true;
  };
}

/** How long awaited disposals may follow one another in one turn of the event loop. */
const MOST_BETWEEN_TURNS_MS = 4;
/** Answers given in one go: what hangs on as many of them takes a client some milliseconds. */
const MOST_PER_JOB = 32_768;
/** Answers between two looks at the clock. */
const CALLS_PER_LOOK = 64;
/** What hangs on it runs when the job at hand is over. */
const NEXT_JOB: Promise<void> = Promise.resolve();

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function asksAboutObjects(method: string): boolean {
  return method.startsWith('Runtime.') || method.startsWith('DOM.') || method.startsWith('Accessibility.');
}
