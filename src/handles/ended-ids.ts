/**
 * The ids of handles that ended with a scope, so that a later command that names one gets an error that says so. Each id takes one
 * bit, in small pages. The oldest pages are forgotten; a command that names an id of theirs is refused by the browser.
 */
import { ENDED_ID_PAGES } from '../policy.ts';
import { idNumberOf } from './handle-table.ts';
import { contextPrefixOf } from './protocol.ts';

const ENDED_BITS = 10;
const BITS_PER_WORD = 32;

export class EndedIds {
  readonly #pages = new Map<string, Uint32Array>();
  readonly #others = new Set<string>();
  /** The page used last: mostly that of the next id, too. */
  #recent: Uint32Array | undefined;
  #recentPrefix: string | undefined;
  #recentNumber = -1;

  /**
   * @param prefix that of the id's context; `''` if the id has none.
   * @param number the number of the id, where it is known already.
   */
  add(prefix: string, objectId: string, number: number = idNumberOf(objectId, prefix.length)): void {
    if (prefix === '' || number < 0) {
      this.#others.add(objectId);
      forgetOldest(this.#others, ENDED_ID_PAGES);
      return;
    }
    const page = this.#pageFor(prefix, number >>> ENDED_BITS);
    const bit = number & (2 ** ENDED_BITS - 1);
    page[bit >>> 5] = (page[bit >>> 5] ?? 0) | (1 << (bit & 31));
  }

  has(objectId: string): boolean {
    if (this.#pages.size + this.#others.size === 0) return false;
    const prefix = contextPrefixOf(objectId);
    const number = prefix === '' ? -1 : idNumberOf(objectId, prefix.length);
    if (number < 0) return this.#others.has(objectId);
    const page = this.#pages.get(`${prefix}${number >>> ENDED_BITS}`);
    const bit = number & (2 ** ENDED_BITS - 1);
    return page !== undefined && ((page[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  #pageFor(prefix: string, number: number): Uint32Array {
    if (this.#recent !== undefined && this.#recentNumber === number && this.#recentPrefix === prefix) {
      return this.#recent;
    }
    const key = `${prefix}${number}`;
    const page = this.#pages.get(key) ?? new Uint32Array(2 ** ENDED_BITS / BITS_PER_WORD);
    this.#pages.set(key, page);
    forgetOldest(this.#pages, ENDED_ID_PAGES);
    this.#recent = page;
    this.#recentNumber = number;
    this.#recentPrefix = prefix;
    return page;
  }
}

function forgetOldest(
  items: { readonly size: number; keys(): Iterator<string>; delete(key: string): boolean },
  most: number,
): void {
  if (items.size <= most) return;
  const oldest = items.keys().next();
  if (oldest.done !== true) items.delete(oldest.value);
}
