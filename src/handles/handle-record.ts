/**
 * What is known of one remote object. It goes one way only:
 *
 * ```text
 *   live ──▶ dropped ──▶ queued ──▶ ended
 *              ▲            │
 *              └── pinned ──┘     (a command that names it was sent meanwhile)
 * ```
 *
 * A record never refers to its RemoteObject strongly: the registry holds records, and a record that
 * held its object would keep it from ever being collected.
 */
import type { Release } from '../batcher/release.ts';
import type { MintOrigin } from '../observe/leak-report.ts';
import type { ContextRecords } from './context-records.ts';
import type { ObjectGroup } from './object-group.ts';
import type { Params, RemoteObject } from './protocol.ts';

/** Shared by all that never moved. */
const NONE: readonly string[] = [];

export type HandleState = 'live' | 'dropped' | 'queued' | 'ended';

/** Is its own `Release`, so that queueing one allocates nothing. */
export class HandleRecord implements Release {
  readonly method = 'Runtime.releaseObject';
  /** Rewritten when the object is moved to another group. */
  objectId: string;
  readonly context: ContextRecords;
  /** The group that the browser counts it in; `undefined` where it belongs to none that is known. */
  group: ObjectGroup | undefined;
  state: HandleState = 'live';
  /** Unanswered commands that name it. While there are any it is not released. */
  pins = 0;
  /** Bytes charged to the local heap on its behalf. */
  chargedBytes = 0;
  /** Where it was minted; known only while leaks are traced. */
  origin: MintOrigin | undefined;
  /** The ids that it had before it was moved, oldest first. */
  formerIds: readonly string[] = NONE;
  /** Kept where it may be moved, which rewrites the object's id. */
  remoteObject: WeakRef<RemoteObject> | undefined;

  constructor(objectId: string, context: ContextRecords, group: ObjectGroup | undefined) {
    this.objectId = objectId;
    this.context = context;
    this.group = group;
  }

  get handles(): number {
    return 1;
  }

  get params(): Params {
    return { objectId: this.objectId };
  }

  /** Part of `Release`: whether it may still be sent, asked as it leaves the queue. */
  claim(): boolean {
    return this.context.ledger.claimRecord(this);
  }

  /** Part of `Release`. */
  settled(...[outcome, reach]: Parameters<Release['settled']>): void {
    this.context.ledger.onRefused(this.context, outcome, reach);
  }
}
