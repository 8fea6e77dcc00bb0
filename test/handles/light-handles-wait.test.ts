// Handles that hold next to nothing of the page wait for more of their kind, so that one command does for many.
import { expect, test } from 'vitest';
import { isFull } from '../../src/handles/ledger/generations.ts';
import {
  type ContextRecords,
  HandleRecord,
  type Ledger,
  ObjectGroup,
} from '../../src/handles/ledger/handle-record.ts';
import { PartlyDead } from '../../src/handles/ledger/partly-dead.ts';
import { GroupSweep, WITH_GRACE, WITHOUT_GRACE } from '../../src/handles/sweep/group-sweep.ts';

const OPENED_AT = 1_000;

/** A session's ledger as far as a sweep asks it; it notes what is to be released one by one. */
class FakeLedger {
  readonly pageBytesPerHandle: number;
  readonly partlyDead = new PartlyDead();
  readonly hasEnded = false;
  readonly services = { movesSurvivors: false };
  readonly releasedSingly: HandleRecord[] = [];
  readonly releases = { enqueue: (record: HandleRecord) => this.releasedSingly.push(record) };

  constructor(pageBytesPerHandle: number) {
    this.pageBytesPerHandle = pageBytesPerHandle;
  }

  generation(members: number): ObjectGroup {
    const group = new ObjectGroup(this as unknown as Ledger, 'crb:1', 'own', OPENED_AT);
    for (let index = 0; index < members; index++) {
      group.add(new HandleRecord(`1.1.${index}`, {} as ContextRecords, group));
    }
    return group;
  }
}

/** The first so many of a closed generation. */
function dropFirst(count: number, group: ObjectGroup): void {
  group.stage = 'closed';
  for (const record of group.members.slice(0, count)) record.state = 'dropped';
  group.live -= count;
  group.dropped += count;
}

test.each([
  ['nobody knows how many', 0, 50],
  ['500', 500, 500],
  ['30 K', 30e3, 50],
])('a generation of handles of %s bytes stays open that long: %d, %d ms', (_, bytes, ms) => {
  const generation = new FakeLedger(bytes).generation(100);
  expect(isFull(generation, OPENED_AT + ms - 1)).toBe(false);
  expect(isFull(generation, OPENED_AT + ms)).toBe(true);
});

test('a generation of light handles is full with as many members as any', () => {
  expect(isFull(new FakeLedger(500).generation(1_023), OPENED_AT)).toBe(false);
  expect(isFull(new FakeLedger(500).generation(1_024), OPENED_AT)).toBe(true);
});

test.each([
  ['nobody knows how many', 0, 2_000],
  ['500', 500, 10_000],
  ['30 K', 30e3, 2_000],
])('dead handles of %s bytes wait that long for the rest of their group: %d, %d ms', (_, bytes, ms) => {
  const ledger = new FakeLedger(bytes);
  const group = ledger.generation(100);
  let now = OPENED_AT;
  const sweep = new GroupSweep(
    () => now,
    () => {},
  );
  const look = (): void => {
    sweep.touch(group);
    sweep.sweep(WITH_GRACE);
  };
  dropFirst(60, group);
  look();
  now += ms - 1;
  look();
  expect(ledger.releasedSingly).toHaveLength(0);
  now += 1;
  look();
  expect(ledger.releasedSingly).toHaveLength(60);
});

test('light handles wait no longer than others where no grace is given', () => {
  const ledger = new FakeLedger(500);
  const group = ledger.generation(100);
  const sweep = new GroupSweep(
    () => OPENED_AT,
    () => {},
  );
  dropFirst(60, group);
  sweep.touch(group);
  sweep.sweep(WITHOUT_GRACE);
  expect(ledger.releasedSingly).toHaveLength(60);
});
