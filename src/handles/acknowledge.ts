/**
 * Answers the client's own `Runtime.releaseObject`. It is answered at once and sent in the background, unless the client may
 * depend on the round trip: then it is answered when the browser has answered.
 *
 * A client depends on the round trip if the release follows a command that acts on the page. The `dispose()` at the end of
 * Puppeteer's `click()` is, by accident, a barrier: when it returns, the page's console messages and requests have arrived.
 * So a release is answered early only if this session has asked about objects since the last action of any session of the page.
 */
import { refusalOf } from '../batcher/release.ts';
import { countCommands } from '../batcher/stats.ts';
import { ANSWERS_PER_LOOK, MOST_ANSWERS_PER_JOB, MOST_BETWEEN_TURNS_MS } from '../policy.ts';
import { afterThisJob } from '../runtime/event-loop.ts';
import { setImmediate } from '../timers.ts';
import type { CommandRules } from './command-rules.ts';
import { type Forward, type Params, settledAfter } from './protocol.ts';
import type { Handle, SessionLedger } from './session-ledger.ts';

/** Counts the commands that acted on a page. Shared by its sessions: an action by one delays the releases of all. */
export class PageActions {
  count = 0;
}

export class ReleaseAcknowledger {
  readonly actions: PageActions;
  /** The count of actions when this session last sent a command that the browser answers after them. */
  actionsPassed: number;
  readonly #ledger: SessionLedger;
  readonly #rules: CommandRules;
  #acknowledged = 0;
  /** `#acknowledged` after the last job at whose end it was looked at. */
  #acknowledgedThen = 0;
  /** When we last yielded to the event loop. */
  #yieldedAt = 0;
  #isTurnDue = false;
  /** The turn in which the next answer is given. */
  #turnToCome: Promise<void> | undefined;
  /** How many answers wait for it. */
  #answersToCome = 0;

  constructor(ledger: SessionLedger, actions: PageActions, rules: CommandRules) {
    this.#ledger = ledger;
    this.#rules = rules;
    this.actions = actions;
    this.actionsPassed = actions.count;
  }

  /** Queues the release, and answers in place of the browser; `undefined` if only the browser can answer. */
  releaseEarly(params: Params | undefined): Promise<unknown> | undefined {
    const objectId = params?.objectId;
    if (typeof objectId !== 'string' || objectId === '') return undefined; // The browser says what is wrong with it.
    const ledger = this.#ledger;
    const record = ledger.find(objectId);
    // A crashed page answers nothing, so nothing is gained by waiting for its answer.
    if (this.actionsPassed !== this.actions.count && !ledger.queue.isLost) {
      const isSafeToSend = record === undefined || record.pins === 0 || ledger.isOrdered;
      if (isSafeToSend) return undefined;
      this.actionsPassed = this.actions.count;
    }
    if (record === undefined) ledger.enqueueUnknown(objectId);
    else if (this.#rules.isClientsOwn(record.context?.executionContextId)) ledger.tidy(record);
    else ledger.drop(record, 'disposed');
    return this.#acknowledge();
  }

  /** Answers a release early, or sends it as a barrier. */
  release(params: Params | undefined, forward: Forward): PromiseLike<unknown> {
    const early = this.releaseEarly(params);
    if (early !== undefined) return early;
    const objectId = params?.objectId;
    if (typeof objectId !== 'string' || objectId === '') return forward(params);
    this.actionsPassed = this.actions.count;
    const outgoing = { ...params, objectId: this.#ledger.currentId(objectId) };
    return this.#releaseAsBarrier(this.#ledger.find(objectId), outgoing, forward);
  }

  /** Sends the release now and by itself. The client gets the browser's own answer, errors included. */
  #releaseAsBarrier(record: Handle | undefined, params: Params, forward: Forward): PromiseLike<unknown> {
    const ledger = this.#ledger;
    const answer = forward(params);
    const context = record?.context;
    if (record === undefined) ledger.takeUnknown();
    else if (!ledger.take(record)) return answer;
    countCommands(ledger.services.stats, 1);
    const { barriers } = ledger;
    const barrier = barriers.open(1);
    const onRefused = (reason: unknown): void => {
      const { outcome, reach } = refusalOf(reason);
      barriers.settle(barrier, outcome);
      ledger.onRefused(context, reach);
    };
    return settledAfter(answer, () => barriers.settle(barrier, 'released'), onRefused);
  }

  /**
   * Answers a release, never in the same tick, as a real answer would not come then. A loop of awaited disposals would be one long
   * chain of microtasks, so every few milliseconds the event loop gets a turn. A list that is disposed of at once is one job:
   * `MOST_ANSWERS_PER_JOB` of its releases are answered when the job is over, and as many in each turn that follows.
   */
  #acknowledge(): Promise<unknown> {
    if (++this.#acknowledged % ANSWERS_PER_LOOK === 0) void afterThisJob(this.#afterJob);
    const isSoon = !this.#isTurnDue && this.#acknowledged - this.#acknowledgedThen <= MOST_ANSWERS_PER_JOB;
    // While answers wait for a turn, later answers have to come after them.
    if (isSoon && this.#turnToCome === undefined) return ANSWERED;
    return this.#turnOfNextAnswer().then(() => ({}));
  }

  /** The turn to come, or a later one if that has its `MOST_ANSWERS_PER_JOB` answers. */
  #turnOfNextAnswer(): Promise<void> {
    if (this.#turnToCome === undefined || this.#answersToCome >= MOST_ANSWERS_PER_JOB) {
      this.#answersToCome = 0;
      const turn = (this.#turnToCome ?? Promise.resolve()).then(nextTurn).then(() => {
        this.#yieldedAt = this.#ledger.services.now();
        this.#isTurnDue = false;
        if (this.#turnToCome === turn) this.#turnToCome = undefined;
      });
      this.#turnToCome = turn;
    }
    this.#answersToCome++;
    return this.#turnToCome;
  }

  /** Runs after a job, once for every `ANSWERS_PER_LOOK` releases that it acknowledged. */
  readonly #afterJob = (): void => {
    this.#acknowledgedThen = this.#acknowledged;
    if (this.#ledger.services.now() - this.#yieldedAt >= MOST_BETWEEN_TURNS_MS) this.#isTurnDue = true;
  };
}

/** One for all releases: their answer is always the same, and empty. */
const ANSWERED: Promise<unknown> = /* @__PURE__ */ Promise.resolve({});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
