/**
 * The object groups of a session that are not ours: named by the user in his commands, who may release them
 * as well, or by the browser itself. What is minted into them is counted there and goes one by one.
 */
import { type Ledger, ObjectGroup } from './handle-record.ts';

export class ForeignGroups {
  readonly #ledger: Ledger;
  readonly #groups = new Map<string, ObjectGroup>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** The group of that name, noted as it is first heard of. */
  named(name: string): ObjectGroup {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new ObjectGroup(this.#ledger, name, 'foreign', this.#ledger.services.now());
      this.#groups.set(name, group);
    }
    return group;
  }

  /** The user released it: all that it held is freed by that. */
  onReleased(name: string): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    // Not over for all that: what is on its way may be born into it yet.
    const freed = group.members;
    group.members = [];
    this.#ledger.services.sweeper.free(group, freed);
  }

  /** Something about it has changed: one that holds nothing, and into which nothing can be born, is forgotten. */
  touch(group: ObjectGroup): void {
    if (group.size + group.pending === 0) this.#groups.delete(group.name);
  }
}
