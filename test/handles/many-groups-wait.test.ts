// Of groups that wait for the rest of them to die there may be a hundred thousand. Another one that waits costs the same
// then as with none: nobody walks them all, unless too many dead are waiting, and then once a sweep.
import { expect, test } from 'vitest';
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
  readonly pageBytesPerHandle = 0;
  readonly partlyDead = new CountedWalks();
  readonly hasEnded = false;
  readonly isForsaken = false;
  readonly services = { movesSurvivors: false };
  released = 0;
  readonly releases = { enqueue: (record: HandleRecord) => this.#enqueue(record) };

  /** Two handles, of which the collector found one. */
  group(): ObjectGroup {
    const group = new ObjectGroup(this as unknown as Ledger, 'own', 'own', 0);
    for (const objectId of ['1.1.1', '1.1.2']) {
      group.add(new HandleRecord(objectId, {} as ContextRecords, group));
    }
    group.stage = 'closed';
    const [dead] = group.members;
    if (dead !== undefined) dead.state = 'dropped';
    group.live--;
    group.dropped++;
    return group;
  }

  #enqueue(record: HandleRecord): void {
    this.released++;
    record.state = 'queued';
    if (record.group !== undefined) record.group.dropped--;
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
