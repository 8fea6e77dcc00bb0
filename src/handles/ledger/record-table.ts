/**
 * The records of one execution context by their ids. An id ends in a number that the browser counts up, and
 * handles are looked up and struck out mostly in the order of their mint. So records stand in pages by that
 * number: the next one is a step away in memory, where each look-up in a map of strings is several far ones.
 *
 * Nothing hangs on the form of an id but speed: one of any other form is kept in a map.
 *
 * Invariant: an id that is told by its number has no other spelling, so that two ids never share a place.
 */
import { idNumberOf } from './object-id.ts';

/** What stands in a table: it is found by the id that it has. */
interface Identified {
  readonly objectId: string;
}

/** Numbers a page, as a power of two. Of a page in which a single handle lives, 512 bytes are in vain. */
const PAGE_BITS = 6;
const PAGE_SIZE = 2 ** PAGE_BITS;

class Page<Item> {
  readonly key: number;
  readonly slots: (Item | undefined)[] = new Array(PAGE_SIZE).fill(undefined);
  used = 0;

  constructor(key: number) {
    this.key = key;
  }
}

export class RecordTable<Item extends Identified> {
  /** How long the part of an id is that all ids of the context share. */
  readonly #prefixLength: number;
  readonly #pages = new Map<number, Page<Item>>();
  /** The page used last; it stays when it empties, or a loop that disposes of each handle would make it anew each time. */
  #recent: Page<Item> = new Page(-1);
  readonly #others = new Map<string, Item>();
  #size = 0;

  constructor(prefix: string) {
    this.#prefixLength = prefix.length;
  }

  get size(): number {
    return this.#size;
  }

  get(objectId: string): Item | undefined {
    const number = idNumberOf(objectId, this.#prefixLength);
    if (number < 0) return this.#others.get(objectId);
    return this.#pageOf(number)?.slots[number % PAGE_SIZE];
  }

  /** @param record one whose id is not in the table. */
  add(record: Item): void {
    this.#size++;
    const number = idNumberOf(record.objectId, this.#prefixLength);
    if (number < 0) {
      this.#others.set(record.objectId, record);
      return;
    }
    const page = this.#pageOf(number) ?? this.#addPage(number >>> PAGE_BITS);
    page.slots[number % PAGE_SIZE] = record;
    page.used++;
  }

  /** @param objectId one that is in the table or, of a record struck out already, no more. */
  delete(objectId: string): void {
    const number = idNumberOf(objectId, this.#prefixLength);
    if (number < 0) {
      if (this.#others.delete(objectId)) this.#size--;
      return;
    }
    const page = this.#pageOf(number);
    if (page?.slots[number % PAGE_SIZE] === undefined) return;
    page.slots[number % PAGE_SIZE] = undefined;
    page.used--;
    this.#size--;
  }

  /** All of them; any may be struck out meanwhile. */
  *values(): Generator<Item> {
    for (const { slots } of this.#pages.values()) {
      for (const record of slots) if (record !== undefined) yield record;
    }
    yield* this.#others.values();
  }

  #pageOf(number: number): Page<Item> | undefined {
    const key = number >>> PAGE_BITS;
    if (this.#recent.key === key) return this.#recent;
    const page = this.#pages.get(key);
    if (page !== undefined) this.#use(page);
    return page;
  }

  #addPage(key: number): Page<Item> {
    const page = new Page<Item>(key);
    this.#pages.set(key, page);
    this.#use(page);
    return page;
  }

  #use(page: Page<Item>): void {
    if (this.#recent.used === 0) this.#pages.delete(this.#recent.key);
    this.#recent = page;
  }
}
