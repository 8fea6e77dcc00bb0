/**
 * The ids that ended with a scope, so that whoever uses one later is told by which mistake, and always the same. One bit
 * each, in small pages; the oldest pages are forgotten, and what they held is then refused by the browser.
 */
import { contextPrefixOf, idNumberOf } from './object-id.ts';

const PAGE_BITS = 10;
const BITS_PER_WORD = 32;
const WORDS = 2 ** PAGE_BITS / BITS_PER_WORD;
/** 64 KB a session at the most, for half a million ids. */
const MOST_PAGES = 512;
/** Ids of another form than today's. */
const MOST_OTHERS = 1_024;

export class EndedIds {
  readonly #pages = new Map<string, Uint32Array>();
  readonly #others = new Set<string>();
  /** The page used last: mostly that of the next id, too. */
  #recentPrefix: string | undefined;
  #recentNumber = -1;
  #recent: Uint32Array | undefined;

  /** @param prefix of the id's context: `''` where the id has none. */
  add(prefix: string, objectId: string): void {
    const number = prefix === '' ? -1 : idNumberOf(objectId, prefix.length);
    if (number < 0) {
      this.#others.add(objectId);
      forgetOldest(this.#others, MOST_OTHERS);
      return;
    }
    const pageNumber = number >>> PAGE_BITS;
    if (this.#recent === undefined || this.#recentNumber !== pageNumber || this.#recentPrefix !== prefix) {
      this.#use(prefix, pageNumber);
    }
    const bit = number & (2 ** PAGE_BITS - 1);
    const word = bit >>> 5;
    if (this.#recent !== undefined) this.#recent[word] = (this.#recent[word] ?? 0) | (1 << (bit & 31));
  }

  has(objectId: string): boolean {
    if (this.#pages.size + this.#others.size === 0) return false;
    const prefix = contextPrefixOf(objectId);
    const number = prefix === '' ? -1 : idNumberOf(objectId, prefix.length);
    if (number < 0) return this.#others.has(objectId);
    const page = this.#pages.get(`${prefix}${number >>> PAGE_BITS}`);
    const bit = number & (2 ** PAGE_BITS - 1);
    return page !== undefined && ((page[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
  }

  #use(prefix: string, pageNumber: number): void {
    const key = `${prefix}${pageNumber}`;
    let page = this.#pages.get(key);
    if (page === undefined) {
      page = new Uint32Array(WORDS);
      this.#pages.set(key, page);
      forgetOldest(this.#pages, MOST_PAGES);
    }
    this.#recent = page;
    this.#recentNumber = pageNumber;
    this.#recentPrefix = prefix;
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
