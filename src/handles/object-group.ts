/**
 * One object group of one session, as the browser keeps it: a name under which many objects are
 * released by one command. The books here decide when that command may be sent: no member lives, none is
 * pinned, and no command that could still mint into the group is unanswered.
 */
import type { Release } from '../batcher/release.ts';
import type { HandleRecord } from './handle-record.ts';
import type { Params } from './protocol.ts';
import type { SessionLedger } from './session-ledger.ts';

/** `own`: named here, released here. `foreign`: named by the user, who may release it as well. */
export type GroupOwner = 'own' | 'foreign';

export type GroupStage = 'open' | 'closed' | 'moving' | 'queued' | 'released';

export class ObjectGroup implements Release {
  readonly method = 'Runtime.releaseObjectGroup';
  readonly ledger: SessionLedger;
  readonly name: string;
  readonly owner: GroupOwner;
  /** In the order of their mint. A record that left stays listed until the next `compact`. */
  members: HandleRecord[] = [];
  /** Members that the program may still use. */
  live = 0;
  /** Members dropped whose release is not queued one by one. */
  dropped = 0;
  /** Members that an unanswered command names. */
  pinned = 0;
  /** Unanswered commands that may mint into it. */
  pending = 0;
  /** Members released one by one; the browser's list of the group still has a number for each. */
  releasedSingly = 0;
  stage: GroupStage = 'open';
  /** Part of `Release`: what the command frees, fixed by `claim`. */
  handles = 0;
  readonly openedAt: number;
  /** When it last changed. */
  touchedAt: number;
  /** When a member was last dropped. */
  lostAt = 0;
  /** Since when dropped members have been waiting; `Infinity` while there are none. */
  staleSince: number = Number.POSITIVE_INFINITY;
  /** What `dropped` was when the sweep last passed by. */
  droppedAtLastLook = 0;
  /** Moving its survivors was tried and failed: its dead go one by one. */
  isUnmovable = false;

  constructor(ledger: SessionLedger, name: string, owner: GroupOwner, now: number) {
    this.ledger = ledger;
    this.name = name;
    this.owner = owner;
    this.openedAt = now;
    this.touchedAt = now;
  }

  get params(): Params {
    return { objectGroup: this.name };
  }

  /** Nothing lives in it, nothing names a member, nothing can be born into it. */
  get isDead(): boolean {
    return this.live === 0 && this.pinned === 0 && this.pending === 0;
  }

  add(record: HandleRecord): void {
    if (this.members.length > COMPACT_ABOVE && this.members.length > 2 * (this.live + this.dropped)) {
      this.members = this.members.filter((member) => member.group === this && member.state !== 'ended');
    }
    this.members.push(record);
    this.live++;
  }

  /** Part of `Release`. */
  claim(): boolean {
    return this.ledger.claimGroup(this);
  }

  /** Part of `Release`. */
  settled(...[outcome, reach]: Parameters<Release['settled']>): void {
    this.ledger.onRefused(this.members[0]?.context, outcome, reach);
  }
}

/** Members from which on those that left are worth clearing away; own groups seldom come that far. */
const COMPACT_ABOVE = 4096;
