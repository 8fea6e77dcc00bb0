/**
 * Finds the record of an id within one session, by any id that the object ever had, and knows which
 * records share a context.
 */
import { ContextRecords, type HandleRecord, type Ledger } from './handle-record.ts';
import { contextPrefixOf, hasContextPrefix } from './object-id.ts';

export class HandleIndex {
  readonly #ledger: Ledger;
  readonly #contexts = new Map<string, ContextRecords>();
  /** The context of the id looked up last: mostly that of the next one, too. */
  #recent: ContextRecords | undefined;
  /** Moved handles by the ids that they had before. */
  readonly #formerIds = new Map<string, HandleRecord>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get contexts(): Iterable<ContextRecords> {
    return this.#contexts.values();
  }

  get hasFormerIds(): boolean {
    return this.#formerIds.size > 0;
  }

  /** Counted when asked for: of a session's contexts there are few. */
  get size(): number {
    let size = 0;
    for (const { records } of this.#contexts.values()) size += records.size;
    return size;
  }

  find(objectId: string): HandleRecord | undefined {
    return this.#knownContextOf(objectId)?.records.get(objectId) ?? this.#formerIds.get(objectId);
  }

  /** The id by which the browser knows the object now. */
  currentId(objectId: string): string {
    return this.#formerIds.get(objectId)?.objectId ?? objectId;
  }

  /** The context of an id, noted as it is first heard of. */
  contextOf(objectId: string): ContextRecords {
    let context = this.#knownContextOf(objectId);
    if (context === undefined) {
      context = new ContextRecords(this.#ledger, contextPrefixOf(objectId));
      this.#contexts.set(context.prefix, context);
      this.#use(context);
    }
    return context;
  }

  add(record: HandleRecord): void {
    record.context?.records.add(record);
  }

  remove(record: HandleRecord): void {
    const { context } = record;
    context?.records.delete(record.objectId);
    if (context?.records.size === 0 && context !== this.#recent) this.removeContext(context);
    for (const formerId of record.formerIds) this.#formerIds.delete(formerId);
  }

  /** From now on the record is found by its new id, and still by the old one. */
  rename(record: HandleRecord, objectId: string): void {
    record.context?.records.delete(record.objectId);
    this.#formerIds.set(record.objectId, record);
    record.formerIds = [...record.formerIds, record.objectId];
    record.objectId = objectId;
    this.add(record);
  }

  /** Its ids are found no more; its records are left to whoever strikes them out. */
  removeContext(context: ContextRecords): void {
    if (this.#contexts.get(context.prefix) === context) this.#contexts.delete(context.prefix);
    if (this.#recent === context) this.#recent = undefined;
  }

  #knownContextOf(objectId: string): ContextRecords | undefined {
    const recent = this.#recent;
    if (recent !== undefined && hasContextPrefix(objectId, recent.prefix)) return recent;
    const context = this.#contexts.get(contextPrefixOf(objectId));
    if (context !== undefined) this.#use(context);
    return context;
  }

  /** The one before it stayed though it was empty, for the next mint in it. */
  #use(context: ContextRecords): void {
    const before = this.#recent;
    this.#recent = context;
    if (before?.records.size === 0) this.removeContext(before);
  }
}
