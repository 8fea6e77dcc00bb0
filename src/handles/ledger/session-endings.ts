/**
 * How handles of a session end without a release of ours: their context is destroyed, their target crashes,
 * their session is over, the user releases the group that they are in, or nobody waits for them any more.
 * Each is struck out once, under the outcome that is true of it.
 */
import type { Reach } from '../../batcher/release.ts';
import type { HandleIndex } from './handle-index.ts';
import type { ContextRecords, Endings, HandleRecord, Ledger, ObjectGroup } from './handle-record.ts';
import type { SessionDebts } from './session-debts.ts';

export class SessionEndings implements Endings {
  readonly #ledger: Ledger;
  readonly #debts: SessionDebts;
  readonly #index: HandleIndex;
  #hasEnded = false;
  #onSessionEnd: () => void = () => {};

  constructor(ledger: Ledger, debts: SessionDebts, index: HandleIndex) {
    this.#ledger = ledger;
    this.#debts = debts;
    this.#index = index;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Has a listener called when the session ends, for what it holds besides objects. One at the most. */
  onSessionEnd(listener: () => void): void {
    this.#onSessionEnd = listener;
  }

  /** What a refusal says of others than the one refused. */
  onRefused(context: ContextRecords | undefined, reach: Reach): void {
    if (reach === 'object') return;
    this.#ledger.services.answers.enter(); // What came before it is gone with the others.
    if (reach === 'session') this.endSession();
    else if (reach === 'context' && context?.isNamed) this.#endContext(context);
  }

  /** `Runtime.executionContextDestroyed`. */
  endContext(executionContextId: number): void {
    for (const context of this.#index.contexts) {
      if (context.executionContextId === executionContextId) this.#endContext(context);
    }
  }

  /** All that the session minted so far is gone: a navigation. */
  endAllContexts(): void {
    for (const context of this.#index.contexts) this.#endContext(context);
  }

  /**
   * The target crashed: what was sent is not answered, and what is sent will not be, until it is loaded anew.
   * All that it held is gone, and the session goes on.
   */
  crash(): void {
    if (this.#hasEnded) return;
    this.endAllContexts();
    this.#giveUpUnanswered();
  }

  /**
   * The session is over. Whatever it held is free, whatever waited need not be sent. What is unanswered will never be:
   * a client need not reject it.
   */
  endSession(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onSessionEnd();
    this.#ledger.queue.letGo();
    this.#ledger.releases.endHolds();
    this.endAllContexts();
    this.#giveUpUnanswered();
  }

  #giveUpUnanswered(): void {
    const { services, queue } = this.#ledger;
    services.dispatcher.lose(queue);
    this.#debts.giveUpBarriers();
    services.sweeper.noteChange();
  }

  /** One record of a destroyed context: nothing need be sent. */
  elide(record: HandleRecord): void {
    const ledger = this.#ledger;
    const { stats } = ledger.services;
    const { group, state } = record;
    if (state === 'ended') return;
    if (group?.stage === 'released') {
      ledger.end(record); // In the books of the group's release.
      return;
    }
    if (state === 'live') {
      stats.live--;
      record.origin?.end('elided');
    } else stats.queued--;
    stats.elided++;
    if (group !== undefined) {
      if (state === 'live') group.live--;
      else if (state === 'dropped') group.removeDropped(record);
      ledger.touch(group);
    }
    ledger.end(record);
  }

  /** One record of a group that the user released: nothing need be sent. */
  endFreed(record: HandleRecord, group: ObjectGroup): void {
    if (record.state === 'ended' || record.group !== group) return;
    const { stats } = this.#ledger.services;
    if (record.state === 'live') {
      stats.live--;
      stats.disposed++;
      group.live--;
      record.origin?.end('disposed');
    } else {
      stats.queued--;
      if (record.state === 'dropped') group.removeDropped(record);
    }
    stats.released++;
    this.#ledger.end(record);
  }

  /** Of a forsaken session: what is still named by a command is nobody's any more. */
  giveUpPinned(): void {
    const { stats } = this.#ledger.services;
    for (const record of this.#debts.pinnedDead()) {
      if (record.state === 'dropped') record.group?.removeDropped(record);
      stats.queued--;
      stats.dropped++;
      this.#ledger.end(record);
    }
  }

  #endContext(context: ContextRecords): void {
    if (context.isDestroyed) return;
    context.isDestroyed = true;
    this.#index.removeContext(context);
    this.#ledger.services.sweeper.elide(context);
  }
}
