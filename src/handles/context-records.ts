/**
 * The handles of one execution context, which end together when the context does.
 *
 * Today's ids read `isolate.context.number`. That form is no promise of the protocol's, so it is used
 * for one thing only: to tell, sooner than by a refusal, which ids a destroyed context took along. An id
 * of any other form belongs to the context without a name, which nothing destroys but the session's end.
 */
import type { HandleRecord } from './handle-record.ts';
import type { SessionLedger } from './session-ledger.ts';

export class ContextRecords {
  readonly ledger: SessionLedger;
  /** What all its ids begin with, `isolate.context.`; empty for ids of another form. */
  readonly prefix: string;
  readonly records: Map<string, HandleRecord> = new Map();
  isDestroyed = false;

  constructor(ledger: SessionLedger, prefix: string) {
    this.ledger = ledger;
    this.prefix = prefix;
  }

  /** Whether an id is one of this context's, by its form; quicker than taking the id apart. */
  holds(objectId: string): boolean {
    const { prefix } = this;
    return prefix !== '' && objectId.lastIndexOf('.') === prefix.length - 1 && objectId.startsWith(prefix);
  }

  /** Whether the ids tell which context it is; if not, what holds for one of them says nothing of the others. */
  get isNamed(): boolean {
    return this.prefix !== '';
  }

  /** The protocol's `executionContextId`; `undefined` where the ids do not tell. */
  get executionContextId(): number | undefined {
    const parsed = Number(this.prefix.slice(0, -1).split('.')[1]);
    return this.prefix !== '' && Number.isInteger(parsed) ? parsed : undefined;
  }
}

/** `''` for an id that has not today's form. */
export function contextPrefixOf(objectId: string): string {
  const end = objectId.lastIndexOf('.');
  const start = objectId.indexOf('.');
  const hasThreeParts = start > 0 && end > start + 1 && objectId.indexOf('.', start + 1) === end;
  return hasThreeParts && objectId.length <= LONGEST_PARSED_ID ? objectId.slice(0, end + 1) : '';
}

/** Ids are 43 characters at most today. A page cannot choose them; a broken peer could. */
const LONGEST_PARSED_ID = 128;
