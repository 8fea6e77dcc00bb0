/**
 * The object groups of a session that are not ours: named by the user in his commands, who may release them
 * as well, or by the browser itself. What is minted into them is counted there and goes one by one.
 */
import { type Ledger, ObjectGroup } from './handle-record.ts';

/** The release of a group that the browser has not answered yet. */
export interface PendingRelease {
  done(): void;
  refused(): void;
}

/** The group in which V8 binds what an event of the Runtime domain carries. */
export const CONSOLE_GROUP = 'console';

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

  /**
   * The release of a group is on its way, sent by the user or, for the group of console messages, by us. When that is
   * done it has freed what the group holds. Commands are answered in the order in which they were carried out, so that all
   * that was answered before counts. Events come unasked, and may be heard of before an answer that the browser gave
   * earlier: of a group that is filled by events, what counts is what it holds now. The rest stays in the books as
   * alive, and is released by its own once the client lets go of it.
   */
  beginRelease(name: string): PendingRelease {
    if (name !== CONSOLE_GROUP) return { done: () => this.#free(name), refused: nothing };
    const group = this.#groups.get(name);
    if (group === undefined) return { done: nothing, refused: nothing };
    const members = group.members;
    group.members = [];
    return {
      done: () => this.#ledger.services.sweeper.free(group, members),
      refused: () => {
        group.members = [...members.filter((member) => member.group === group), ...group.members];
      },
    };
  }

  /** Something about it has changed: one that holds nothing, and into which nothing can be born, is forgotten. */
  touch(group: ObjectGroup): void {
    if (group.size + group.pending === 0) this.#groups.delete(group.name);
  }

  #free(name: string): void {
    const group = this.#groups.get(name);
    if (group === undefined) return;
    // Not over for all that: what is on its way may be born into it yet.
    const freed = group.members;
    group.members = [];
    this.#ledger.services.sweeper.free(group, freed);
  }
}

function nothing(): void {}
