// A session's ledger and the sweep of its groups, without a client: the test is the clock, and nothing is ever answered.
import { Dispatcher } from '../../src/batcher/dispatcher.ts';
import { resolveBatcherOptions } from '../../src/batcher/options.ts';
import { GroupSweep } from '../../src/handles/groups.ts';
import { emptyLedgerStats } from '../../src/handles/handle-table.ts';
import { fixedMemory } from '../../src/handles/page-memory.ts';
import {
  type Group,
  type Handle,
  type LedgerServices,
  SessionLedger,
} from '../../src/handles/session-ledger.ts';
import { TargetState } from '../../src/handles/target-state.ts';
import { DeferredTasks, SlicedWork, Waiters } from '../../src/runtime/event-loop.ts';

export class OpenLedger {
  now: number;
  readonly sweep: GroupSweep;
  readonly ledger: SessionLedger;
  #minted = 0;

  /** @param pageBytesPerHandle what a handle is known to hold of the page; 0 for nothing known. */
  constructor(pageBytesPerHandle: number, now: number = 1_000) {
    this.now = now;
    const stats = emptyLedgerStats();
    const services: LedgerServices = {
      stats,
      dispatcher: new Dispatcher(resolveBatcherOptions({ maxInFlightBatches: 1 }), stats),
      answers: new DeferredTasks(),
      touched: [],
      toTidy: new Set(),
      work: new SlicedWork(() => {}), // The test sweeps.
      changes: new Waiters(),
      usesGroups: true,
      movesSurvivors: false,
      flushes: { begun: 0 },
      now: () => this.now,
    };
    this.sweep = new GroupSweep(services);
    const session = { send: () => new Promise(() => {}) };
    this.ledger = new SessionLedger(services, session, true, new TargetState());
    this.ledger.memory = { ...fixedMemory(0), pageBytesPerHandle };
  }

  /** A group of ours with so many that live. */
  group(members: number): Group {
    const group = this.ledger.createGroup();
    for (let count = 0; count < members; count++) this.ledger.mint(`1.1.${++this.#minted}`, group);
    return group;
  }

  /** The collector finds the first so many of a group, which takes no more mints. */
  dropFirst(count: number, group: Group): void {
    this.ledger.closeGroup(group);
    this.ledger.collect(group.members.slice(0, count), 0);
  }
}

/** Handles of a group whose release is queued by itself. */
export function releasedSingly(group: Group): readonly Handle[] {
  return group.members.filter(({ state }) => state === 'queued');
}
