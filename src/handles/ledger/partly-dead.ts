/**
 * The groups of a session whose dead wait for the rest to die, in the order in which they began to wait, and how many dead
 * there are in all of them: counted as groups come, change and go, since there may be a hundred thousand.
 */
import type { ObjectGroup } from './handle-record.ts';

export class PartlyDead {
  /** By group, how many of its dead are counted. */
  readonly #counted = new Map<ObjectGroup, number>();
  #dead = 0;

  /** Members that were dropped, of all groups, as of when each was added last. */
  get dead(): number {
    return this.#dead;
  }

  /** To add a group again brings its count up to date; its place stays. */
  add(group: ObjectGroup): void {
    this.#dead += group.dropped - (this.#counted.get(group) ?? 0);
    this.#counted.set(group, group.dropped);
  }

  delete(group: ObjectGroup): void {
    this.#dead -= this.#counted.get(group) ?? 0;
    this.#counted.delete(group);
  }

  /** Oldest first; any may be deleted meanwhile. */
  [Symbol.iterator](): IterableIterator<ObjectGroup> {
    return this.#counted.keys();
  }
}
