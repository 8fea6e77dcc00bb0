// Of groups that wait for the rest of them to die there may be a hundred thousand. Another one that waits costs the same
// then as with none: nobody walks them all, unless too many dead are waiting, and then once a sweep.
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  type ContextRecords,
  HandleRecord,
  type Ledger,
  ObjectGroup,
} from '../../src/handles/ledger/handle-record.ts';
import { PartlyDead } from '../../src/handles/ledger/partly-dead.ts';
import { GroupSweep, mostWaiting, WITH_GRACE } from '../../src/handles/sweep/group-sweep.ts';

class CountedWalks extends PartlyDead {
  walks = 0;

  override [Symbol.iterator](): IterableIterator<ObjectGroup> {
    this.walks++;
    return super[Symbol.iterator]();
  }
}

/** A session's ledger as far as a sweep asks it. */
class FakeLedger {
  pageBytesPerHandle = 0;
  readonly partlyDead = new CountedWalks();
  /** How often a group of this session was judged: each time the sweep asks whether the session has ended. */
  judged = 0;
  readonly isForsaken = false;
  readonly services = { movesSurvivors: false };
  released = 0;

  get hasEnded(): boolean {
    this.judged++;
    return false;
  }
  readonly releases = { enqueue: (record: HandleRecord) => this.#enqueue(record) };

  /** Two handles, of which the collector found one, or the program disposed of one. */
  group(cause: 'collected' | 'disposed' = 'collected'): ObjectGroup {
    const group = new ObjectGroup(this as unknown as Ledger, 'own', 'own', 0);
    for (const objectId of ['1.1.1', '1.1.2']) {
      group.add(new HandleRecord(objectId, {} as ContextRecords, group));
    }
    group.stage = 'closed';
    const [dead] = group.members;
    if (dead === undefined) return group;
    dead.state = 'dropped';
    dead.isDisposed = cause === 'disposed';
    group.isUrgent = dead.isDisposed;
    group.live--;
    group.addDropped(dead);
    return group;
  }

  #enqueue(record: HandleRecord): void {
    this.released++;
    record.state = 'queued';
    record.group?.removeDropped(record);
  }
}

test('as many as may wait are never walked', () => {
  const ledger = new FakeLedger();
  const sweep = new GroupSweep(
    () => 1_000,
    () => {},
  );
  for (let count = 0; count < mostWaiting(0); count++) {
    sweep.touch(ledger.group());
    sweep.sweep(WITH_GRACE);
  }
  expect(ledger.partlyDead).toMatchObject({ walks: 0, dead: mostWaiting(0) });
  expect(ledger.released).toBe(0);
});

test('however many are found dead at once, they are walked once, and the oldest go', () => {
  const ledger = new FakeLedger();
  let now = 1_000;
  const sweep = new GroupSweep(
    () => now,
    () => {},
  );
  const excess = 1_000;
  const groups = Array.from({ length: mostWaiting(0) + excess }, () => ledger.group());
  for (const group of groups) sweep.touch(group);
  sweep.sweep(WITH_GRACE);
  expect(ledger.partlyDead.walks).toBe(1);
  now += 200; // Nothing goes on in them any more.
  sweep.touch(ledger.group());
  sweep.sweep(WITH_GRACE);
  expect(ledger.partlyDead.walks).toBe(2);
  expect(ledger.released).toBe(excess + 1);
  expect(ledger.partlyDead.dead).toBe(mostWaiting(0));
  expect(groups.slice(0, excess).every(({ dropped }) => dropped === 0)).toBe(true);
});

describe('as time passes', () => {
  const GROUPS = 10_000;
  const LOOK_MS = 8;
  /** How many groups one look takes on. */
  const MOST_PER_LOOK = 1_024;

  afterEach(() => void vi.useRealTimers());

  function openSweep(): { sweep: GroupSweep; ledger: FakeLedger; elapse: (ms: number) => void } {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    let now = 1_000;
    const sweep = new GroupSweep(
      () => now,
      () => {},
    );
    const elapse = (ms: number): void => {
      now += ms;
      vi.advanceTimersByTime(ms);
    };
    return { sweep, ledger: new FakeLedger(), elapse };
  }

  test('groups whose grace is not over are not looked at', () => {
    const { sweep, ledger, elapse } = openSweep();
    ledger.pageBytesPerHandle = 1;
    for (let count = 0; count < GROUPS; count++) sweep.touch(ledger.group());
    sweep.sweep(WITH_GRACE);
    ledger.judged = 0;
    for (let passed = 0; passed < 1_900; passed += 50) elapse(50);
    expect(ledger.judged).toBeLessThan(GROUPS / 100);
  });

  test('those whose grace is over go some at a time, and all of them soon', () => {
    const { sweep, ledger, elapse } = openSweep();
    ledger.pageBytesPerHandle = 1; // They are light, and wait for 10 s.
    for (let count = 0; count < GROUPS; count++) sweep.touch(ledger.group());
    sweep.sweep(WITH_GRACE);
    for (let passed = 0; passed < 9_900; passed += LOOK_MS) elapse(LOOK_MS);
    expect(ledger.released).toBe(0);
    for (let passed = 0; passed < 300; passed += LOOK_MS) {
      const before = ledger.released;
      elapse(LOOK_MS);
      expect(ledger.released - before).toBeLessThanOrEqual(MOST_PER_LOOK);
    }
    expect(ledger.released).toBe(GROUPS);
  });

  test('those of which the program disposed of one are looked at when that is due, some at a time', () => {
    const { sweep, ledger, elapse } = openSweep();
    for (let count = 0; count < GROUPS; count++) sweep.touch(ledger.group('disposed'));
    sweep.sweep(WITH_GRACE);
    ledger.judged = 0;
    elapse(65);
    expect(ledger.judged).toBeLessThanOrEqual(MOST_PER_LOOK);
    while (ledger.released < GROUPS) {
      const before = ledger.released;
      elapse(1);
      expect(ledger.released - before).toBeLessThanOrEqual(MOST_PER_LOOK);
    }
  });
});
